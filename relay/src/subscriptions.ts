/** The subscriptions of one session: live ones in the index, replays under way (spec 4.1, 6.3, 7.1). */
import { type Filter, reject } from '@aetherkit/core'
import type { Bus } from './bus.js'
import { Delivery } from './deliver.js'
import { filterBytes } from './filter-size.js'
import { planReplay, Replay } from './replay.js'
import type { Reply, SubId } from './replies.js'
import type { Reader, View } from './view.js'

/** Whose subscriptions they are. */
export interface Subscriber extends Reader {
  say(reply: Reply): void
  deliver(subscription: Subscription, delivery: Delivery): void
  /** The peer reads too slowly to go on. */
  cut(): void
  readonly congested: boolean
}

/** What the index of live subscriptions holds. */
export class Subscription {
  readonly subscriber: Subscriber
  readonly id: SubId
  /** What its filters cost. */
  readonly bytes: number
  /** False while a replay catches up: live events wait for it in the ring. */
  live = false
  replay: Replay | undefined
  /** Whether the next step of the replay is scheduled; otherwise it waits for room in the outbox. */
  scheduled = false

  constructor(subscriber: Subscriber, id: SubId, bytes = 0) {
    this.subscriber = subscriber
    this.id = id
    this.bytes = bytes
  }
}

export class Subscriptions {
  readonly #bus: Bus
  readonly #subscriber: Subscriber
  readonly #byId = new Map<SubId, Subscription>()
  #view: View
  #replaying = 0
  /** Of the filters of all. */
  #bytes = 0

  constructor(bus: Bus, subscriber: Subscriber) {
    this.#bus = bus
    this.#subscriber = subscriber
    this.#view = bus.view(subscriber, false)
  }

  /** From now on subscriptions are for genuine Nostr events too (spec 9.3). */
  includeNostr(): void {
    this.#view = this.#bus.view(this.#subscriber, true)
  }

  /** Whether any replay is under way. */
  get replaying(): boolean {
    return this.#replaying > 0
  }

  /** The same id replaces. */
  subscribe(id: SubId, filters: readonly Filter[], after: string | undefined): void {
    const { access, limits } = this.#bus
    const { index, history } = this.#view
    const replaced = this.#byId.get(id)
    const bytes = filterBytes(filters)
    const refusal =
      replaced === undefined && this.#byId.size >= limits.maxSubscriptions
        ? reject('limit_exceeded', undefined, `at most ${limits.maxSubscriptions} subscriptions`)
        : this.#bytes - (replaced?.bytes ?? 0) + bytes > limits.maxFilterBytes
          ? reject('limit_exceeded', undefined, `at most ${limits.maxFilterBytes} bytes of filters`)
          : access.refuse(filters, this.#subscriber.peer)
    if (refusal !== undefined) {
      this.#subscriber.say({ type: 'error', reject: refusal, sub: id })
      return
    }
    this.#remove(id)
    const subscription = new Subscription(this.#subscriber, id, bytes)
    this.#byId.set(id, subscription)
    this.#bytes += bytes
    index.add(subscription, filters)
    const plan = planReplay(history, filters, after)
    this.#subscriber.say({ type: 'subscribed', sub: id, gap: plan?.gap ?? false })
    if (plan === undefined) {
      subscription.live = true
      return
    }
    subscription.replay = new Replay(history, plan, filters, this.#target(subscription))
    this.#replaying++
    this.#step(subscription)
  }

  /** Without a word. */
  drop(id: SubId): void {
    this.#remove(id)
  }

  unsubscribe(id: SubId): void {
    this.#remove(id)
    this.#subscriber.say({ type: 'unsubscribed', sub: id })
  }

  /** There is room in the outbox again. */
  relieved(): void {
    if (this.#replaying === 0) return
    for (const subscription of this.#byId.values()) {
      if (subscription.replay !== undefined && !subscription.scheduled) this.#step(subscription)
    }
  }

  /** Removes all; `closed` is said for each when a reason is given. */
  close(reason?: 'going_away'): void {
    for (const id of [...this.#byId.keys()]) {
      this.#remove(id)
      if (reason !== undefined) this.#subscriber.say({ type: 'closed', sub: id, reject: reject(reason) })
    }
  }

  #remove(id: SubId): void {
    const subscription = this.#byId.get(id)
    if (subscription === undefined) return
    this.#byId.delete(id)
    this.#bytes -= subscription.bytes
    this.#view.index.remove(subscription)
    this.#finish(subscription)
  }

  #finish(subscription: Subscription): void {
    if (subscription.replay !== undefined) this.#replaying--
    subscription.replay = undefined
  }

  #step(subscription: Subscription): void {
    subscription.scheduled = false
    const { replay } = subscription
    if (replay === undefined) return
    if (this.#advance(subscription, replay)) this.#finish(subscription)
    else if (!this.#subscriber.congested) {
      subscription.scheduled = true
      setImmediate(() => this.#step(subscription))
    }
  }

  /** True when the replay is over. A store that cannot be read ends the subscription, not the relay. */
  #advance(subscription: Subscription, replay: Replay): boolean {
    try {
      return replay.step()
    } catch (error) {
      this.#bus.observe({ type: 'fault', error })
      this.#remove(subscription.id)
      this.#subscriber.say({ type: 'closed', sub: subscription.id, reject: reject('unavailable') })
      return true
    }
  }

  #target(subscription: Subscription): ConstructorParameters<typeof Replay>[3] {
    const subscriber = this.#subscriber
    return {
      replayed: (stored, isStored) => subscriber.deliver(subscription, new Delivery(stored, isStored)),
      ended: (seam) => {
        const cursor = `${this.#bus.history.store.epoch}-${seam}`
        subscriber.say({ type: 'eose', sub: subscription.id, cursor })
      },
      live: () => {
        subscription.live = true
      },
      lost: () => subscriber.cut(),
      get congested() {
        return subscriber.congested
      },
    }
  }
}
