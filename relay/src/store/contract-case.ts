/** What the cases of the store contract are made of. Events have the right shape, but nobody signed them. */
import assert from 'node:assert/strict'
import { type Event, eventId } from '@aetherkit/core'
import type { Store, StoredEvent } from './store.js'

/** One test: `store` is new and empty, at `path`; `reopen` closes it and opens it again there, or what is elsewhere. */
export type Case = (
  store: Store,
  reopen: (elsewhere?: string) => Promise<Store>,
  path: string,
) => Promise<void>

export const ALICE = 'a1'.repeat(32)
export const BOB = 'b0'.repeat(32)

/** The id that begins with these digits. */
export function idOf(digits: string): string {
  return digits.padEnd(64, '0')
}

/** By Alice, of kind 1, at time 1000, empty, unless said otherwise; `id` is padded with zeros. */
export function event(id: string, fields: Partial<Omit<Event, 'id'>> = {}): Event {
  return {
    id: idOf(id),
    pubkey: ALICE,
    createdAt: 1000n,
    kind: 1,
    tags: [],
    content: new Uint8Array(0),
    sig: '5e'.repeat(64),
    ...fields,
  }
}

/** With the id that its fields make, though nobody signed it either. */
export function named(fields: Partial<Omit<Event, 'id'>>): Event {
  const unnamed = event('', fields)
  return { ...unnamed, id: eventId(unnamed) }
}

/** Gives the events rising seqs from `first` on. */
export function numbered(first: number | bigint, ...events: readonly Event[]): StoredEvent[] {
  return events.map((event, i) => ({ seq: BigInt(first) + BigInt(i), event }))
}

export async function statuses(store: Store, batch: readonly StoredEvent[]): Promise<string[]> {
  const outcomes = await store.put(batch)
  assert.equal(outcomes.length, batch.length, 'one outcome for each event of the batch')
  return outcomes.map(({ status }) => status)
}

/** The leading digits of the ids, without the padding of {@link idOf}. */
export function names(events: readonly StoredEvent[]): string[] {
  return events.map(({ event }) => event.id.replace(/0+$/, ''))
}
