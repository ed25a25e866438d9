/**
 * A subscription as the application reads it (spec 7.4, 12): an AsyncIterable of verified events, each once, whatever
 * the number of relays, with a mark behind the stored part. What is not read yet is buffered up to a bound; beyond it
 * the iteration ends with SLOW_CONSUMER: an event is never left out silently.
 */
import { canonicalSize, type Filter, type VerifiedEvent } from '@aetherkit/core'
import { type Deferred, deferred } from './deadline.js'
import { ClientError } from './errors.js'
import type { Feed, FeedSink } from './feed.js'
import type { Receiver } from './receive.js'

export interface SubscribeOptions {
  /** Ends the subscription; the iteration then throws the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Cursors of {@link Subscription.cursors}, by relay URL: continue behind them. */
  readonly after?: Readonly<Record<string, string>> | undefined
  /**
   * Hand out all that comes: also a version of a replaceable event that is older than one handed out before, and, where
   * no stored events were asked for, events more than a minute older than the subscription.
   */
  readonly outdated?: boolean | undefined
  /** Unread events to keep, default 10 000. Their bytes are bounded by 64 MiB. */
  readonly maxBuffer?: number | undefined
  /** Hears of every relay that could not continue without loss. */
  readonly onGap?: ((relay: string) => void) | undefined
}

export interface Subscription extends AsyncIterable<VerifiedEvent> {
  /** Resolves behind the stored events of every connected relay, also when the subscription ends. Never rejects. */
  readonly stored: Promise<void>
  /** Whether a relay could not continue without loss, so that events may be missing. */
  readonly gap: boolean
  /** How far the consumer has read, by relay URL, for `after`. */
  readonly cursors: Readonly<Record<string, string>>
  /** Ends it: the iteration finishes behind what is buffered. */
  close(): void
}

const MAX_BUFFER = 10_000
const MAX_BYTES = 64 * 1024 * 1024

interface Item {
  readonly event: VerifiedEvent
  readonly bytes: number
  /** Relay and cursor to note once the event is read. */
  readonly cursors: Map<string, string>
}

/** What a subscription needs of its client. */
export interface SubscriptionHost {
  readonly receiver: Receiver
  /** Hears of callbacks that throw. */
  threw(error: unknown): void
}

type Result = IteratorResult<VerifiedEvent, undefined>

export class BufferedSubscription implements Subscription {
  readonly stored: Promise<void>
  gap = false
  readonly #host: SubscriptionHost
  readonly #feed: Feed
  readonly #options: SubscribeOptions
  readonly #cursors: Record<string, string>
  readonly #mark = deferred<void>()
  readonly #onAbort = () => this.#end(true, { error: this.#options.signal?.reason })
  #items: Item[] = []
  #next = 0
  #bytes = 0
  #readers: Deferred<Result>[] = []
  #ended: { readonly error?: unknown } | undefined

  /** @throws RangeError for a buffer of less than one event. */
  constructor(host: SubscriptionHost, filters: readonly Filter[], options: SubscribeOptions) {
    const { after, outdated, signal, maxBuffer = MAX_BUFFER } = options
    if (!(maxBuffer >= 1)) throw new RangeError(`maxBuffer must be 1 or more, got ${maxBuffer}`)
    this.stored = this.#mark.promise
    this.#host = host
    this.#options = options
    this.#cursors = { ...after }
    this.#feed = host.receiver.open({ filters, after, outdated, sink: this.#sink(maxBuffer) })
    if (signal?.aborted === true) this.#onAbort()
    else signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  get cursors(): Readonly<Record<string, string>> {
    return { ...this.#cursors }
  }

  close(): void {
    this.#end(false, {})
  }

  [Symbol.asyncIterator](): AsyncIterator<VerifiedEvent, undefined> {
    return {
      next: () => this.#read(),
      return: async () => {
        this.#end(true, {})
        return { done: true, value: undefined }
      },
    }
  }

  #sink(maxBuffer: number): FeedSink {
    return {
      event: (event, { relay, cursor }) => this.#push(event, relay, cursor, maxBuffer),
      moved: (relay, cursor) => this.#moved(relay, cursor),
      gap: (relay) => {
        this.gap = true
        try {
          this.#options.onGap?.(relay)
        } catch (error) {
          this.#host.threw(error)
        }
      },
      stored: () => this.#mark.resolve(),
      failed: (error) => this.#end(false, { error }),
      closed: () => this.#end(false, {}),
    }
  }

  #push(event: VerifiedEvent, relay: string, cursor: string | undefined, maxBuffer: number): void {
    const reader = this.#readers.shift()
    if (reader !== undefined) {
      if (cursor !== undefined) this.#cursors[relay] = cursor
      reader.resolve({ done: false, value: event })
      return
    }
    const bytes = canonicalSize(event)
    if (this.#items.length - this.#next >= maxBuffer || this.#bytes + bytes > MAX_BYTES) {
      this.#end(false, { error: new ClientError('SLOW_CONSUMER') })
      return
    }
    this.#bytes += bytes
    this.#items.push({ event, bytes, cursors: new Map(cursor === undefined ? [] : [[relay, cursor]]) })
  }

  /** The place counts once what is buffered before it is read. */
  #moved(relay: string, cursor: string): void {
    const last = this.#items.at(-1)
    if (last === undefined) this.#cursors[relay] = cursor
    else last.cursors.set(relay, cursor)
  }

  #read(): Promise<Result> {
    const item = this.#items[this.#next]
    if (item !== undefined) {
      if (++this.#next === this.#items.length || this.#next === 1024) {
        this.#items = this.#items.slice(this.#next)
        this.#next = 0
      }
      this.#bytes -= item.bytes
      for (const [relay, cursor] of item.cursors) this.#cursors[relay] = cursor
      return Promise.resolve({ done: false, value: item.event })
    }
    const reader = deferred<Result>()
    this.#readers.push(reader)
    if (this.#ended !== undefined) this.#dismiss(this.#ended)
    return reader.promise
  }

  #end(discard: boolean, ended: { readonly error?: unknown }): void {
    if (discard) {
      this.#items = []
      this.#next = this.#bytes = 0
    }
    if (this.#ended !== undefined) return
    this.#ended = ended
    this.#host.receiver.closeFeed(this.#feed)
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#mark.resolve()
    this.#dismiss(ended)
  }

  /** An error is thrown once; after it, as after a close, the iteration is done. */
  #dismiss(ended: { readonly error?: unknown }): void {
    const [first, ...others] = this.#readers.splice(0)
    if (first === undefined) return
    if ('error' in ended) {
      this.#ended = {}
      first.reject(ended.error)
    } else first.resolve({ done: true, value: undefined })
    for (const reader of others) reader.resolve({ done: true, value: undefined })
  }
}
