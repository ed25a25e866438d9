/**
 * The relay: the stages of an event's way, wired in order (spec 3.1, 7.1).
 *
 *   socket -> session -> admit -> verify pool -> commit -> store, ring -> match -> deliver -> socket
 */
import { availableParallelism } from 'node:os'
import {
  blake3,
  type Event,
  exchangeKeys,
  generateSecretKey,
  type JsonObject,
  publicKeyOf,
  type Reject,
  writeJson,
} from '@aetherkit/core'
import { Gate } from './admit.js'
import type { Bus, RelayEvent } from './bus.js'
import { type Accepted, Committer } from './commit.js'
import type { Connection } from './connection.js'
import { Delivery } from './deliver.js'
import { isExpired } from './expiration.js'
import { infoDocument } from './info.js'
import { LIMITS, type Limits } from './limits.js'
import { SubscriptionIndex } from './match.js'
import { Pipeline } from './pipeline.js'
import { type Policy, saneDefaults } from './policy.js'
import { RecentIds } from './recent.js'
import type { History } from './replay.js'
import { Ring } from './ring.js'
import { Session } from './session.js'
import { serveSockets } from './socket.js'
import { openMemoryStore } from './store/memory.js'
import type { Store, StoredEvent } from './store/store.js'
import type { Subscription } from './subscriptions.js'
import { VerifyPool } from './verify-pool.js'

export interface RelayOptions {
  /** Default 127.0.0.1. */
  readonly host?: string
  /** Default 0: a free one, see {@link Relay.port}. */
  readonly port?: number
  /** Default: memory. The relay closes it, also when it cannot start. */
  readonly store?: Store
  /** Default {@link saneDefaults}. */
  readonly policies?: readonly Policy[]
  /** What differs from {@link LIMITS}. */
  readonly limits?: Partial<Limits>
  /** Events created longer ago are forwarded, not stored, and no longer shown. Nanoseconds; default: never. */
  readonly retentionNs?: bigint
  /** Threads that check signatures. Default: one a core, at most 8. */
  readonly verifyWorkers?: number
  /** Values of the `Origin` header that are let in. Default: all. */
  readonly origins?: readonly string[]
  /**
   * Ed25519 seed of the relay, 32 bytes. The X25519 key of noise-xx, which clients pin, is made from it.
   * Default: random.
   */
  readonly secretKey?: Uint8Array
  /** For the info document. */
  readonly name?: string
  /** Unix time in nanoseconds. */
  readonly now?: () => bigint
  /** Sees connects, verdicts and faults, never content. Must not throw. */
  readonly onEvent?: (event: RelayEvent) => void
}

export interface Relay {
  /** `ws://host:port`. */
  readonly url: string
  readonly port: number
  /** The info document (spec 10.6). */
  readonly info: JsonObject
  /** What is open now, for metrics. */
  stats(): { readonly connections: number; readonly subscriptions: number; readonly publishes: number }
  /** Publishes from inside, through every stage. Never rejects: a refusal is a value. */
  publish(event: Event): Promise<Accepted | Reject>
  /** Drains (spec 7.2): answers what is in flight, ends subscriptions, closes connections, then the store. */
  close(): Promise<void>
}

/** How long peers may take to agree to a close. */
const CLOSE_GRACE_MS = 2000
const MAX_WORKERS = 8
/** Sets the X25519 secret of a relay apart from its Ed25519 seed. */
const NOISE_CONTEXT = Buffer.from('aether relay noise-xx static key')

/**
 * Starts a relay.
 * @throws RangeError for bad options, the error of `listen` for a port that cannot be had.
 */
export async function createRelay(options: RelayOptions = {}): Promise<Relay> {
  const { retentionNs, onEvent, now = systemClock, policies = saneDefaults(), host = '127.0.0.1' } = options
  const limits: Limits = { ...LIMITS, ...options.limits }
  const store = options.store ?? openMemoryStore()
  const observe = (event: RelayEvent) => onEvent?.(event)

  const recent = new RecentIds(limits.recentMs)
  const ring = new Ring({ start: store.lastSeq })
  const index = new SubscriptionIndex<Subscription>()
  const oldest = () => (retentionNs === undefined ? undefined : now() - retentionNs)
  const isPast = (event: Event) => event.createdAt < (oldest() ?? 0n)
  const isHidden = (event: Event) => isPast(event) || isExpired(event, now())
  const history: History = { store, ring, limits, isHidden, oldest }

  const gate = new Gate({ limits, policies, recent, store, now })
  const pool = new VerifyPool({
    workers: options.verifyWorkers ?? Math.min(availableParallelism(), MAX_WORKERS),
  })
  const committer = new Committer({
    store,
    recent,
    isPast,
    dispatch(stored, kept) {
      ring.push(stored, kept)
      deliverAll(index, stored, observe)
    },
    failed: (error) => observe({ type: 'store_failed', error }),
  })
  const pipeline = new Pipeline({ gate, pool, committer, observe })
  const secretKey = options.secretKey ?? generateSecretKey()
  const noiseSecret = blake3(Buffer.concat([NOISE_CONTEXT, secretKey]))
  const info = infoDocument({
    name: options.name ?? 'AetherKit relay',
    epoch: store.epoch,
    limits,
    noisePublicKey: exchangeKeys(noiseSecret).publicKey,
    publicKey: publicKeyOf(secretKey),
    policies,
    retentionNs,
  })
  const bus: Bus = {
    ...{ limits, history, index, noiseSecret, observe },
    publish: (event, rounded, peer, publisher) => pipeline.publish(event, rounded, peer, publisher),
    info: () => info,
  }
  const sessions = new Sessions(bus)
  const server = await serveSockets({
    ...{ host, port: options.port ?? 0, limits, origins: options.origins },
    onConnection: (connection) => sessions.add(connection),
    info: () => writeJson(info),
  }).catch(async (error: unknown) => {
    await Promise.all([pool.close(), store.close()])
    throw error
  })
  let closing: Promise<void> | undefined

  async function close(): Promise<void> {
    server.stop()
    await pipeline.drain()
    sessions.farewell()
    await server.close(CLOSE_GRACE_MS)
    await Promise.all([pool.close(), store.close()])
  }

  return {
    url: `ws://${host.includes(':') ? `[${host}]` : host}:${server.port}`,
    port: server.port,
    info,
    stats: () => ({
      connections: sessions.size,
      subscriptions: index.size,
      publishes: pipeline.underWay,
    }),
    publish: (event) =>
      new Promise((settle) => {
        pipeline.publish(event, undefined, { id: 0, address: 'inside' }, { settle, done() {} })
      }),
    close: () => (closing ??= close()),
  }
}

/** To every live subscription that wants it; the forms are made once. */
function deliverAll(
  index: SubscriptionIndex<Subscription>,
  stored: StoredEvent,
  observe: (event: RelayEvent) => void,
): void {
  const groups = index.match(stored.event)
  if (groups.length === 0) return
  const delivery = new Delivery(stored, false)
  for (const group of groups) {
    for (const subscription of group) {
      if (!subscription.live) continue
      try {
        subscription.subscriber.deliver(subscription, delivery)
      } catch (error) {
        observe({ type: 'fault', error })
        subscription.subscriber.cut()
      }
    }
  }
}

/** The sessions of all open connections. */
class Sessions {
  readonly #bus: Bus
  readonly #open = new Set<Session>()

  constructor(bus: Bus) {
    this.#bus = bus
  }

  add(connection: Connection): void {
    const session = new Session(this.#bus, connection, (ended) => {
      this.#open.delete(ended)
      this.#bus.observe({ type: 'disconnected', peer: ended.peer, connections: this.#open.size })
    })
    connection.listener = session
    this.#open.add(session)
    this.#bus.observe({ type: 'connected', peer: session.peer, connections: this.#open.size })
  }

  get size(): number {
    return this.#open.size
  }

  farewell(): void {
    for (const session of this.#open) session.farewell()
  }
}

function systemClock(): bigint {
  return BigInt(Date.now()) * 1_000_000n
}
