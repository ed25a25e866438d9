/** What comes in (spec 12): verify, route to the feeds that want it, resubscribe when a relay is back. */
import {
  canonicalSize,
  type Event,
  type Reject,
  type RejectCode,
  type TagValues,
  tagValues,
  type VerifiedEvent,
} from '@aetherkit/core'
import type { Connection } from './connection.js'
import { ClientError } from './errors.js'
import { Feed, type FeedOptions, type Origin, type RelayState } from './feed.js'
import type { InFrame } from './format.js'
import { type Pressure, VerifyQueue } from './verify-queue.js'

/** How long the stored part waits for a relay that has not been reached yet, ms. */
const FIRST_MS = 2_000
/** Refusals that may pass: ask again after so many ms. */
const AGAIN_MS = 2_000
const PASSING: ReadonlySet<RejectCode> = new Set([
  'unavailable',
  'rate_limited',
  'slow_consumer',
  'timeout',
  'internal',
])

interface Link {
  readonly connection: Connection
  state: RelayState
  again: ReturnType<typeof setTimeout> | undefined
}

export class Receiver {
  readonly #links = new Map<string, Link>()
  readonly #feeds = new Map<number, Feed>()
  /** By relay: what was refused while the relay was being told who we are. */
  readonly #unproven = new Map<string, Set<Feed>>()
  readonly #queue: VerifyQueue
  readonly #onError: (error: ClientError) => void
  #lastSub = 0

  constructor(onError: (error: ClientError) => void) {
    this.#onError = onError
    this.#queue = new VerifyQueue((pressure) => this.#press(pressure))
  }

  add(connection: Connection): void {
    const again = setTimeout(() => this.down(connection), FIRST_MS)
    this.#links.set(connection.url, { connection, state: 'first', again })
  }

  /** Whether there is a session with any relay. */
  get connected(): boolean {
    return [...this.#links.values()].some(({ state }) => state === 'up')
  }

  open(options: Omit<FeedOptions, 'now'>): Feed {
    const now = BigInt(Date.now()) * 1_000_000n
    const feed = new Feed(++this.#lastSub, { ...options, now })
    this.#feeds.set(feed.sub, feed)
    for (const { connection } of this.#links.values()) this.#ask(connection, feed)
    this.#settle(feed)
    return feed
  }

  closeFeed(feed: Feed): void {
    if (feed.closed) return
    feed.closed = true
    this.#feeds.delete(feed.sub)
    for (const { connection } of this.#links.values()) connection.send({ type: 'unsubscribe', sub: feed.sub })
  }

  up(connection: Connection): void {
    this.#setState(connection, 'up')
    if (this.#queue.pressure !== 'low') connection.pause()
    for (const feed of this.#feeds.values()) this.#ask(connection, feed)
    this.#settleAll()
  }

  down(connection: Connection): void {
    this.#unproven.delete(connection.url)
    this.#setState(connection, 'down')
    this.#settleAll()
  }

  /** The relay has heard who we are: what it refused for want of that is asked again. */
  proven(connection: Connection): void {
    const unproven = this.#unproven.get(connection.url) ?? []
    this.#unproven.delete(connection.url)
    for (const feed of unproven) if (!feed.closed) this.#ask(connection, feed)
  }

  /** A number for something that is like a subscription. */
  nextSub(): number {
    return ++this.#lastSub
  }

  /** Runs with the event once it is verified, behind what came before. */
  verified(relay: string, event: Event, run: (event: VerifiedEvent) => void): void {
    this.#queue.run(() => {
      const verified = this.#queue.check(event)
      if (verified.ok) run(verified.event)
      else this.#refuse(relay, event, verified)
    }, canonicalSize(event))
  }

  /** True when the frame was one for us. What follows an event in the stream is handled after it. */
  frame(connection: Connection, frame: InFrame): boolean {
    switch (frame.type) {
      case 'deliver':
        this.#deliver(connection, frame)
        return true
      case 'subscribed':
      case 'end':
      case 'closed': {
        const { session } = connection
        this.#queue.run(() => {
          const feed = this.#feeds.get(frame.sub)
          if (feed !== undefined && session === connection.session) this.#control(connection, feed, frame)
        })
        return true
      }
      default:
        return false
    }
  }

  close(): void {
    this.#queue.close()
    for (const feed of [...this.#feeds.values()]) {
      this.closeFeed(feed)
      feed.sink.closed?.()
    }
    for (const link of this.#links.values()) clearTimeout(link.again)
  }

  #deliver(connection: Connection, frame: Extract<InFrame, { type: 'deliver' }>): void {
    const { event, subs, seq, stored } = frame
    const { url: relay, session } = connection
    this.#queue.run(() => {
      const live = subs.length === 0
      const ordered = !live || this.#feeds.size === 1
      const origin: Origin = { relay, epoch: session?.epoch, seq, stored, ordered }
      const feeds = this.#wanting(event, subs)
      if (feeds.some((feed) => feed.isNew(event.id))) {
        const verified = this.#queue.check(event)
        if (!verified.ok) {
          this.#refuse(relay, event, verified)
          return
        }
        for (const feed of feeds) feed.take(verified.event, origin)
      } else for (const feed of feeds) feed.skip(origin)
      if (live && seq !== undefined)
        for (const feed of this.#feeds.values()) feed.passed(relay, origin.epoch, seq)
    }, canonicalSize(event))
  }

  /** Too much to verify: stop reading. Who cannot is cut off, and goes on behind the cursors when there is time. */
  #press(pressure: Pressure): void {
    for (const { connection } of this.#links.values()) {
      if (pressure === 'high') connection.pause()
      else if (pressure === 'low') connection.resume()
      else connection.restart(new ClientError('DISCONNECTED', 'events came faster than they can be verified'))
    }
  }

  /** The feeds that asked for it: those the relay names, or all; but never one whose filters do not match. */
  #wanting(event: Event, subs: readonly number[]): Feed[] {
    let known: TagValues | undefined
    const tags = () => {
      known ??= tagValues(event)
      return known
    }
    const feeds = subs.length === 0 ? [...this.#feeds.values()] : subs.map((sub) => this.#feeds.get(sub))
    return feeds.filter((feed) => feed !== undefined).filter((feed) => feed.matches(event, tags))
  }

  #refuse(relay: string, event: Event, { code, error }: Reject): void {
    const message = `a relay delivered an invalid event, ${event.id}: ${error}`
    this.#onError(new ClientError('INVALID_EVENT', message, { relay, rejectCode: code }))
  }

  #control(
    connection: Connection,
    feed: Feed,
    frame: Extract<InFrame, { type: 'subscribed' | 'end' | 'closed' }>,
  ): void {
    const { url, session } = connection
    if (frame.type === 'subscribed') feed.subscribed(url, frame.gap)
    else if (frame.type === 'end') feed.ended(url, frame.cursor, session?.epoch)
    else if (PASSING.has(frame.code)) this.#askAgain(connection)
    else if (frame.code === 'auth_required' && this.#askProven(connection, feed)) return
    else if (frame.code !== 'going_away') {
      const facts = { relay: url, rejectCode: frame.code }
      const error = new ClientError('REJECTED', `the relay refused the subscription: ${frame.error}`, facts)
      feed.refused(url, error)
      this.#onError(error)
    }
    this.#settle(feed)
  }

  #ask(connection: Connection, feed: Feed): void {
    const { session, url } = connection
    if (session === undefined) return
    feed.proofs.set(url, connection.proofs)
    const asked = feed.ask(url, session.epoch === undefined)
    connection.send({ type: 'subscribe', sub: feed.sub, ...asked })
  }

  #askProven(connection: Connection, feed: Feed): boolean {
    const again = connection.again(feed.proofs.get(connection.url) ?? 0)
    if (again === 'now') this.#ask(connection, feed)
    if (again !== 'later') return again === 'now'
    const unproven = this.#unproven.get(connection.url) ?? new Set()
    this.#unproven.set(connection.url, unproven.add(feed))
    return true
  }

  /** Asks for every feed anew: the same number replaces, and each goes on behind its cursor. */
  #askAgain(connection: Connection): void {
    const link = this.#links.get(connection.url)
    if (link === undefined || link.again !== undefined) return
    link.again = setTimeout(() => {
      link.again = undefined
      for (const feed of this.#feeds.values()) this.#ask(connection, feed)
    }, AGAIN_MS)
  }

  #setState(connection: Connection, state: RelayState): void {
    const link = this.#links.get(connection.url)
    if (link === undefined) return
    link.state = state
    clearTimeout(link.again)
    link.again = undefined
  }

  #settleAll(): void {
    for (const feed of this.#feeds.values()) this.#settle(feed)
  }

  #settle(feed: Feed): void {
    feed.settle(new Map([...this.#links].map(([url, { state }]) => [url, state])))
  }
}
