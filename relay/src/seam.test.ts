/** The seam between stored and live events under a publish storm: no gap and no repeat (spec 6.3, 7.4). */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  createClock,
  decodeFrame,
  type Event,
  encodeFrame,
  generateSecretKey,
  signEvent,
  writeMessage,
} from '@aetherkit/core'
import { createRelay, openLmdbStore, openMemoryStore, type Relay, type Store } from '@aetherkit/relay'
import { afterEach, describe, expect, test } from 'vitest'
import { RawPeer } from '../test/raw-peer.js'

const EVENTS = 1500
const SUBSCRIPTIONS = 12
const key = generateSecretKey()
const clock = createClock()
const events = Array.from({ length: EVENTS }, (_, i) =>
  signEvent({ kind: 1, content: `${i}`, createdAt: clock() }, key),
)
const ids = events.map(({ id }) => id).sort()

const folder = mkdtempSync(join(tmpdir(), 'aether-seam-'))
const stores: [name: string, open: () => Store][] = [
  ['memory', openMemoryStore],
  ['LMDB', () => openLmdbStore(join(folder, 'lmdb'))],
]
let relay: Relay
afterEach(async () => {
  await relay.close()
  rmSync(folder, { recursive: true, force: true })
})

describe.each(stores)('with the %s store', (_name, open) => {
  test('a subscription made in the storm gets every event exactly once, stored ones first', async () => {
    relay = await createRelay({ store: open() })
    const authors = [await RawPeer.connect(relay.port), await RawPeer.connect(relay.port)]
    const readers: Promise<Event['id'][]>[] = []
    for (const [index, event] of events.entries()) {
      authors[index % 2]?.say(writeMessage({ type: 'publish', event }))
      if (index % (EVENTS / SUBSCRIPTIONS) !== 1) continue
      await authors[index % 2]?.hearJson()
      readers.push(readers.length % 2 === 0 ? readJson(relay.port) : readFrames(relay.port))
    }
    for (const received of await Promise.all(readers)) expect(received.slice().sort()).toEqual(ids)
  })
})

/** One JSON connection with two subscriptions; the ids that the second got, checked for their order. */
async function readJson(port: number): Promise<string[]> {
  const peer = await RawPeer.connect(port)
  peer.say({ type: 'subscribe', sub_id: 'other', filters: [{}] })
  peer.say({ type: 'subscribe', sub_id: 'a', filters: [{ kinds: [1], limit: 5000 }] })
  const received: string[] = []
  let seam = false
  let seq = 0n
  while (received.length < EVENTS) {
    const message = await peer.hearJson()
    if (message.sub_id !== 'a') continue
    if (message.type === 'eose') seam = true
    if (message.type !== 'event') continue
    expect(message.stored === true).toBe(!seam)
    if (seam) {
      expect(BigInt(String(message.seq))).toBeGreaterThan(seq)
      seq = BigInt(String(message.seq))
    }
    received.push(String(Object(message.event).event_id))
  }
  await peer.close()
  return received
}

/** One `aether.v2` connection; a live frame counts for the subscription, as a client's own filter would say. */
async function readFrames(port: number): Promise<string[]> {
  const peer = await RawPeer.connect(port, { protocol: 'aether.v2' })
  const filters = [{ kinds: [1], limit: 5000 }]
  peer.sayBytes(encodeFrame({ type: 'subscribe', sub: 3, filters }))
  const received: string[] = []
  let seam = false
  while (received.length < EVENTS) {
    const decoded = decodeFrame((await peer.hear()).payload)
    if (!decoded.ok) throw new Error(decoded.error)
    const { frame } = decoded
    if (frame.type === 'end') seam = true
    if (frame.type !== 'deliver') continue
    expect(frame.stored).toBe(!seam)
    expect(frame.subs).toEqual(seam ? [] : [3])
    received.push(frame.event.id)
  }
  await peer.close()
  return received
}
