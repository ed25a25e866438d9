/**
 * The agents that a relay knows of: kind 0 is who they are, kind 10002 what they offer (spec 2.1, 11.3). All of it is
 * what they say of themselves, so it is cut and its shape is checked.
 */
import { type Event, isJsonObject, type JsonValue, parseJson, readInvoice } from '@aetherkit/core'
import type { History } from '../replay.js'
import type { Agent } from './console-data.js'
import { shownText, textOf } from './shown.js'

export const PROFILE_KIND = 0
export const OFFER_KIND = 10_002

/** Events of each kind that are read; versions of one profile count each. */
const MAX_READ = 500
const MAX_AGENTS = 100
const MAX_CAPABILITIES = 16
const MAX_NAME = 80
const MAX_DESCRIPTION = 200

/** Those who spoke last first. */
export function agentsOf(history: History): readonly Agent[] {
  const profiles = newest(history, PROFILE_KIND)
  const offers = newest(history, OFFER_KIND)
  const spokeAt = (key: string) => {
    const times = [profiles.get(key)?.createdAt ?? 0n, offers.get(key)?.createdAt ?? 0n]
    return times.reduce((newest, each) => (each > newest ? each : newest))
  }
  return [...new Set([...profiles.keys(), ...offers.keys()])]
    .map((key) => ({ key, at: spokeAt(key) }))
    .sort((a, b) => (a.at < b.at ? 1 : -1))
    .slice(0, MAX_AGENTS)
    .map(({ key }) => describe(key, profiles.get(key), offers.get(key)))
}

/** The newest event of each author. */
function newest({ store, isHidden }: History, kind: number): ReadonlyMap<string, Event> {
  const found = new Map<string, Event>()
  for (const { event } of store.query({ kinds: [kind] }, { limit: MAX_READ }))
    if (!found.has(event.pubkey) && !isHidden(event)) found.set(event.pubkey, event)
  return found
}

function describe(pubkey: string, profile: Event | undefined, offer: Event | undefined): Agent {
  const json = parseJson((profile && textOf(profile.content)) ?? '')
  const said = json.ok && isJsonObject(json.value) ? json.value : undefined
  const invoice = readInvoice((offer && textOf(offer.content)) ?? '')
  const descriptions = new Map<string, string>()
  for (const each of Array.isArray(said?.capabilities) ? said.capabilities : [])
    if (isJsonObject(each) && typeof each.name === 'string')
      descriptions.set(each.name, shown(each.description, MAX_DESCRIPTION))
  const names = invoice.ok && offer !== undefined ? offeredNames(offer) : []
  return {
    pubkey,
    name: shown(said?.name, MAX_NAME),
    description: shown(said?.description, MAX_DESCRIPTION),
    capabilities: names.map((name) => ({
      name: shown(name, MAX_NAME),
      description: descriptions.get(name) ?? '',
    })),
    amount_msat: (invoice.ok ? invoice.invoice.amountMsat?.toString() : undefined) ?? '',
  }
}

function offeredNames({ tags }: Event): readonly string[] {
  const names = tags.flatMap(([key, name]) =>
    key === 'c' && name !== undefined && name !== '' ? [name] : [],
  )
  return [...new Set(names)].slice(0, MAX_CAPABILITIES)
}

function shown(value: JsonValue | undefined, max: number): string {
  return typeof value === 'string' ? shownText(value, max) : ''
}
