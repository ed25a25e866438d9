/**
 * One open console: what its filters match, live and out of the store, as server-sent events. A console never holds up
 * the relay: it keeps the newest events of a moment and counts the others, and waits while the browser is slow.
 */
import type { ServerResponse } from 'node:http'
import { canonicalSize, type Filter } from '@aetherkit/core'
import type { Bus } from '../bus.js'
import type { Delivery } from '../deliver.js'
import type { Peer } from '../policy.js'
import type { Reply } from '../replies.js'
import { type Subscriber, type Subscription, Subscriptions } from '../subscriptions.js'
import type { EventsMessage, ShownEvent } from './console-data.js'
import { shownEvent } from './shown.js'

export interface ConsoleStreamOptions {
  readonly bus: Bus
  /** What it may not read as a peer like any other is not shown. */
  readonly peer: Peer
  readonly response: ServerResponse
  readonly filters: readonly Filter[]
  closed(stream: ConsoleStream): void
}

/** Events of one moment that are shown. */
const MAX_EVENTS = 60
/** An event above it is cut to what is shown as soon as it comes, not held as it is. Bytes. */
const MAX_HELD = 4096

export class ConsoleStream implements Subscriber {
  readonly surface = 'console'
  readonly since = performance.now()
  readonly peer: Peer
  /** The relay waits for no console: what it has no room for it counts. */
  readonly congested = false
  readonly #options: ConsoleStreamOptions
  readonly #subscriptions: Subscriptions
  #waiting: (Delivery | ShownEvent)[] = []
  #skipped = 0
  /** When the browser began to leave what was written; milliseconds of `performance.now()`. */
  #stuckSince: number | undefined
  #open = true
  readonly #sent = new Map<string, string>()

  constructor(options: ConsoleStreamOptions) {
    const { bus, peer, response } = options
    this.#options = options
    this.peer = peer
    response.on('close', () => this.#close())
    this.#subscriptions = new Subscriptions(bus, this)
    this.#subscriptions.includeNostr()
  }

  start(): void {
    this.#subscriptions.subscribe('console', this.#options.filters, undefined)
  }

  get backlog(): number {
    return this.#options.response.writableLength
  }

  say(reply: Reply): void {
    if ('reject' in reply) this.end(reply.reject)
  }

  deliver(_subscription: Subscription, delivery: Delivery): void {
    const isSmall = canonicalSize(delivery.event) <= MAX_HELD
    this.#waiting.push(isSmall ? delivery : shownEvent(delivery, delivery.stored))
    if (this.#waiting.length > 2 * MAX_EVENTS) this.#trim()
  }

  cut(): void {
    if (!this.#open) return
    this.#options.bus.observe({ type: 'slow_consumer', peer: this.peer })
    this.#options.response.destroy()
    this.#close()
  }

  /** The stream ends for a reason that the page is told. */
  end({ code, error }: { readonly code: string; readonly error: string }): void {
    if (!this.#open) return
    this.#frame('closed', JSON.stringify({ code, message: error }))
    this.#options.response.end()
    this.#close()
  }

  /** One moment has passed. Of `messages`, JSON by the name of the event, those that are new are sent. */
  tick(messages: ReadonlyMap<string, string>): void {
    if (!this.#open) return
    if (this.#options.response.writableNeedDrain) {
      this.#wait()
      return
    }
    this.#stuckSince = undefined
    for (const [event, data] of messages) {
      if (this.#sent.get(event) === data) continue
      this.#sent.set(event, data)
      this.#frame(event, data)
    }
    this.#trim()
    if (this.#waiting.length === 0) return
    const events = this.#waiting.map((each) => ('event' in each ? shownEvent(each, each.stored) : each))
    const message: EventsMessage = { events, skipped: this.#skipped }
    this.#waiting = []
    this.#skipped = 0
    this.#frame('events', JSON.stringify(message))
  }

  /** A browser may leave what was written as long as a reader of `/v1/stream` may: two heartbeats. */
  #wait(): void {
    const now = performance.now()
    this.#stuckSince ??= now
    if (now - this.#stuckSince > 2 * this.#options.bus.limits.heartbeatMs) this.cut()
  }

  #trim(): void {
    const over = this.#waiting.length - MAX_EVENTS
    if (over <= 0) return
    this.#skipped += over
    this.#waiting = this.#waiting.slice(over)
  }

  #frame(event: string, data: string): void {
    this.#options.response.write(`event: ${event}\ndata: ${data}\n\n`)
  }

  #close(): void {
    if (!this.#open) return
    this.#open = false
    this.#waiting = []
    this.#subscriptions.close()
    this.#options.closed(this)
  }
}
