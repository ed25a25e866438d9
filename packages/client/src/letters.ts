/**
 * The events of a mailbox that this process has: from which relays, whether the application has them, and which are
 * acked. One that several relays deliver is one letter. None is handed out when its time at the relays is over: it
 * comes again, to us or to another process. The application has at least half of that time for each.
 */
import type { VerifiedEvent } from '@aetherkit/core'
import { RecentIds } from './recent-ids.js'

/** One relay's delivery. */
export interface Delivered {
  readonly epoch: string | undefined
  readonly seq: bigint
  /** Of `performance.now()`. */
  readonly at: number
}

export class Letter {
  readonly event: VerifiedEvent
  deliveries = 0
  /** By relay URL. */
  readonly delivered = new Map<string, Delivered>()
  /** When the application was given it. */
  handedAt: number | undefined

  constructor(event: VerifiedEvent) {
    this.event = event
  }
}

export class Letters {
  readonly #ackTimeoutMs: number
  readonly #byId = new Map<string, Letter>()
  /** Not handed out, the first that came first. */
  readonly #waiting = new Set<Letter>()
  readonly #acked = new RecentIds({ keepMs: 3_600_000 })

  constructor(ackTimeoutMs: number) {
    this.#ackTimeoutMs = ackTimeoutMs
  }

  /** `acked`: the relay does not know yet that it is done. */
  take(
    event: VerifiedEvent,
    relay: string,
    delivered: Delivered,
    deliveries: number,
  ): 'waiting' | 'known' | 'acked' {
    if (this.#acked.has(event.id)) return 'acked'
    const known = this.#byId.get(event.id)
    const letter = known ?? new Letter(event)
    letter.delivered.set(relay, delivered)
    letter.deliveries = Math.max(letter.deliveries, deliveries)
    this.#byId.set(event.id, letter)
    // The application has it, and still has time.
    if (letter.handedAt !== undefined && delivered.at - letter.handedAt < this.#ackTimeoutMs / 2)
      return 'known'
    letter.handedAt = undefined
    this.#waiting.add(letter)
    return 'waiting'
  }

  /** The next for the application. */
  hand(): Letter | undefined {
    const now = performance.now()
    for (const letter of this.#waiting) {
      this.#waiting.delete(letter)
      const isLive = [...letter.delivered.values()].some(({ at }) => now - at < this.#ackTimeoutMs)
      if (isLive) {
        letter.handedAt = now
        return letter
      }
      this.#byId.delete(letter.event.id)
    }
    return undefined
  }

  /** Done: it will not be handed out again. */
  ack(letter: Letter): void {
    this.#acked.add(letter.event.id)
    this.forget(letter)
  }

  forget(letter: Letter): void {
    this.#waiting.delete(letter)
    if (this.#byId.get(letter.event.id) === letter) this.#byId.delete(letter.event.id)
  }

  /** The relay has taken back what it delivered; what the application has may still be acked there. */
  lost(relay: string): void {
    for (const letter of this.#waiting) {
      letter.delivered.delete(relay)
      if (letter.delivered.size === 0) this.forget(letter)
    }
  }
}
