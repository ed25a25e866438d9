/** Filters have a size, and a connection room for so much (spec 7.5). */
import { createRelay, type Relay } from '@aetherkit/relay'
import { afterEach, expect, test } from 'vitest'
import { RawPeer } from '../test/raw-peer.js'
import { filterBytes } from './filter-size.js'

let relay: Relay | undefined
afterEach(() => relay?.close())

const hex = (length: number) => 'a'.repeat(length)

test('counts 64 bytes for each filter and value, and the length of values', () => {
  expect(filterBytes([])).toBe(0)
  expect(filterBytes([{}, { since: 1n, limit: 5 }])).toBe(128)
  expect(filterBytes([{ kinds: [1, 2], ids: [hex(64)], authors: [hex(1)], pubkeyPrefixes: [hex(32)] }])).toBe(
    64 + 2 * 64 + (64 + 64) + (64 + 1) + (64 + 32),
  )
  expect(filterBytes([{ tags: [{ key: 'tt', any: ['abc', ''] }], pairs: [['k', 'value']] }])).toBe(
    64 + (64 + 2) + (64 + 3) + 64 + (64 + 1) + (64 + 5),
  )
})

test('a connection has room for so many bytes of filters: limit_exceeded beyond, and room again behind them', async () => {
  relay = await createRelay({ verifyWorkers: 1, limits: { maxFilterBytes: 1000 } })
  const peer = await RawPeer.connect(relay.port)
  const subscribe = (sub_id: string, values: number) =>
    peer.ask({ type: 'subscribe', sub_id, filters: [{ kinds: Array.from({ length: values }, (_, i) => i) }] })
  expect(await subscribe('a', 8)).toMatchObject({ type: 'subscribed' })
  expect(await subscribe('b', 8)).toMatchObject({ type: 'error', code: 'limit_exceeded', sub_id: 'b' })
  expect(await subscribe('a', 14)).toMatchObject({ type: 'subscribed' })
  expect(await subscribe('a', 15)).toMatchObject({ code: 'limit_exceeded' })
  expect(await subscribe('b', 1)).toMatchObject({ code: 'limit_exceeded' })
  expect(await peer.ask({ type: 'unsubscribe', sub_id: 'a' })).toMatchObject({ type: 'unsubscribed' })
  expect(await subscribe('b', 14)).toMatchObject({ type: 'subscribed' })
  // Another connection has room of its own.
  const other = await RawPeer.connect(relay.port)
  other.say({ type: 'subscribe', sub_id: 'b', filters: [{ kinds: [1] }] })
  expect(await other.hearJson()).toMatchObject({ type: 'subscribed' })
})
