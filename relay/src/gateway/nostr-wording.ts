/** What the relay says to a Nostr client (spec 9.2, 3.2, 3.3): standard prefix, then the kept text. */
import { REJECTS, type Reject } from '@aetherkit/core'
import type { Accepted } from '../commit.js'
import type { NostrRefusal } from './nostr-read.js'
import { gatewayText } from './wording.js'

export function okMessage(eventId: string, verdict: Accepted | Reject): string {
  if (!verdict.ok) return JSON.stringify(['OK', eventId, false, prefixed(verdict)])
  const text =
    verdict.status === 'duplicate'
      ? 'duplicate: already have this event'
      : verdict.status === 'superseded'
        ? 'duplicate: have a newer event'
        : 'accepted'
  return JSON.stringify(['OK', eventId, true, text])
}

export function closedMessage(sub: string, refusal: Reject): string {
  return JSON.stringify(['CLOSED', sub, prefixed(refusal)])
}

/** About the event or the subscription where that could be read, else a notice (spec 9.2). */
export function refusalMessage(refusal: NostrRefusal): string {
  if (refusal.eventId !== undefined) return okMessage(refusal.eventId, refusal)
  if (refusal.sub !== undefined) return closedMessage(refusal.sub, refusal)
  const text = gatewayText(refusal)
  const isPrefixed = text.startsWith(`${refusal.code}: `)
  return JSON.stringify(['NOTICE', isPrefixed ? text : `${refusal.code}: ${text}`])
}

/** The detail where the kept text would say no more than the prefix. */
function prefixed(refusal: Reject): string {
  const { code, detail } = refusal
  const { nostr } = REJECTS[code]
  const prefix = nostr === 'NOTICE' ? 'invalid' : nostr
  const text = gatewayText(refusal).replace(/^invalid_(event|message): /, '')
  return `${prefix}: ${text === prefix && detail !== undefined ? detail : text}`
}
