import { createHash } from 'node:crypto'
import { canonicalBytes, type JsonObject, parseJson } from '@aetherkit/core'
import { finalizeEvent, generateSecretKey } from 'nostr-tools/pure'
import { describe, expect, test } from 'vitest'
import { createAuthor } from '../test/signing.js'
import {
  NostrEvent,
  nostrEventId,
  readNostrEvent,
  restoreNostrEvent,
  writeNostrEvent,
} from './nostr-event.js'
import { judgeBatch, packBatch } from './verify-batch.js'

const event = finalizeEvent(
  {
    kind: 1,
    content: 'é "\\\n\u2028\u{1f600}\u0001\ufeff',
    tags: [['t', 'a', ''], [''], ['ключ', 'b']],
    created_at: 1_700_000_000,
  },
  generateSecretKey(),
)
const json = (value: unknown) => parsed(JSON.stringify(value))
function parsed(text: string): JsonObject {
  const read = parseJson(text)
  if (!read.ok) throw new Error(read.detail)
  return read.value as JsonObject
}
/** With the id that belongs to the fields, whatever they are. */
function renamed(part: object): JsonObject {
  const { pubkey, created_at, kind, tags, content } = { ...event, ...part }
  const text = JSON.stringify([0, pubkey, created_at, kind, tags, content])
  return json({ ...event, ...part, id: createHash('sha256').update(text).digest('hex') })
}

test('an event is read, kept in nanoseconds, and written as it was', () => {
  const read = readNostrEvent(json({ ...event, seen_on: ['unknown members are left out'] }))
  expect(read?.createdAt).toBe(1_700_000_000_000_000_000n)
  expect(JSON.parse(writeNostrEvent(read!))).toEqual(JSON.parse(JSON.stringify(event)))
  expect(nostrEventId(read!)).toBe(event.id)
  expect(NostrEvent.is(read!)).toBe(true)
})

describe('is no Nostr event:', () => {
  const cases: [string, JsonObject][] = [
    ['one whose hash is another', json({ ...event, content: 'x' })],
    ['one that calls its id event_id', json({ ...event, event_id: event.id })],
    ['a member named twice', parsed(`{"kind":1,${JSON.stringify(event).slice(1)}`)],
    ['a fraction of a second', parsed(JSON.stringify(event).replace('1700000000', '1700000000.0'))],
    ['a time in text', renamed({ created_at: '1700000000' })],
    ['a time before 1970', renamed({ created_at: -1 })],
    ['a time beyond u64 nanoseconds', renamed({ created_at: 18_446_744_074 })],
    ['a kind beyond u16', renamed({ kind: 65_536 })],
    ['a kind that is no integer', renamed({ kind: true })],
    ['an empty tag', renamed({ tags: [[]] })],
    ['a tag that is no list', renamed({ tags: ['t'] })],
    ['a value that is no text', renamed({ tags: [['t', 1]] })],
    ['content that is no text', renamed({ content: null })],
    ['half a surrogate pair', renamed({ content: '\ud800' })],
    ['half a surrogate pair in a tag', renamed({ tags: [['t', '\udc00']] })],
    ['a short key', renamed({ pubkey: event.pubkey.slice(2) })],
    ['a short signature', renamed({ sig: event.sig.slice(2) })],
    ['nothing', json({})],
  ]
  test.each(cases)('%s', (_name, value) => {
    expect(readNostrEvent(value)).toBeUndefined()
  })
})

test('cannot be forged by a cast, a spread or a look-alike', () => {
  const read = readNostrEvent(json(event))!
  expect(NostrEvent.is({ ...read })).toBe(false)
  expect(() => new NostrEvent(read, Symbol() as never)).toThrow(TypeError)
  expect(() => Object.assign(read, { content: new Uint8Array() })).toThrow(TypeError)
})

test('a batch judges each event by its own protocol, and none by the other', () => {
  const nostr = readNostrEvent(json(event))!
  const aether = createAuthor().sign()
  const judged: string[] = []
  const claims = [
    { event: aether },
    { event: nostr },
    { event: aether, rounded: 1n },
    { event: restoreNostrEvent({ ...nostr, sig: aether.sig }) },
  ]
  const verdicts = judgeBatch(packBatch(claims), {
    hash(bytes) {
      expect(Buffer.from(bytes)).toEqual(Buffer.from(canonicalBytes(aether)))
      return Buffer.from(aether.id, 'hex')
    },
    ed25519(sig, id, key) {
      judged.push('ed25519')
      expect([sig, id, key].map((part) => part.toString('hex'))).toEqual([
        aether.sig,
        aether.id,
        aether.pubkey,
      ])
      return true
    },
    schnorr(sig, id, key) {
      judged.push('schnorr')
      expect([id, key].map((part) => part.toString('hex'))).toEqual([nostr.id, nostr.pubkey])
      return sig.toString('hex') === nostr.sig
    },
  })
  expect(judged).toEqual(['ed25519', 'schnorr', 'ed25519', 'schnorr'])
  expect([...verdicts]).toEqual([0, 0, 0, 3])
})
