/**
 * The surfaces of a relay, each behind the same few words, so that one scenario runs on all of them. A new surface is one
 * more entry in {@link SURFACES}.
 *
 * A verdict is `accepted`, `duplicate`, `superseded`, or the code of a refusal: what every surface can say. An event read
 * back is its canonical rendering, so that a surface that changed a digit is found out.
 */
import {
  codeByNumber,
  decodeEnvelope,
  decodeFrame,
  type Event,
  encodeEnvelope,
  encodeFrame,
  type Filter,
  type Frame,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
  REJECTS,
  readEvent,
  writeEvent,
  writeFilter,
  writeJson,
  writeMessage,
} from '@aetherkit/core'
import type { Relay } from '@aetherkit/relay'
import { ask, EventStream } from '../../relay/test/http-client.js'
import { RawPeer } from '../../relay/test/raw-peer.js'

export interface Surface {
  readonly name: string
  /** Publishes one after the other; the verdicts in order. */
  publish(relay: Relay, events: readonly Event[]): Promise<readonly string[]>
  /** Subscribes to what is to come; `next` is the next event that arrived. */
  subscribe(relay: Relay, filter: Filter): Promise<{ next(): Promise<string> }>
  /** Stored events, in the order in which they come. */
  query(relay: Relay, filter: Filter): Promise<readonly string[]>
}

/** One native connection: JSON messages, however they are wrapped. */
interface Talk {
  say(message: string): void
  hear(): Promise<JsonObject>
}

/** Native messages in JSON, on whatever port and path. */
function native(name: string, connect: (relay: Relay) => Promise<Talk>): Surface {
  const subscribe = (filter: Filter) => writeMessage({ type: 'subscribe', subId: 's', filters: [filter] })
  return {
    name,
    async publish(relay, events) {
      const peer = await connect(relay)
      const verdicts: string[] = []
      for (const event of events) {
        peer.say(writeMessage({ type: 'publish', event }))
        const { type, status, code } = await peer.hear()
        verdicts.push(type === 'ack' ? verdictOf(status) : String(code))
      }
      return verdicts
    },
    async subscribe(relay, filter) {
      const peer = await connect(relay)
      peer.say(subscribe(filter))
      await peer.hear()
      return { next: async () => textOf((await peer.hear()).event) }
    },
    async query(relay, filter) {
      const peer = await connect(relay)
      peer.say(subscribe({ ...filter, replay: true }))
      await peer.hear()
      const found: string[] = []
      for (;;) {
        const message = await peer.hear()
        if (message.type === 'eose') return found
        found.push(textOf(message.event))
      }
    },
  }
}

async function connectText(port: number, path = '/'): Promise<Talk> {
  const peer = await RawPeer.connect(port, { path })
  return { say: (message) => peer.say(message), hear: () => peer.hearJson() }
}

/** Spec 4.2: the same JSON in a FlatBuffers envelope. */
async function connectEnvelope(relay: Relay): Promise<Talk> {
  const peer = await RawPeer.connect(relay.port)
  const talk: Talk = {
    say: (message) => peer.sayBytes(encodeEnvelope(message)),
    async hear() {
      const decoded = decodeEnvelope((await peer.hear()).payload)
      const parsed = decoded.ok ? parseJson(decoded.json) : decoded
      if (!parsed.ok || !isJsonObject(parsed.value)) throw new Error('JSON in an envelope expected')
      return parsed.value
    },
  }
  talk.say('{"type":"hello","version":1,"formats":["flatbuffers"],"features":["eose","closed"]}')
  await talk.hear()
  return talk
}

const frames: Surface = {
  name: 'aether.v2',
  async publish(relay, events) {
    const peer = await connectFrames(relay)
    const verdicts: string[] = []
    for (const event of events) {
      peer.sayBytes(encodeFrame({ type: 'publish', event }))
      const frame = await hearFrame(peer)
      if (frame.type === 'accepted') verdicts.push(verdictOf(frame.status))
      else verdicts.push(frame.type === 'rejected' ? String(codeByNumber(frame.code)) : frame.type)
    }
    return verdicts
  },
  async subscribe(relay, filter) {
    const peer = await connectFrames(relay)
    peer.sayBytes(encodeFrame({ type: 'subscribe', sub: 1, filters: [filter] }))
    await hearFrame(peer)
    return { next: async () => eventOf(await hearFrame(peer)) }
  },
  async query(relay, filter) {
    const peer = await connectFrames(relay)
    peer.sayBytes(encodeFrame({ type: 'subscribe', sub: 1, filters: [{ ...filter, replay: true }] }))
    await hearFrame(peer)
    const found: string[] = []
    for (;;) {
      const frame = await hearFrame(peer)
      if (frame.type === 'end') return found
      found.push(eventOf(frame))
    }
  },
}

/** Event by event, or all in one batch. */
function http(name: string, batch: boolean): Surface {
  const port = (relay: Relay) => relay.http?.port ?? 0
  return {
    name,
    async publish(relay, events) {
      const texts = events.map((event) => writeEvent(event) ?? '')
      const verdicts: JsonValue[] = []
      if (batch) {
        const { json } = await ask(port(relay), 'POST /v1/events', { body: `[${texts.join(',')}]` })
        verdicts.push(...(json.results as JsonValue[]))
      } else
        for (const body of texts) verdicts.push((await ask(port(relay), 'POST /v1/events', { body })).json)
      return verdicts.map((verdict) => {
        if (!isJsonObject(verdict)) return 'no verdict'
        return verdict.accepted === true ? verdictOf(verdict.status) : String(verdict.code)
      })
    },
    async subscribe(relay, filter) {
      const body = writeJson({ filters: writeFilter(filter) })
      const { json } = await ask(port(relay), 'POST /v1/subscriptions', { body })
      const stream = await EventStream.open(port(relay), `/v1/stream?subscription_id=${json.subscription_id}`)
      return { next: async () => textOf((await stream.nextJson()).event) }
    },
    async query(relay, filter) {
      const body = writeJson({ filters: writeFilter(filter) })
      const { json } = await ask(port(relay), 'POST /v1/query', { body })
      return (json.events as JsonValue[]).map(textOf)
    },
  }
}

/** NIP-01 (spec 9): replay is always on, and the id stands under two names. */
const nostr: Surface = {
  name: 'Nostr',
  async publish(relay, events) {
    const peer = await connectNostr(relay)
    const verdicts: string[] = []
    for (const event of events) {
      peer.say(`["EVENT",${writeEvent(event)}]`)
      const [, , taken, text] = await hearArray(peer)
      if (taken !== true) verdicts.push(codeOf(String(text)))
      else verdicts.push(VERDICTS[String(text)] ?? String(text))
    }
    return verdicts
  },
  async subscribe(relay, filter) {
    const peer = await connectNostr(relay)
    peer.say(`["REQ","s",${writeJson(writeFilter({ ...filter, limit: 0 }))}]`)
    await hearArray(peer)
    return { next: async () => textOf((await hearArray(peer))[2]) }
  },
  async query(relay, filter) {
    const peer = await connectNostr(relay)
    peer.say(`["REQ","s",${writeJson(writeFilter(filter))}]`)
    const found: string[] = []
    for (;;) {
      const [type, , event] = await hearArray(peer)
      if (type === 'EOSE') return found
      found.push(textOf(event))
    }
  },
}

export const SURFACES: readonly Surface[] = [
  native('native JSON', (relay) => connectText(relay.port)),
  native('envelope', connectEnvelope),
  frames,
  native('/v1/ws', (relay) => connectText(relay.http?.port ?? 0, '/v1/ws')),
  native('/v1/ws, own port', (relay) => connectText(relay.http?.wsPort ?? 0, '/v1/ws')),
  http('HTTP + SSE', false),
  http('HTTP batch + SSE', true),
  nostr,
]

/** NIP-01 has no word for what became of an event that was taken. */
const VERDICTS: Readonly<Record<string, string>> = {
  'duplicate: already have this event': 'duplicate',
  'duplicate: have a newer event': 'superseded',
}

/** NIP-01 says a refusal as a prefix and the kept text; the text alone tells which code it is (spec 3.2). */
function codeOf(text: string): string {
  const found = Object.entries(REJECTS).find(([, { nostr, error }]) => text === `${nostr}: ${error}`)
  return found?.[0] ?? text
}

function verdictOf(status: unknown): string {
  return status === 'stored' || status === 'forwarded' ? 'accepted' : String(status)
}

function textOf(value: JsonValue | undefined): string {
  const read = readEvent(value ?? null)
  return read.ok ? (writeEvent(read.event) ?? '') : read.error
}

function eventOf(frame: Frame): string {
  return frame.type === 'deliver' ? (writeEvent(frame.event) ?? '') : frame.type
}

async function connectFrames(relay: Relay): Promise<RawPeer> {
  const peer = await RawPeer.connect(relay.port, { protocol: 'aether.v2' })
  peer.sayBytes(encodeFrame({ type: 'hello', version: 1, features: [] }))
  await hearFrame(peer)
  return peer
}

async function hearFrame(peer: RawPeer): Promise<Frame> {
  const decoded = decodeFrame((await peer.hear()).payload)
  if (!decoded.ok) throw new Error(decoded.error)
  return decoded.frame
}

/** The challenge that a Nostr peer may be greeted with is not looked at. */
function connectNostr(relay: Relay): Promise<RawPeer> {
  return RawPeer.connect(relay.nostr?.port ?? 0)
}

async function hearArray(peer: RawPeer): Promise<readonly JsonValue[]> {
  for (;;) {
    const parsed = parseJson((await peer.hear()).payload.toString())
    if (!parsed.ok || !Array.isArray(parsed.value)) throw new Error('an array expected')
    if (parsed.value[0] !== 'AUTH') return parsed.value
  }
}
