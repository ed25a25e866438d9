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
} from '@aetherkit/core'
import { Access, writeGate } from './access.js'
import { Admission } from './admission.js'
import { Gate } from './admit.js'
import type { Bus, RelayEvent } from './bus.js'
import { type Accepted, Committer } from './commit.js'
import { AdminToken, assertAdminToken } from './console/admin-token.js'
import { isExpired } from './expiration.js'
import type { Gateway, GatewayHost, RelayStats } from './gateway/gateway.js'
import type { HttpPorts } from './gateway/http.js'
import { openNostrGateway } from './gateway/nostr.js'
import { openNostrStore } from './gateway/nostr-store.js'
import { FEATURES } from './handshake.js'
import { infoDocument } from './info.js'
import { authority } from './listener.js'
import { deliverLive } from './live.js'
import { memoryMailboxes } from './mailbox/mailbox-file.js'
import { Mailboxes } from './mailbox/mailboxes.js'
import { openNativePort, Sessions } from './native.js'
import { Pipeline } from './pipeline.js'
import { type AsyncPolicy, Judges } from './policy/async-policy.js'
import { Capabilities } from './policy/capability-policy.js'
import { Realms } from './realm.js'
import { RecentIds } from './recent.js'
import type { RelayOptions } from './relay-options.js'
import { Retention } from './retention.js'
import { type RelayChanges, Settings } from './settings.js'
import { Sockets } from './socket.js'
import { openMemoryStore } from './store/memory.js'
import { countOpen } from './surface.js'
import { assertUsable, Tls } from './tls.js'
import { VerifyPool } from './verify-pool.js'
import { Views } from './view.js'

export type { AuthOptions, RelayOptions } from './relay-options.js'

export interface Relay {
  /** `ws://host:port`, or `wss`. */
  readonly url: string
  readonly port: number
  /** Where the Nostr gateway is, when there is one. */
  readonly nostr: { readonly url: string; readonly port: number } | undefined
  /** Where the HTTP gateway is, when there is one. */
  readonly http: HttpPorts | undefined
  /** The info document (spec 10.6), as it is now. */
  readonly info: JsonObject
  /** What is open now, for metrics. */
  stats(): RelayStats
  /** Publishes from inside, through every stage. Never rejects: a refusal is a value. */
  publish(event: Event): Promise<Accepted | Reject>
  /**
   * Changes what can be changed while it runs; resolves when what was replaced is let go of.
   * Rejects with TypeError or RangeError for what cannot be: then nothing is changed.
   */
  reload(changes: RelayChanges): Promise<void>
  /** Drains (spec 7.2): answers what is in flight, ends subscriptions, closes connections, then the store. */
  close(): Promise<void>
}

/** How long peers may take to agree to a close. */
const CLOSE_GRACE_MS = 2000
/** How long what is under way may wait for a policy in another process. */
const POLICY_GRACE_MS = 3000
const MAX_WORKERS = 8
/** Sets the X25519 secret of a relay apart from its Ed25519 seed. */
const NOISE_CONTEXT = Buffer.from('aether relay noise-xx static key')

/**
 * Starts a relay.
 * @throws TypeError or RangeError for bad options, the error of `listen` for a port that cannot be had.
 */
export async function createRelay(options: RelayOptions = {}): Promise<Relay> {
  const { onEvent, now = systemClock, host = '127.0.0.1', auth = {} } = options
  const settings = new Settings({ ...options, httpOrigins: options.http?.origins }, now)
  const { limits } = settings
  const tls = options.tls && new Tls(options.tls)
  const withGate = () => [...settings.policies, ...(auth.write === undefined ? [] : [writeGate(auth.write)])]
  const store = options.store ?? openMemoryStore()
  const watchers: ((event: RelayEvent) => void)[] = []
  const observe = (event: RelayEvent) => {
    onEvent?.(event)
    for (const watcher of watchers) watcher(event)
  }

  const recent = new RecentIds(limits.recentMs)
  const realms = new Realms(store, options.nostr && openNostrStore(options.nostr.store ?? openMemoryStore()))
  const capabilities = options.capabilities && new Capabilities(options.capabilities, now)
  const access = new Access(auth.read, capabilities)
  const mailboxes = new Mailboxes({
    ...{ file: options.mailboxes ?? memoryMailboxes(), limits },
    ...(options.sweepMs !== undefined && { everyMs: options.sweepMs }),
    failed: (error) => observe({ type: 'store_failed', error }),
  })
  const isPast = (event: Event) => settings.isPast(event)
  const isOver = (event: Event) => isPast(event) || isExpired(event, now())
  const oldest = () => settings.oldest()
  const views = new Views({ realms, limits, access, isOver, oldest })

  const gate = new Gate({ limits, policies: withGate(), recent, realms, now })
  const pool = new VerifyPool({
    workers: options.verifyWorkers ?? Math.min(availableParallelism(), MAX_WORKERS),
  })
  const committer = new Committer({
    realms,
    recent,
    isPast,
    dispatch(stored, kept) {
      const { ring, index } = realms.of(stored.event)
      ring.push(stored, kept)
      deliverLive(stored, { index, access, observe })
    },
    failed: (error) => observe({ type: 'store_failed', error }),
    committed: (events, ms) => observe({ type: 'committed', events, ms }),
  })
  const retentions = realms.all.map(
    (realm) =>
      new Retention({
        ...{ store: realm.store, now },
        rules: () => settings.sweepRules,
        ...(options.sweepMs !== undefined && { everyMs: options.sweepMs }),
        swept: ({ events, bytes }) => observe({ type: 'swept', events, bytes }),
        failed: (error) => observe({ type: 'store_failed', error }),
      }),
  )
  const withCapabilities = (list: readonly AsyncPolicy[]) => (capabilities ? [capabilities, ...list] : list)
  const judges = new Judges(withCapabilities(options.asyncPolicies ?? []), (error) =>
    observe({ type: 'fault', error }),
  )
  const { tracer } = options
  const pipeline = new Pipeline({ gate, pool, judges, committer, tracer, now, observe })
  const secretKey = options.secretKey ?? generateSecretKey()
  const noiseSecret = blake3(Buffer.concat([NOISE_CONTEXT, secretKey]))
  const features = options.nostr === undefined ? FEATURES : [...FEATURES, 'nostr']
  const keys = { noisePublicKey: exchangeKeys(noiseSecret).publicKey, publicKey: publicKeyOf(secretKey) }
  const info = () =>
    infoDocument({
      ...{ name: options.name ?? 'AetherKit relay', epoch: store.epoch, limits, ...keys, features, auth },
      policies: [...settings.policies, ...judges.policies],
      retentionNs: settings.retentionNs,
      retention: settings.retention,
      nostr: options.nostr !== undefined,
    })
  const bus: Bus = {
    ...{ limits, access, capabilities, mailboxes, noiseSecret, observe, now, features },
    urls: auth.urls ?? [],
    history: { ...views.of({}, false).history, store },
    view: (reader, nostr) => views.of(reader, nostr),
    verify: (claim, settle) => pool.submit(claim, settle),
    publish: (event, rounded, peer, publisher) => pipeline.publish(event, rounded, peer, publisher),
    info,
  }
  const sessions = new Sessions(bus)
  const sockets = new Sockets(limits)
  const gateways: Gateway[] = []
  const admin = new AdminToken(undefined)
  function* openPeers() {
    yield* sockets
    for (const gateway of gateways) yield* gateway.open?.() ?? []
  }
  const stats = () => ({
    ...countOpen(openPeers()),
    // Who sees Nostr events sees those of Aether too.
    subscriptions: realms.aether.index.size,
    publishes: pipeline.underWay,
    verifying: pool.pending,
    judging: judges.pending,
    mailboxes: mailboxes.open,
    unacked: mailboxes.unacked,
  })
  const gatewayHost: GatewayHost = {
    ...{ bus, sockets, stats, tls, admission: new Admission(limits), origins: () => settings.origins },
    serveNative: (connection, wording) => sessions.add(connection, wording),
    // Who sees Nostr events sees those of Aether too.
    subscriptions: realms.aether.index,
    watch: (watcher) => void watchers.push(watcher),
  }
  const scheme = tls === undefined ? 'ws' : 'wss'
  let http: HttpPorts | undefined
  let nostr: Relay['nostr']
  const port = await openPorts().catch(async (error: unknown) => {
    for (const gateway of gateways) gateway.stop()
    await Promise.all([...gateways.map((gateway) => gateway.close(0)), sockets.close(0)])
    await closeStages()
    throw error
  })

  /** Returns the native port; the gateways' follow it. */
  async function openPorts(): Promise<number> {
    const native = await openNativePort(gatewayHost, {
      ...{ host, port: options.port ?? 0 },
    })
    gateways.push(native)
    if (options.nostr !== undefined) {
      const gateway = await openNostrGateway(gatewayHost, {
        host,
        ...options.nostr,
      })
      gateways.push(gateway)
      const { port } = gateway
      nostr = { port, url: `${scheme}://${authority({ host: options.nostr.host ?? host, port })}` }
    }
    if (options.http !== undefined) {
      // Express is loaded only by those who want it.
      const { openHttpGateway } = await import('./gateway/http.js')
      admin.replace(options.http.adminToken)
      const gateway = await openHttpGateway(gatewayHost, {
        host,
        ...options.http,
        admin,
        origins: () => settings.httpOrigins,
      })
      gateways.push(gateway)
      http = gateway.ports
    }
    return native.port
  }
  let closing: Promise<void> | undefined

  async function close(): Promise<void> {
    sockets.stop()
    for (const gateway of gateways) gateway.stop()
    // A policy that hangs must not hold up the end.
    const hurry = setTimeout(() => void judges.close(), POLICY_GRACE_MS)
    await pipeline.drain()
    clearTimeout(hurry)
    sessions.farewell()
    for (const gateway of gateways) gateway.farewell()
    await sockets.close(CLOSE_GRACE_MS)
    await Promise.all(gateways.map((gateway) => gateway.close(CLOSE_GRACE_MS)))
    await closeStages()
  }

  async function reload(changes: RelayChanges): Promise<void> {
    if (changes.tls !== undefined && tls === undefined)
      throw new TypeError('a relay that was started without a certificate needs a restart to have one')
    if (changes.tls !== undefined) assertUsable(changes.tls)
    if (typeof changes.adminToken === 'string') assertAdminToken(changes.adminToken)
    settings.change(changes)
    if (changes.adminToken !== undefined) admin.replace(changes.adminToken ?? undefined)
    if (changes.tls !== undefined) tls?.replace(changes.tls)
    if (changes.policies !== undefined) gate.replacePolicies(withGate())
    if (changes.asyncPolicies !== undefined) await judges.replace(withCapabilities(changes.asyncPolicies))
  }

  async function closeStages(): Promise<void> {
    await judges.close()
    await Promise.all([pool.close(), ...retentions.map((retention) => retention.close())])
    await mailboxes.close()
    await realms.close()
  }

  return {
    url: `${scheme}://${authority({ host, port })}`,
    ...{ port, nostr, http, stats, reload },
    get info() {
      return info()
    },
    publish: (event) =>
      new Promise((settle) => {
        pipeline.publish(event, undefined, { id: 0, address: 'inside' }, { settle, done() {} })
      }),
    close: () => (closing ??= close()),
  }
}

function systemClock(): bigint {
  return BigInt(Date.now()) * 1_000_000n
}
