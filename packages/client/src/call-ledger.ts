/**
 * The calls an agent has taken, by caller and id, so that each runs at most once: a repeated request gets the answer of
 * the first. An entry stays until no relay can bring the request again: its deadline, and twice the minute that clocks
 * may differ. Bounded: a full ledger refuses new calls and forgets none; of answers the oldest are let go first.
 */
import type { CallReply } from './call-message.js'

/** Calls remembered, in all and of one caller. */
const MAX_CALLS = 10_000
const MAX_CALLS_OF_ONE = 1_000
/** Bytes of the answers kept. */
const MAX_REPLY_BYTES = 32 * 1024 * 1024
/** By how much two clocks may differ; ephemeral events of an older time are refused by relays too (spec 3.1). */
export const CLOCK_MS = 60_000

export interface Call {
  /** Of action and payload: an id stands for one request. */
  readonly digest: string
  /** Time, ms, from which it may be forgotten. */
  expires: number
  /** `gone`: it was answered, and the answer was let go. */
  state: 'running' | 'gone' | CallReply
  bytes: number
}

export class CallLedger {
  readonly #calls = new Map<string, Call>()
  readonly #perCaller = new Map<string, number>()
  #replyBytes = 0

  find(caller: string, id: string): Call | undefined {
    return this.#calls.get(`${caller}${id}`)
  }

  /** A new running call; undefined when there is no room. `now` and `expires` in ms. */
  take(caller: string, id: string, digest: string, now: number, expires: number): Call | undefined {
    const ofCaller = this.#perCaller.get(caller) ?? 0
    if (this.#calls.size >= MAX_CALLS || ofCaller >= MAX_CALLS_OF_ONE) this.#forget(now)
    const count = this.#perCaller.get(caller) ?? 0
    if (this.#calls.size >= MAX_CALLS || count >= MAX_CALLS_OF_ONE) return undefined
    const call: Call = { digest, expires, state: 'running', bytes: 0 }
    this.#calls.set(`${caller}${id}`, call)
    this.#perCaller.set(caller, count + 1)
    return call
  }

  /** Keeps the answer for those who ask again. */
  answer(call: Call, reply: CallReply): void {
    call.state = reply
    call.bytes = JSON.stringify(reply).length
    this.#replyBytes += call.bytes
    for (const oldest of this.#calls.values()) {
      if (this.#replyBytes <= MAX_REPLY_BYTES) return
      if (typeof oldest.state === 'string') continue
      this.#replyBytes -= oldest.bytes
      oldest.bytes = 0
      oldest.state = 'gone'
    }
  }

  #forget(now: number): void {
    for (const [key, call] of this.#calls) {
      if (call.state === 'running' || call.expires > now) continue
      this.#calls.delete(key)
      this.#replyBytes -= call.bytes
      const caller = key.slice(0, 64)
      const left = (this.#perCaller.get(caller) ?? 1) - 1
      if (left === 0) this.#perCaller.delete(caller)
      else this.#perCaller.set(caller, left)
    }
  }
}
