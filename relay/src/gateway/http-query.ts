/**
 * Stored events over HTTP (spec 2.7, 10.1): one by id, pages with a `next` cursor, and an export as NDJSON. Answers are
 * written as fast as they are read: none is held in memory as a whole.
 */
import type { ServerResponse } from 'node:http'
import { type Filter, parseHex, reject, writeEvent } from '@aetherkit/core'
import type { Bus } from '../bus.js'
import type { StoredEvent } from '../store/store.js'
import { type Reached, storedEvents } from '../stored-events.js'
import { JSON_TYPE, NDJSON_TYPE, Refused, sendJson, sendReject } from './http-answer.js'
import { readObject } from './http-body.js'
import { assertReadable, readFilters, readQueryFilters } from './http-filters.js'
import { type Exchange, featuresOf, wants } from './http-routes.js'
import { gatewayReject } from './wording.js'

/** Text collected before it is written. Bytes, about. */
const CHUNK = 64 * 1024
/** Events after which others have their turn. */
const STEP = 256
const PARAMETERS: ReadonlySet<string> = new Set(['next', 'features'])

/** `GET /v1/events/{id}` */
export function getEvent(bus: Bus, { response, parameters, search, peer }: Exchange): void {
  const { history } = bus.view({ peer }, false)
  const id = parseHex(parameters.id, 32)
  const stored = id === undefined ? undefined : history.store.get(id)
  const isShown = stored !== undefined && !history.isHidden(stored.event)
  const text = isShown ? writeEvent(stored.event, { base64: featuresOf(search).has('base64') }) : undefined
  if (text === undefined) sendReject(response, reject('not_found'))
  else sendJson(response, 200, text)
}

/** `GET /v1/query` */
export async function getQuery(bus: Bus, exchange: Exchange): Promise<void> {
  const { search } = exchange
  const filters = readQueryFilters(search, bus.limits, PARAMETERS)
  await answer(bus, exchange, filters, search.get('next') ?? undefined)
}

/** `POST /v1/query` */
export async function postQuery(bus: Bus, exchange: Exchange): Promise<void> {
  const body = await readObject(exchange, bus.limits)
  const next = body.next ?? undefined
  if (next !== undefined && typeof next !== 'string') throw badNext()
  await answer(bus, exchange, readFilters(body.filters, bus.limits), next)
}

async function answer(
  bus: Bus,
  { request, response, search, peer }: Exchange,
  filters: readonly Filter[],
  next: string | undefined,
): Promise<void> {
  const { limits } = bus
  assertReadable(bus, filters, peer)
  const { history } = bus.view({ peer }, false)
  const isExport = wants(request, NDJSON_TYPE)
  const from = next === undefined ? undefined : readNext(next, filters.length)
  const base64 = featuresOf(search).has('base64')
  const events = storedEvents(history, filters, {
    seam: history.ring.last,
    unlimited: isExport,
    ...(from !== undefined && { from }),
  })
  // The first read tells whether the store can be read at all, while there is still a status to choose.
  const first = events.next()
  response.setHeader('content-type', isExport ? NDJSON_TYPE : JSON_TYPE)
  if (request.method === 'HEAD') {
    response.end()
    return
  }
  const writer = new TextWriter(response, limits.bodyMs)
  if (!isExport) writer.add('{"events":[')
  let separator = ''
  let read = 0
  let result = first
  for (; result.done !== true; result = events.next()) {
    const text = writeEvent((result.value satisfies StoredEvent).event, { base64 })
    if (text !== undefined) writer.add(isExport ? `${text}\n` : `${separator}${text}`)
    separator = ','
    if (++read % STEP === 0) await new Promise(setImmediate)
    if (writer.isFull && !(await writer.flush())) return
  }
  if (!isExport) writer.add(`],"next":${JSON.stringify(writeNext(result.value))}}`)
  if (await writer.flush()) response.end()
}

/**
 * A cursor: how far each filter was read, `<created_at>:<id>`, or `-` for to its end. Opaque to
 * clients. Null when all is read.
 */
function writeNext(reached: readonly Reached[]): string | null {
  if (reached.every((place) => place === 'end')) return null
  const places = reached.map((place) => (typeof place === 'string' ? '-' : `${place.createdAt}:${place.id}`))
  return Buffer.from(places.join(',')).toString('base64url')
}

/** @throws Refused `invalid_message` for what no page of so many filters gave. */
function readNext(next: string, filters: number): readonly Reached[] {
  const places = Buffer.from(next, 'base64url').toString('latin1').split(',')
  if (places.length !== filters) throw badNext()
  return places.map((place) => {
    if (place === '-') return 'end'
    const [, createdAt, id] = /^([0-9]{1,20}):([0-9a-f]{64})$/.exec(place) ?? []
    if (createdAt === undefined || id === undefined || BigInt(createdAt) >= 1n << 64n) throw badNext()
    return { createdAt: BigInt(createdAt), id }
  })
}

function badNext(): Refused {
  return new Refused(gatewayReject('invalid_message', 'payload must be object', 'next is from another query'))
}

/** Writes text in chunks at the reader's pace. */
class TextWriter {
  readonly #response: ServerResponse
  readonly #stallMs: number
  #text = ''

  /** A reader that takes nothing for `stallMs` is cut. */
  constructor(response: ServerResponse, stallMs: number) {
    this.#response = response
    this.#stallMs = stallMs
  }

  get isFull(): boolean {
    return this.#text.length >= CHUNK
  }

  add(text: string): void {
    this.#text += text
  }

  /** Resolves when there is room again; false when the reader is gone. */
  async flush(): Promise<boolean> {
    const response = this.#response
    if (response.destroyed) return false
    const text = this.#text
    this.#text = ''
    if (text === '' || response.write(text)) return true
    const stalled = setTimeout(() => response.destroy(), this.#stallMs)
    const isOpen = await new Promise<boolean>((resolve) => {
      const drained = () => settle(true)
      const closed = () => settle(false)
      const settle = (open: boolean) => {
        response.off('drain', drained).off('close', closed)
        resolve(open)
      }
      response.on('drain', drained).on('close', closed)
    })
    clearTimeout(stalled)
    return isOpen
  }
}
