/** The events that a state is made of: found by name, read newest first in pages, published until they win (spec 2.3). */
import { createClock, type Filter, type Tag, tagValue, toHex, type VerifiedEvent } from '@aetherkit/core'
import type { Client } from './client.js'
import { deferred, within } from './deadline.js'
import { ClientError } from './errors.js'
import { Limiter } from './limiter.js'
import { STATE_KIND } from './state-names.js'

/** What a state needs of its client. */
export type StateClient = Pick<Client, 'publicKey' | 'publish' | 'query' | 'subscribe'>

export interface StateEventsOptions {
  /** Milliseconds for one publish or query. */
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
  /** Relays that must have stored a value. */
  readonly quorum: number
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** What is published of one name. */
export interface StateDraft {
  /** The `d` tag. */
  readonly name: string
  readonly tags: readonly Tag[]
  readonly content: Uint8Array
  readonly createdAt: bigint
}

/** Ephemeral (spec 2.1): our mark in the stream of what is written. */
const MARK_KIND = 21_079
/** Names in one filter: few enough to be answered from one moment of the store; relays take 1000 (spec 7.5). */
const NAMES = 50
/** Stored events a relay answers a filter with, at most (spec 7.5). */
const MAX_PAGE = 5000
/** Queries at a time: a connection has 256 subscriptions (spec 7.5), and they are the application's too. */
const MAX_QUERIES = 32
/** Bytes that wait for verdicts: a quarter of what a client takes. */
const MAX_PUBLISHED = 16 * 1024 * 1024

export class StateEvents {
  /** Nanoseconds, each value once. */
  readonly clock: () => bigint
  readonly #client: StateClient
  readonly #options: StateEventsOptions
  readonly #queries = new Limiter(MAX_QUERIES)
  readonly #publishes = new Limiter(MAX_PUBLISHED)

  constructor(client: StateClient, options: StateEventsOptions) {
    this.clock = createClock(options.now)
    this.#client = client
    this.#options = options
  }

  /** The winner of each name that has one, by name. */
  async byName(names: readonly string[]): Promise<Map<string, VerifiedEvent>> {
    const found = new Map<string, VerifiedEvent>()
    const all = [...new Set(names)]
    const batches: string[][] = []
    for (let at = 0; at < all.length; at += NAMES) batches.push(all.slice(at, at + NAMES))
    await Promise.all(
      batches.map(async (any) => {
        for (const event of await this.#query({ tags: [{ key: 'd', any }], limit: any.length }))
          found.set(tagValue(event, 'd') ?? '', event)
      }),
    )
    return found
  }

  /**
   * All events with the tag, newest first, at most `until`, a page at a time. One that is replaced meanwhile may be left
   * out, as it moves from where we have not been to where we have.
   */
  async *tagged(
    tag: Tag,
    { page, until }: { readonly page: number; readonly until?: bigint | undefined },
  ): AsyncGenerator<VerifiedEvent> {
    let limit = Math.min(page, MAX_PAGE)
    let last = until
    let seen = new Set<string>()
    for (;;) {
      const events = await this.#query({
        tags: [{ key: tag[0], any: tag.slice(1) }],
        limit,
        ...(last !== undefined && { until: last }),
      })
      const fresh = events.filter(({ id }) => !seen.has(id))
      yield* fresh
      const end = events.at(-1)?.createdAt
      if (end === undefined) return
      if (end !== last) seen = new Set()
      for (const event of events) if (event.createdAt === end) seen.add(event.id)
      last = end
      if (fresh.length > 0) continue
      // Nothing new at or before this time, unless the page was too small for all that have it.
      if (events.length < limit || limit === MAX_PAGE) return
      limit = MAX_PAGE
    }
  }

  /**
   * As `tagged`, and behind it what was written meanwhile. A mark of ours, published when all was read, tells when the
   * relay has delivered that: it comes behind everything that the reading may have missed (spec 7.4).
   */
  async *watched(
    tag: Tag,
    bounds: { readonly page: number; readonly until?: bigint | undefined },
  ): AsyncGenerator<VerifiedEvent> {
    const { timeoutMs, signal, quorum } = this.#options
    const mark = toHex(crypto.getRandomValues(new Uint8Array(16)))
    const tags = [{ key: tag[0], any: tag.slice(1) }]
    const filter = { kinds: [STATE_KIND, MARK_KIND], authors: [this.#client.publicKey], tags }
    const live = this.#client.subscribe(filter, { signal, outdated: true })
    try {
      const written = collect(live, (event) => event.kind === MARK_KIND && event.text === mark)
      await within(live.stored, { signal, timeoutMs }, late)
      yield* this.tagged(tag, bounds)
      await this.#client.publish(
        { kind: MARK_KIND, content: mark, tags: [tag] },
        { timeoutMs, signal, quorum },
      )
      yield* await within(written, { signal, timeoutMs }, late)
      if (live.gap) yield* this.tagged(tag, bounds)
    } finally {
      live.close()
    }
  }

  /**
   * Publishes under a name and tells whether it is now the winner everywhere. Resolves after the relays' verdicts:
   * `stored` is durable (spec 2.4).
   * @throws as `Client.publish`.
   */
  async publish({ name, tags, content, createdAt }: StateDraft): Promise<boolean> {
    const { timeoutMs, signal, quorum } = this.#options
    const template = { kind: STATE_KIND, content, createdAt, tags: [['d', name] as const, ...tags] }
    const publish = () => this.#client.publish(template, { timeoutMs, signal, quorum })
    const { relays } = await this.#publishes.run(content.length + 1024, publish)
    return !Object.values(relays).some((verdict) => verdict.ok && verdict.status === 'superseded')
  }

  async #query(filter: Filter): Promise<VerifiedEvent[]> {
    const { timeoutMs, signal } = this.#options
    const own = { ...filter, kinds: [STATE_KIND], authors: [this.#client.publicKey] }
    return this.#queries.run(1, () => this.#client.query(own, { timeoutMs, signal }))
  }
}

/** The state events up to the one that ends it; a rejection is for whoever awaits it. */
function collect(
  live: AsyncIterable<VerifiedEvent>,
  isLast: (event: VerifiedEvent) => boolean,
): Promise<VerifiedEvent[]> {
  const done = deferred<VerifiedEvent[]>()
  const read = async () => {
    const events: VerifiedEvent[] = []
    for await (const event of live) {
      if (isLast(event)) return events
      if (event.kind === STATE_KIND) events.push(event)
    }
    throw new ClientError('CLOSED')
  }
  read().then(done.resolve, done.reject)
  return done.promise
}

function late(): never {
  throw new ClientError('TIMEOUT')
}
