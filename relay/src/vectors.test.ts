/** The published event vectors through a real relay, in all three wire forms. */
import { readFileSync } from 'node:fs'
import {
  decodeEnvelope,
  decodeFrame,
  encodeEnvelope,
  encodeFrame,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
  REJECTS,
  type RejectCode,
  readEvent,
  writeJson,
} from '@aetherkit/core'
import { createRelay, LIMITS, type Policy, proofOfWork, type Relay, saneDefaults } from '@aetherkit/relay'
import { afterAll, describe, expect, test } from 'vitest'
import { RawPeer } from '../test/raw-peer.js'

const file = readFileSync(new URL('../../test/vectors/events.json', import.meta.url), 'utf8')
const vectors = object(parsed(file))
const now = BigInt(String(vectors.now))

interface Case {
  readonly name: string
  readonly code?: RejectCode
  readonly error?: string
  /** The JSON form as it is sent. */
  readonly eventJson: string
  readonly canonical: JsonObject
  readonly policies: readonly Policy[]
  readonly maxSize: number
  /** Cases with the same one may share a relay. */
  readonly home: string
}

const valid = cases('valid')
const tolerated = cases('tolerated')
const invalid = cases('invalid')

/** A relay for each wire form and setting; cases that share one have ids of their own. */
const relays = new Map<string, Promise<Relay>>()
afterAll(async () => {
  for (const relay of relays.values()) await (await relay).close()
})
async function connect(form: string, { policies, maxSize, home }: Case, protocol?: string): Promise<RawPeer> {
  const key = `${form} ${home}`
  const limits = { event: { ...LIMITS.event, maxSize } }
  const relay = relays.get(key) ?? createRelay({ now: () => now, policies, limits, verifyWorkers: 1 })
  relays.set(key, relay)
  return RawPeer.connect((await relay).port, protocol === undefined ? {} : { protocol })
}

describe('in JSON', () => {
  test.each([...valid, ...tolerated])(
    '$name is accepted and sent on in the canonical rendering',
    async (vector) => {
      const peer = await connect('json', vector)
      await peer.ask({ type: 'hello', version: 1, formats: ['json'], features: ['base64'] })
      await peer.ask({ type: 'subscribe', sub_id: 'a', filters: [{}] })
      const ack = await peer.ask(`{"type":"publish","event":${vector.eventJson}}`)
      expect(ack).toMatchObject({ type: 'ack', event_id: vector.canonical.event_id })
      expect(plain(object((await peer.hearJson()).event))).toEqual(plain(vector.canonical))
    },
  )

  test.each(invalid)('$name is refused', async (vector) => {
    const peer = await connect('json', vector)
    const answer = await peer.ask(`{"type":"publish","event":${vector.eventJson}}`)
    expect(answer).toMatchObject({ type: 'error', code: vector.code, error: vector.error })
  })
})

describe('in envelopes', () => {
  const say = (peer: RawPeer, json: string) => peer.sayBytes(encodeEnvelope(json))
  const hear = async (peer: RawPeer): Promise<JsonObject> => {
    const opened = decodeEnvelope((await peer.hear()).payload)
    if (!opened.ok) throw new Error(opened.error)
    return object(parsed(opened.json))
  }
  const hello = '{"type":"hello","version":1,"formats":["flatbuffers"],"features":["base64"]}'

  test.each([...valid, ...tolerated])(
    '$name is accepted and sent on in the canonical rendering',
    async (vector) => {
      const peer = await connect('envelope', vector)
      for (const message of [hello, '{"type":"subscribe","sub_id":"a","filters":[{}]}']) {
        say(peer, message)
        await hear(peer)
      }
      say(peer, `{"type":"publish","event":${vector.eventJson}}`)
      expect(await hear(peer)).toMatchObject({ type: 'ack', event_id: vector.canonical.event_id })
      expect(plain(object((await hear(peer)).event))).toEqual(plain(vector.canonical))
    },
  )

  test.each(invalid)('$name is refused', async (vector) => {
    const peer = await connect('envelope', vector)
    say(peer, `{"type":"publish","event":${vector.eventJson}}`)
    expect(await hear(peer)).toMatchObject({ type: 'error', code: vector.code, error: vector.error })
  })
})

describe('in aether.v2 frames', () => {
  const hear = async (peer: RawPeer) => {
    const decoded = decodeFrame((await peer.hear()).payload)
    if (!decoded.ok) throw new Error(decoded.error)
    return decoded.frame
  }
  const readable = (vector: Case) => {
    const read = readEvent(parsed(vector.eventJson), { base64: true })
    return read.ok ? [{ ...vector, event: read.event }] : []
  }

  test.each(valid.flatMap(readable))('$name is accepted and sent on', async ({ event, ...vector }) => {
    const peer = await connect('frames', vector, 'aether.v2')
    peer.sayBytes(encodeFrame({ type: 'subscribe', sub: 1, filters: [{}] }))
    await hear(peer)
    peer.sayBytes(encodeFrame({ type: 'publish', event }))
    expect(await hear(peer)).toMatchObject({ type: 'accepted', id: event.id })
    expect(await hear(peer)).toMatchObject({ type: 'deliver', subs: [], stored: false, event })
  })

  test.each(invalid.flatMap(readable))('$name is refused', async ({ event, ...vector }) => {
    const peer = await connect('frames', vector, 'aether.v2')
    peer.sayBytes(encodeFrame({ type: 'publish', event }))
    const code = vector.code === undefined ? 0 : REJECTS[vector.code].n
    expect(await hear(peer)).toMatchObject({ type: 'rejected', id: event.id, code, message: vector.error })
  })
})

function cases(group: string): Case[] {
  const list = vectors[group]
  if (!Array.isArray(list)) throw new TypeError(`${group} must be a list`)
  return list.map((item) => {
    const vector = object(item)
    const settings = isJsonObject(vector.policy) ? vector.policy : {}
    const bits = Number(settings.pow_difficulty ?? 0)
    const window = vector.time_window === false ? [] : saneDefaults()
    // Tolerated cases are other spellings of the same events, so each needs a relay that does not know them.
    const home =
      group === 'tolerated' ? String(vector.name) : `${group} ${window.length} ${writeJson(settings)}`
    return {
      name: String(vector.name),
      home,
      ...(vector.code !== undefined && { code: vector.code as RejectCode, error: String(vector.error) }),
      eventJson: typeof vector.event_json === 'string' ? vector.event_json : writeJson(vector.event),
      canonical: object(vector.canonical ?? vector.event ?? Object.create(null)),
      policies: bits > 0 ? [...window, proofOfWork(bits)] : window,
      maxSize: Number(settings.max_size ?? LIMITS.event.maxSize),
    }
  })
}

/** Times and kinds may be digits or numbers; absent content is empty. */
function plain(event: JsonObject): Record<string, unknown> {
  const { created_at, kind, ...rest } = event
  return { content: '', ...rest, created_at: String(created_at), kind: Number(kind) }
}

function parsed(text: string): JsonValue {
  const json = parseJson(text)
  if (!json.ok) throw new SyntaxError(json.detail)
  return json.value
}

function object(value: JsonValue | undefined): JsonObject {
  if (!isJsonObject(value)) throw new TypeError('object expected')
  return value
}
