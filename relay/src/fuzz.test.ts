/** 100,000 mutated messages in all forms: an answer or a close each time, never a crash, memory bounded. */
import {
  createClock,
  encodeEnvelope,
  encodeFrame,
  exchangeKeys,
  type Filter,
  generateSecretKey,
  REJECTS,
  signEvent,
  writeMessage,
} from '@aetherkit/core'
import { seededRandom } from '@aetherkit/core/testing'
import { createRelay, type RelayEvent } from '@aetherkit/relay'
import { expect, test } from 'vitest'
import { RawPeer } from '../test/raw-peer.js'

const MESSAGES = 100_000
const SEED = Number(process.env.SEED ?? 4253346320)
const MAX_GROWTH = 150 * 1024 * 1024

const random = seededRandom(SEED)
const below = (n: number) => Math.floor(random() * n)
const pick = <T>(items: readonly T[]): T => items[below(items.length)]!

const key = generateSecretKey()
const clock = createClock()
const filters: Filter[] = [{ kinds: [1], tags: [{ key: 't', any: ['a', 'b'] }], since: 5n, limit: 3 }]
const event = signEvent(
  {
    kind: 1,
    content: 'fuzz',
    tags: [
      ['t', 'a', 'b'],
      ['d', ''],
    ],
    createdAt: clock(),
  },
  key,
)
const noise = { required: true, pubkey: exchangeKeys().publicKey }

const texts = [
  writeMessage({ type: 'publish', event }),
  writeMessage({ type: 'subscribe', subId: 'a', filters, after: 'aaaaaaaaaaaaaaaa-5' }),
  writeMessage({ type: 'unsubscribe', subId: 'a' }),
  writeMessage({
    type: 'hello',
    version: 1,
    formats: ['json', 'flatbuffers'],
    noise: { required: false },
    features: ['eose'],
  }),
  writeMessage({ type: 'hello', version: 1, formats: ['json'], noise, features: [] }),
  writeMessage({ type: 'hello', version: 1, formats: ['aether.v2', 'json'], noise, features: ['noise-xx'] }),
  writeMessage({ type: 'noise', payload: new Uint8Array(40) }),
  writeMessage({
    type: 'mailbox',
    subId: 'm',
    pubkey: event.pubkey,
    name: 'work',
    from: 'start',
    maxUnacked: 3,
  }),
  writeMessage({ type: 'mailbox_ack', subId: 'm', seqs: [1n, 2n] }),
  writeMessage({ type: 'mailbox_nack', subId: 'm', seqs: [1n], delayMs: 5 }),
  writeMessage({ type: 'mailbox_delete', subId: 'm', pubkey: event.pubkey, name: 'work' }),
  '{"type":"subscribe","sub_id":"a","filters":[{"tags":{"t":["x"]},"#p":["y"],"authors":["ab"],"pubkey_prefixes":[]}]}',
]
const envelopes = texts.map((text) => encodeEnvelope(text))
const frames = [
  encodeFrame({ type: 'hello', version: 1, features: ['base64'] }),
  encodeFrame({ type: 'publish', event }),
  encodeFrame({ type: 'subscribe', sub: 1, filters, after: 'aaaaaaaaaaaaaaaa-5' }),
  encodeFrame({ type: 'unsubscribe', sub: 1 }),
  encodeFrame({ type: 'deliver', subs: [1], seq: 1n, stored: true, event }),
  encodeFrame({ type: 'auth', event }),
  encodeFrame({
    type: 'mailbox',
    sub: 2,
    pubkey: event.pubkey,
    name: 'work',
    from: 'now',
    filters: [{ kinds: [1] }],
  }),
  encodeFrame({ type: 'mailbox_ack', sub: 2, seqs: [1n, 2n] }),
  encodeFrame({ type: 'mailbox_nack', sub: 2, seqs: [1n], delayMs: 5 }),
  encodeFrame({ type: 'mailbox_delete', sub: 2, pubkey: event.pubkey, name: 'work' }),
]

function mutate(source: Uint8Array): Buffer {
  let bytes = Buffer.from(source)
  for (let times = 1 + below(4); times > 0; times--) {
    const at = below(bytes.length + 1)
    switch (below(6)) {
      case 0:
        if (at < bytes.length) bytes[at]! ^= 1 << below(8)
        break
      case 1:
        if (at < bytes.length) bytes[at] = pick([0, 0xff, 0x7b, 0x22, 0x5c, 0x80])
        break
      case 2:
        bytes = bytes.subarray(0, at)
        break
      case 3:
        bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(below(at + 1))])
        break
      case 4:
        if (at + 4 <= bytes.length) bytes.writeUInt32LE(pick([0, 0xffffffff, 0x7fffffff, bytes.length]), at)
        break
      default:
        bytes = Buffer.concat([
          bytes.subarray(0, at),
          Buffer.from(pick(['"', '{', '[', '\\u0000', '9', 'é'])),
          bytes.subarray(at),
        ])
    }
  }
  return bytes
}

test(`${MESSAGES} mutated messages, seed ${SEED}`, { timeout: 300_000 }, async () => {
  const codes = new Set<string>()
  let faults = 0
  /** Messages that were read and judged: those behind a close are not. */
  let judged = 0
  const relay = await createRelay({
    verifyWorkers: 1,
    onEvent(seen: RelayEvent) {
      if (seen.type === 'rejected') codes.add(seen.code)
      if (seen.type === 'rejected' || seen.type === 'accepted') judged++
      if (seen.type === 'store_failed') faults++
    },
  })
  const before = memory()
  while (judged < MESSAGES) {
    const form = pick(['text', 'envelope', 'frame', 'any'] as const)
    const peer = await RawPeer.connect(relay.port, form === 'frame' ? { protocol: 'aether.v2' } : {})
    let open = true
    void peer.closed.then(() => {
      open = false
    })
    for (let i = 0; i < 2000 && open; i++) {
      const source =
        form === 'text'
          ? Buffer.from(pick(texts))
          : pick(form === 'envelope' ? envelopes : form === 'frame' ? frames : [...envelopes, ...frames])
      const asText = form === 'text' && below(10) > 0
      const bytes = mutate(source)
      peer.frame(asText ? 1 : 2, asText ? Buffer.from(bytes.toString()) : bytes)
      if (i % (form === 'text' || form === 'envelope' ? 100 : 10) === 0) {
        await new Promise(setImmediate)
        peer.heard.length = 0
      }
    }
    if (open) await Promise.race([peer.close(), peer.closed])
  }
  const healthy = await RawPeer.connect(relay.port)
  const fresh = signEvent({ kind: 1, content: 'still here', createdAt: clock() }, key)
  expect((await healthy.ask(writeMessage({ type: 'publish', event: fresh }))).status).toBe('stored')
  expect(relay.stats()).toMatchObject({ connections: 1, subscriptions: 0, publishes: 0 })
  expect([...codes].filter((code) => !Object.hasOwn(REJECTS, code))).toEqual([])
  expect(codes.has('internal')).toBe(false)
  expect(faults).toBe(0)
  expect(memory() - before).toBeLessThan(MAX_GROWTH)
  await relay.close()
})

function memory(): number {
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
