/**
 * One open console: what its filters match, live and out of the store, as server-sent events. A console never holds up
 * the relay: it keeps the newest events of a moment and counts the others, and waits while the browser is slow.
 */
import type { ServerResponse } from 'node:http'
import type { Filter } from '@aetherkit/core'
import type { Bus } from '../bus.js'
import type { Delivery } from '../deliver.js'
import type { Peer } from '../policy.js'
import type { Reply } from '../replies.js'
import { type Subscriber, type Subscription, Subscriptions } from '../subscriptions.js'
import type { EventsMessage } from './console-data.js'
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
/** Moments that a browser may leave what was written. */
const MAX_STUCK = 120

export class ConsoleStream implements Subscriber {
  readonly peer: Peer
  /** The relay waits for no console: what it has no room for it counts. */
  readonly congested = false
  readonly #options: ConsoleStreamOptions
  readonly #subscriptions: Subscriptions
  #deliveries: Delivery[] = []
  #skipped = 0
  #stuck = 0
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
    this.#deliveries.push(delivery)
    if (this.#deliveries.length > 2 * MAX_EVENTS) this.#trim()
  }

  cut(): void {
    this.#options.response.destroy()
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
      if (++this.#stuck > MAX_STUCK) this.cut()
      return
    }
    this.#stuck = 0
    for (const [event, data] of messages) {
      if (this.#sent.get(event) === data) continue
      this.#sent.set(event, data)
      this.#frame(event, data)
    }
    this.#trim()
    if (this.#deliveries.length === 0) return
    const events = this.#deliveries.map((delivery) => shownEvent(delivery, delivery.stored))
    const message: EventsMessage = { events, skipped: this.#skipped }
    this.#deliveries = []
    this.#skipped = 0
    this.#frame('events', JSON.stringify(message))
  }

  #trim(): void {
    const over = this.#deliveries.length - MAX_EVENTS
    if (over <= 0) return
    this.#skipped += over
    this.#deliveries = this.#deliveries.slice(over)
  }

  #frame(event: string, data: string): void {
    this.#options.response.write(`event: ${event}\ndata: ${data}\n\n`)
  }

  #close(): void {
    if (!this.#open) return
    this.#open = false
    this.#deliveries = []
    this.#subscriptions.close()
    this.#options.closed(this)
  }
}
