/**
 * `POST /v1/events` (spec 10.1): one event, or a batch as a JSON array or as NDJSON. Every event goes through the one
 * pipeline of the relay and gets a verdict of its own; in a batch one that is refused hinders no other.
 */
import {
  type Event,
  hasDuplicateKeys,
  isJsonObject,
  type JsonValue,
  parseHex,
  parseJson,
  REJECTS,
  type Reject,
  readEvent,
  reject,
  writeJson,
} from '@aetherkit/core'
import type { Bus } from '../bus.js'
import type { Accepted } from '../commit.js'
import type { Peer } from '../policy.js'
import { NDJSON_TYPE, Refused, rejectOf, sendJson, setRetryAfter } from './http-answer.js'
import { bodyFormat, readText, readValue } from './http-body.js'
import { type Exchange, featuresOf, wants } from './http-routes.js'
import { gatewayReject, gatewayText } from './wording.js'

/** What is said of one event. */
type Verdict = Readonly<Record<string, unknown>>

type Item = { readonly ok: true; readonly event: Event; readonly rounded?: bigint } | Unread
type Unread = Reject & { readonly eventId?: string | undefined }

export async function publishEvents(bus: Bus, exchange: Exchange): Promise<void> {
  const { request, response, peer, search } = exchange
  const base64 = featuresOf(search).has('base64')
  let items: readonly Item[] | Item
  try {
    items = await readItems(exchange, bus, base64)
  } catch (error) {
    // Whatever is refused here is a refused publish, also when not even the body could be read.
    if (!(error instanceof Refused)) throw error
    items = error.reject
  }
  for (const item of [items].flat()) if (!item.ok) bus.observe({ type: 'rejected', peer, code: item.code })
  if (!isBatch(items)) {
    const verdict = items.ok ? await publish(bus, items, peer) : items
    if (!verdict.ok) setRetryAfter(response, verdict.retryAfterMs)
    sendJson(response, verdict.ok ? 200 : REJECTS[verdict.code].http, say(bus, items, verdict))
    return
  }
  const verdicts = await publishAll(bus, items, peer)
  if (wants(request, NDJSON_TYPE)) {
    response.setHeader('content-type', NDJSON_TYPE)
    response.end(verdicts.map((verdict) => `${writeJson(verdict)}\n`).join(''))
  } else sendJson(response, 200, { results: verdicts })
}

async function readItems(
  exchange: Exchange,
  { limits }: Bus,
  base64: boolean,
): Promise<readonly Item[] | Item> {
  const format = bodyFormat(exchange.request)
  const text = await readText(exchange, limits)
  const depth = limits.maxJsonDepth
  if (format === 'ndjson') {
    const lines = text.split('\n').filter((line) => line.trim() !== '')
    assertBatch(lines.length, limits.maxBatch)
    return lines.map((line) => {
      const parsed = parseJson(line, { maxDepth: depth })
      if (parsed.ok) return readItem(parsed.value, base64)
      return gatewayReject('invalid_message', 'payload must be object', parsed.detail)
    })
  }
  const value = readValue(text, depth + 1)
  if (!Array.isArray(value)) return readItem(value, base64)
  assertBatch(value.length, limits.maxBatch)
  return value.map((item) => readItem(item, base64))
}

/** `{event}` or a bare event. */
function readItem(value: JsonValue, base64: boolean): Item {
  if (!isJsonObject(value)) return gatewayReject('invalid_message', 'payload must be object')
  if ('event' in value && hasDuplicateKeys(value))
    return gatewayReject('invalid_message', 'payload must be object', 'duplicate key')
  const event = 'event' in value ? value.event : value
  if (!isJsonObject(event)) return gatewayReject('invalid_event', 'event must be object')
  const read = readEvent(event, { base64 })
  return read.ok ? read : { ...read, eventId: parseHex(event.event_id, 32) }
}

function assertBatch(length: number, most: number): void {
  if (length > most) throw new Refused(reject('limit_exceeded', undefined, `at most ${most} events at once`))
}

function isBatch(items: readonly Item[] | Item): items is readonly Item[] {
  return Array.isArray(items)
}

/** In the order of the batch, a window of them under way at a time (spec 7.3). */
async function publishAll(bus: Bus, items: readonly Item[], peer: Peer): Promise<readonly Verdict[]> {
  const verdicts: Verdict[] = []
  const window = bus.limits.unackedPublishes
  for (let i = 0; i < items.length; i += window) {
    const part = items.slice(i, i + window)
    const settled = await Promise.all(part.map((item) => (item.ok ? publish(bus, item, peer) : item)))
    settled.forEach((verdict, at) => {
      verdicts.push(say(bus, part[at], verdict))
    })
  }
  return verdicts
}

/** Never rejects. */
function publish(bus: Bus, { event, rounded }: Item & { ok: true }, peer: Peer): Promise<Accepted | Reject> {
  return new Promise((settle) => {
    try {
      bus.publish(event, rounded, peer, { settle, done() {} })
    } catch (error) {
      bus.observe({ type: 'fault', error })
      settle(rejectOf(error))
    }
  })
}

function say(bus: Bus, item: Item | undefined, verdict: Accepted | Reject): Verdict {
  const eventId = item?.ok === true ? item.event.id : item?.eventId
  if (!verdict.ok) {
    const { code, detail, retryAfterMs } = verdict
    return {
      ...{ accepted: false, error: 'validation_failed', message: gatewayText(verdict), code, detail },
      ...{ event_id: eventId, retry_after_ms: retryAfterMs },
    }
  }
  const { status, seq } = verdict
  // Seq 0 is none: a duplicate known by its id only.
  const place = seq === 0n ? {} : { seq, cursor: `${bus.history.store.epoch}-${seq}` }
  return { accepted: true, event_id: eventId, message: 'accepted', status, ...place }
}
