/**
 * One reader of `GET /v1/stream` (spec 7.3, 10.4): server-sent events.
 *
 *   id: <epoch>-<seq>                    where to go on: Last-Event-ID
 *   event: event | gap | eose | closed
 *   data: <JSON on one line>             of native messages
 *
 * Stored events that the filters ask for come newest first, so a place among them is no place to go on from: they have
 * no id, and a reader that breaks off there begins again. A reader that goes on from an id gets everything after it in
 * order, without an `eose`. Publishing never waits for a reader: one that takes too little is cut, and finds in ring
 * and store what it missed when it comes back.
 */
import type { ServerResponse } from 'node:http'
import { type RejectCode, reject, wantsReplay } from '@aetherkit/core'
import type { Bus } from '../bus.js'
import type { Delivery } from '../deliver.js'
import type { Peer } from '../policy.js'
import { type Reply, replyJson } from '../replies.js'
import { type Subscriber, type Subscription, Subscriptions } from '../subscriptions.js'
import type { HttpSubscription } from './http-subscriptions.js'

export interface StreamOptions {
  readonly bus: Bus
  readonly peer: Peer
  readonly response: ServerResponse
  readonly subscription: HttpSubscription
  readonly base64: boolean
  /** The reader is gone; `dropped`: frames that never left. */
  closed(reader: StreamReader, dropped: number): void
}

/** Above it a replay waits; as on WebSockets. Bytes. */
const CONGESTED_BYTES = 256 * 1024
/** A turn that brings more than this does not wait for its end. */
const BURST_BYTES = 128 * 1024

export class StreamReader implements Subscriber {
  readonly surface = 'stream'
  readonly since = performance.now()
  readonly peer: Peer
  readonly #options: StreamOptions
  readonly #subscriptions: Subscriptions
  readonly #epoch: string
  readonly #heartbeat: NodeJS.Timeout
  #pending: string[] = []
  #pendingBytes = 0
  /** Frames handed to the socket that it has not let go of. */
  #stuck = 0
  #stuckTicks = 0
  #queued = false
  #open = true
  /** Whether what comes now comes in order of seq, so that its id is a place to go on from. */
  #ordered = true
  /** Everything up to here was made a frame, written, and taken by the socket. */
  #sent: bigint | undefined
  #written: bigint | undefined
  #left: bigint | undefined
  #silent = true

  constructor(options: StreamOptions) {
    const { bus, response } = options
    this.#options = options
    this.peer = options.peer
    this.#subscriptions = new Subscriptions(bus, this)
    this.#epoch = bus.history.store.epoch
    this.#heartbeat = setInterval(() => this.#beat(), bus.limits.heartbeatMs)
    this.#heartbeat.unref()
    response.on('drain', () => this.#drained()).on('close', () => this.#close())
  }

  /** `after`: go on behind this cursor; absent: with what the filters ask of history. */
  start(after: string | undefined): void {
    const { id, filters } = this.#options.subscription
    this.#ordered = after !== undefined || !filters.some(wantsReplay)
    this.#subscriptions.subscribe(id, filters, after)
  }

  /** The subscription has new filters. */
  restart(): void {
    const { filters } = this.#options.subscription
    const isBehind = this.#subscriptions.replaying && this.#ordered && this.#sent !== undefined
    this.start(isBehind && !filters.some(wantsReplay) ? `${this.#epoch}-${this.#sent}` : undefined)
  }

  /** Ends the stream for a reason that the reader is told. */
  end(code: RejectCode): void {
    this.say({ type: 'closed', sub: this.#options.subscription.id, reject: reject(code) })
  }

  get congested(): boolean {
    return this.backlog > CONGESTED_BYTES
  }

  say(reply: Reply): void {
    const { id } = this.#options.subscription
    if (reply.type === 'subscribed') {
      if (!reply.gap) return
      this.#ordered = false
      this.#frame('gap', `{"type":"gap","sub_id":${JSON.stringify(id)}}`)
    } else if (reply.type === 'eose') {
      const wasOrdered = this.#ordered
      this.#ordered = true
      this.#sent = seqOf(reply.cursor)
      if (!wasOrdered) this.#frame('eose', replyJson(reply, this.#epoch), reply.cursor)
    } else if ('reject' in reply && this.#open) {
      // It is the end of the one subscription that there is here.
      this.#frame('closed', replyJson({ type: 'closed', sub: id, reject: reply.reject }, this.#epoch))
      this.#options.response.end(this.#take())
      this.#close()
    }
  }

  deliver(subscription: Subscription, delivery: Delivery): void {
    const { bus, base64 } = this.#options
    const message = delivery.message(String(subscription.id), base64)
    if (message === undefined) bus.observe({ type: 'undeliverable', peer: this.peer })
    else this.#frame('event', message, this.#ordered ? `${this.#epoch}-${delivery.seq}` : undefined)
    if (this.#ordered) this.#sent = delivery.seq
  }

  /** Nothing is left out silently: what was not sent is found by its cursor. */
  cut(): void {
    if (!this.#open) return
    this.#options.bus.observe({ type: 'slow_consumer', peer: this.peer })
    this.#options.response.destroy()
    this.#close()
  }

  #frame(event: string, data: string, id?: string): void {
    if (!this.#open) return
    const text = `${id === undefined ? '' : `id: ${id}\n`}event: ${event}\ndata: ${data}\n\n`
    this.#pending.push(text)
    this.#pendingBytes += Buffer.byteLength(text)
    this.#silent = false
    const { outboxBytes, outboxMessages } = this.#options.bus.limits
    if (this.backlog > outboxBytes || this.#pending.length + this.#stuck > outboxMessages) this.cut()
    else if (this.#pendingBytes >= BURST_BYTES) this.#flush()
    else if (!this.#queued) {
      this.#queued = true
      setImmediate(() => {
        this.#queued = false
        this.#flush()
      })
    }
  }

  /** One write for all that waits. */
  #flush(): void {
    if (!this.#open || this.#pending.length === 0 || this.#stuck > 0) return
    this.#stuck = this.#pending.length
    this.#written = this.#sent
    if (this.#options.response.write(this.#take())) this.#drained()
  }

  #take(): string {
    const text = this.#pending.join('')
    this.#pending = []
    this.#pendingBytes = 0
    return text
  }

  #drained(): void {
    this.#stuck = 0
    this.#stuckTicks = 0
    this.#left = this.#written
    this.#flush()
    if (this.#open && this.backlog <= CONGESTED_BYTES / 2) this.#subscriptions.relieved()
  }

  /** Bytes that the reader has not taken yet. */
  get backlog(): number {
    return this.#pendingBytes + this.#options.response.writableLength
  }

  /** Up to where a later reader need not look: undefined while stored events are still on their way. */
  get #place(): bigint | undefined {
    if (!this.#ordered) return undefined
    if (this.#pending.length + this.#stuck > 0) return this.#left
    return this.#subscriptions.replaying ? this.#sent : this.#options.bus.history.ring.last
  }

  /** A heartbeat after silence; it carries the place too, so that a quiet stream can be gone on with for long. */
  #beat(): void {
    if (this.#stuck > 0) {
      if (++this.#stuckTicks > 1) this.cut()
    } else if (this.#silent) {
      const place = this.#place
      const id = place === undefined ? '' : `id: ${this.#epoch}-${place}\n`
      this.#options.response.write(`: heartbeat\n${id}\n`)
    }
    this.#silent = true
  }

  #close(): void {
    if (!this.#open) return
    const dropped = this.#pending.length + this.#stuck
    const place = this.#place
    this.#open = false
    clearInterval(this.#heartbeat)
    this.#subscriptions.close()
    if (place !== undefined) this.#options.subscription.position = place
    this.#options.closed(this, dropped)
  }
}

function seqOf(cursor: string): bigint {
  return BigInt(cursor.slice(cursor.indexOf('-') + 1))
}
