/** The calls that an agent has taken over events (spec a2a 5): by author and frame id, with the answer for those who ask again. */
import type { JsonRecord } from '../model.js'
import type { OutgoingStream } from './outgoing-stream.js'

export interface EventCall {
  readonly author: string
  /** Of body and parameters: an id stands for one request. */
  readonly digest: string
  readonly abort: AbortController
  /** ms; it may be forgotten after it, unless it runs. */
  expiresAt: number
  isRunning: boolean
  response?: JsonRecord
  stream?: OutgoingStream
  bytes: number
}

export interface CallLimits {
  /** Under way for one author, 64 by default. */
  readonly maxRunning?: number
  /** Remembered in all, 50 000 by default, and of one author, 2 000. */
  readonly maxCalls?: number
  readonly maxPerAuthor?: number
  /** Bytes of answers that are kept, 32 MiB by default. */
  readonly maxBytes?: number
}

export const DEFAULT_CALLS: Required<CallLimits> = {
  maxRunning: 64,
  maxCalls: 50_000,
  maxPerAuthor: 2_000,
  maxBytes: 32 * 1024 * 1024,
}

export class EventCalls {
  readonly #calls = new Map<string, EventCall>()
  readonly #running = new Map<string, number>()
  readonly #perAuthor = new Map<string, number>()
  readonly #limits: Required<CallLimits>
  #bytes = 0

  constructor(limits: Required<CallLimits>) {
    this.#limits = limits
  }

  find(author: string, id: string): EventCall | undefined {
    return this.#calls.get(`${author} ${id}`)
  }

  /** Undefined when there is no room. */
  take(author: string, id: string, digest: string, now: number, expiresAt: number): EventCall | undefined {
    const { maxRunning, maxCalls, maxPerAuthor } = this.#limits
    const isFull = () => this.#calls.size >= maxCalls || (this.#perAuthor.get(author) ?? 0) >= maxPerAuthor
    if (isFull()) this.#forget(now)
    if (isFull() || (this.#running.get(author) ?? 0) >= maxRunning) return undefined
    const abort = new AbortController()
    const call: EventCall = { author, digest, abort, expiresAt, isRunning: true, bytes: 0 }
    this.#calls.set(`${author} ${id}`, call)
    count(this.#running, author, 1)
    count(this.#perAuthor, author, 1)
    return call
  }

  /** It has ended; a repetition after the answer was let go is dispatched again, which the engine knows by message id. */
  finish(call: EventCall, response?: JsonRecord): void {
    if (!call.isRunning) return
    call.isRunning = false
    count(this.#running, call.author, -1)
    if (response === undefined) return
    call.response = response
    call.bytes = JSON.stringify(response).length
    this.#bytes += call.bytes
    for (const [key, oldest] of this.#calls) {
      if (this.#bytes <= this.#limits.maxBytes) return
      if (!oldest.isRunning) this.#drop(key, oldest)
    }
  }

  all(): Iterable<EventCall> {
    return this.#calls.values()
  }

  #forget(now: number): void {
    for (const [key, call] of this.#calls) if (!call.isRunning && call.expiresAt <= now) this.#drop(key, call)
  }

  #drop(key: string, { author, bytes }: EventCall): void {
    this.#calls.delete(key)
    this.#bytes -= bytes
    count(this.#perAuthor, author, -1)
  }
}

function count(counts: Map<string, number>, author: string, by: number): void {
  const now = (counts.get(author) ?? 0) + by
  if (now === 0) counts.delete(author)
  else counts.set(author, now)
}
