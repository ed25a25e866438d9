/** Publishers on the three surfaces of a relay, behind the same few words. */
import { Agent } from 'node:http'
import {
  type Event,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
  REJECTS,
  type RejectCode,
  type Status,
  writeEvent,
} from '@aetherkit/core'
import { ask } from '../../relay/test/http-client.js'
import { RawPeer } from '../../relay/test/raw-peer.js'
import type { StartedRelay } from './workplace.js'

/** An event as JSON, of either protocol. */
export interface Offer {
  readonly id: string
  readonly text: string
}

export function offer(event: Event): Offer {
  return { id: event.id, text: writeEvent(event) ?? '' }
}

/** What became of an offer. NIP-01 has no word for the status and the seq. */
export interface Verdict {
  readonly id: string
  readonly isTaken: boolean
  readonly status?: Status
  readonly seq?: bigint
  readonly code?: string
  readonly retryAfterMs?: number
}

export interface Publisher {
  readonly surface: string
  /** Offers all at once; `settled` is called for each as its verdict comes. Rejects when the relay is lost. */
  publish(offers: readonly Offer[], settled?: (verdict: Verdict) => void): Promise<readonly Verdict[]>
  close(): void
}

export async function nativePublisher({ ports }: StartedRelay): Promise<Publisher> {
  const peer = await RawPeer.connect(ports.native)
  return {
    surface: 'ws',
    publish: (offers, settled) => {
      for (const { text } of offers) peer.say(`{"type":"publish","event":${text}}`)
      return inTurn(offers, settled, async ({ id }) => readVerdict(await peer.hearJson(), id))
    },
    close: () => peer.socket.destroy(),
  }
}

/** Event by event, or all in one request. */
export function httpPublisher({ ports }: StartedRelay, isBatch = false): Publisher {
  const agent = new Agent({ keepAlive: true })
  const post = async (body: string) => (await ask(ports.http, 'POST /v1/events', { body, agent })).json
  return {
    surface: isBatch ? 'HTTP batches' : 'HTTP',
    publish: async (offers, settled) => {
      if (!isBatch) return inTurn(offers, settled, async ({ id, text }) => readVerdict(await post(text), id))
      const { results } = await post(`[${offers.map(({ text }) => text).join(',')}]`)
      if (!Array.isArray(results)) throw new Error('a batch without results')
      return inTurn(offers, settled, async ({ id }, i) => readVerdict(results[i], id))
    },
    close: () => agent.destroy(),
  }
}

export async function nostrPublisher({ ports }: StartedRelay): Promise<Publisher> {
  const peer = await RawPeer.connect(ports.nostr)
  return {
    surface: 'Nostr',
    publish: (offers, settled) => {
      for (const { text } of offers) peer.say(`["EVENT",${text}]`)
      return inTurn(offers, settled, async ({ id }) => {
        const [type, of, isTaken, said] = await hearArray(peer)
        if (type !== 'OK' || of !== id) throw new Error(`OK of ${id} expected, got ${type} of ${of}`)
        if (isTaken === true) return { id, isTaken }
        return { id, isTaken: false, code: codeOf(String(said)) }
      })
    },
    close: () => peer.socket.destroy(),
  }
}

/** The next message of a Nostr peer but challenges. */
export async function hearArray(peer: RawPeer): Promise<readonly JsonValue[]> {
  for (;;) {
    const parsed = parseJson((await peer.hear()).payload.toString())
    if (!parsed.ok || !Array.isArray(parsed.value)) throw new Error('an array expected')
    if (parsed.value[0] !== 'AUTH') return parsed.value
  }
}

/** Stored Nostr messages to a REQ, up to EOSE; the subscription is closed. */
export async function request(peer: RawPeer, ...filters: readonly object[]): Promise<readonly JsonObject[]> {
  peer.say(JSON.stringify(['REQ', 'r', ...filters]))
  const events: JsonObject[] = []
  for (;;) {
    const [type, , value] = await hearArray(peer)
    if (type === 'EVENT' && isJsonObject(value ?? null)) events.push(value as JsonObject)
    else if (type === 'EOSE') break
    else throw new Error(`EVENT or EOSE expected, got ${type} ${value}`)
  }
  peer.say('["CLOSE","r"]')
  return events
}

async function inTurn(
  offers: readonly Offer[],
  settled: ((verdict: Verdict) => void) | undefined,
  next: (offer: Offer, index: number) => Promise<Verdict>,
): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = []
  for (const [index, offer] of offers.entries()) {
    const verdict = await next(offer, index)
    verdicts.push(verdict)
    settled?.(verdict)
  }
  return verdicts
}

/** An ack or an error, native or of HTTP. */
function readVerdict(answer: JsonValue | undefined, id: string): Verdict {
  if (!isJsonObject(answer ?? null)) throw new Error(`no verdict on ${id}`)
  const { event_id: of, type, accepted, status, seq, code, retry_after_ms: wait } = answer as JsonObject
  if (of !== undefined && of !== id) throw new Error(`verdict on ${id} expected, got one on ${of}`)
  if (type === 'ack' || accepted === true)
    return { id, isTaken: true, status: status as Status, seq: BigInt(Number(seq)) }
  return { id, isTaken: false, code: String(code), ...(wait !== undefined && { retryAfterMs: Number(wait) }) }
}

/** NIP-01 says the kept text behind a prefix. */
function codeOf(said: string): string {
  const text = said.replace(/^[a-z-]+: /, '')
  const codes = Object.keys(REJECTS) as RejectCode[]
  return codes.find((code) => REJECTS[code].error === text) ?? said
}
