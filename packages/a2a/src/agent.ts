/**
 * An agent in one call (spec a2a 1): engine, dispatch, endpoint and card wired together, with the dialect, payments and
 * Aether events in front where they are wanted.
 */
import type { Client } from '@aetherkit/client'
import { fromHex, publicKeyOf, signDigest } from '@aetherkit/core'
import { base58 } from '@scure/base'
import type { Authenticate } from './authenticate.js'
import type { Tenants } from './call.js'
import type { CardOptions } from './card/build.js'
import { withSignedCards } from './card/extended.js'
import type { CardSigner } from './card/sign.js'
import { createCardSource } from './card/source.js'
import { dialectExtension } from './dialect/card.js'
import { createDialect, type DialectOptions } from './dialect/serve.js'
import { createTaskMethods } from './dialect/task-methods.js'
import type { Dispatch, MethodExtension } from './dispatch.js'
import { createEndpoint, type Listener } from './endpoint.js'
import { createEngine, type EngineOptions } from './engine/create.js'
import type { Engine } from './engine.js'
import { A2AError } from './errors.js'
import { aetherInterfaces, relayExtension } from './events/interface.js'
import { type ServedOnAether, serveOnAether } from './events/serve.js'
import { createDispatch } from './jsonrpc.js'
import { DEFAULT_LIMITS } from './limits.js'
import type { AgentCard } from './model.js'
import { createPaymentAdmit, type PaymentOptions } from './payment/admit.js'
import { paymentExtensions } from './payment/x402.js'
import { createPushDelivery, type PushOptions } from './push/delivery.js'
import type { PushDelivery } from './push.js'
import { compact } from './read-message.js'
import type { RequestLine } from './request-log.js'
import { respond } from './respond.js'
import { createServers, type Listening } from './servers.js'
import { memoryTaskStore } from './store/memory.js'
import { STREAM_RESUME_EXTENSION } from './stream-resume.js'
import type { TaskStore } from './task-store.js'
import type { Version } from './version.js'
import { errorObject } from './wire-error.js'

export interface AgentOptions extends Omit<EngineOptions, 'push' | 'capabilities' | 'admit'> {
  readonly card: CardOptions
  /** Public base URL, such as `https://agents.example/a`: never taken from `Host`. Later with `at` when absent. */
  readonly url?: string
  /** Ed25519: a secret seed of 32 bytes, or what signs. The card is signed, and the dialect has its address. */
  readonly key?: Uint8Array | CardSigner
  /** Who may call; absent, everybody is anonymous. */
  readonly authenticate?: Authenticate
  /** `WWW-Authenticate` of a 401; `Bearer` unless given. */
  readonly challenge?: string
  /** Every message is priced; `url` defaults to the agent's, or to `aether://<key>`. */
  readonly payment?: Omit<PaymentOptions, 'url'> & { readonly url?: string }
  /** `agent.request`: on when there is a key, with its address; `false` turns it off. */
  readonly dialect?: false | Partial<DialectOptions>
  /** `sendTask`, `getTask`, `cancelTask`: unsigned, callers are who they say they are. Off unless given. */
  readonly taskMethods?: boolean
  /** Serves A2A 0.3 beside 1.0; true unless given. */
  readonly legacy?: boolean
  /** The card for callers that name no version has the members of both versions; as `legacy` unless given. */
  readonly hybridCard?: boolean
  /** Push notifications, off unless given: how they are delivered, or what delivers them. */
  readonly push?: PushOptions | PushDelivery
  /** Streams; true unless given. */
  readonly streaming?: boolean
  /** Tenants beside the one without a name; none unless given. */
  readonly tenants?: Tenants
  /** More methods on the same address. */
  readonly methods?: readonly MethodExtension[]
  /** How long a card may be cached; 300 by default. */
  readonly cardMaxAgeSeconds?: number
  /** One line a request, without credentials and payloads. */
  readonly onRequest?: (line: RequestLine) => void
}

export interface Agent {
  /** For `createServer`, and for Express as it is. */
  readonly listener: Listener
  readonly dispatch: Dispatch
  readonly engine: Engine
  /** Base58 of the key; undefined without one. */
  readonly address: string | undefined
  /** The 1.0 card, unsigned. @throws TypeError while the agent has no URL and no other interface */
  card(): AgentCard
  /** As it is served: with a signature when there is a key. */
  signedCard(): Promise<AgentCard>
  /** Names the public base URL, where it is known only now. */
  at(url: string): void
  /**
   * Takes calls that come as Aether events to the key of this client, which the caller goes on to own. `relays` go into
   * the card, as hints where to find it.
   */
  serveOn(client: Client, options?: { readonly relays?: readonly string[] }): ServedOnAether
  /** On this machine, port 0 for any; the URL is taken from it when there is none. */
  listen(port?: number, host?: string): Promise<Listening>
  /** Ends streams, aborts what runs, keeps what is to be kept. */
  close(): Promise<void>
}

/**
 * @throws TypeError for a card with a fault, a URL that is no base, a key that is not 32 bytes, or payments without a
 * URL
 */
export function createAgent(options: AgentOptions): Agent {
  const { push, ...rest } = options
  const { now = Date.now, onError, tenants, legacy = true, streaming = true, hybridCard = legacy } = rest
  const signer = toCardSigner(options.key)
  const address = signer && base58.encode(fromHex(signer.publicKey))
  const limits = { ...DEFAULT_LIMITS, ...options.limits }
  const versions: readonly Version[] = legacy ? ['1.0', '0.3'] : ['1.0']
  const dialect = dialectOf(options, address)
  const source = createCardSource(
    {
      card: options.card,
      served: {
        versions,
        streaming,
        pushNotifications: push !== undefined,
        extensions: [
          ...(streaming ? [STREAM_RESUME_EXTENSION] : []),
          ...(dialect ? [dialectExtension(dialect)] : []),
          ...(options.payment ? paymentExtensions() : []),
        ],
      },
      extended: extendedOf(options),
      signer,
      serving: { legacy, hybrid: hybridCard, maxAgeSeconds: options.cardMaxAgeSeconds ?? 300 },
      now,
    },
    options.url,
  )
  const store = options.store ?? memoryTaskStore({ now })
  const own = createEngine({
    ...rest,
    store,
    capabilities: { streaming },
    ...compact({
      push: push && deliveryOf(push, store),
      admit: admitOf(options, source.url, signer?.publicKey),
    }),
  })
  const engine = withSignedCards(own, source, signer, options.extendedCard === undefined)
  const shared = { engine, card: source.capabilities, versions, limits, ...compact({ tenants, onError }) }
  const extensions = [
    ...(options.methods ?? []),
    ...(dialect ? [signedDialect(engine, dialect)] : []),
    ...(options.taskMethods === true ? [createTaskMethods(engine, { now })] : []),
  ]
  const opened = afterRecovery(engine, createDispatch({ ...shared, extensions }), onError)
  const { dispatch } = opened
  const { authenticate, challenge, onRequest } = options
  const endpoint = createEndpoint({
    ...shared,
    dispatch,
    serveCard: source.answer,
    ...compact({ authenticate, challenge, onRequest }),
  })
  const listener = opened.listener(endpoint.listener)
  const servers = createServers(listener)
  return {
    listener,
    dispatch,
    engine,
    address,
    card: source.card,
    signedCard: source.signed,
    at: source.at,
    serveOn(client, { relays = [] } = {}) {
      const heard = onError && ((error: unknown) => onError(error, 'events'))
      const served = serveOnAether(dispatch, client, compact({ now: options.now, onError: heard }))
      const unbind = source.bind({
        interfaces: aetherInterfaces(client.publicKey, versions),
        extensions: relays.length === 0 ? [] : [relayExtension(relays)],
      })
      return {
        ready: served.ready,
        close() {
          unbind()
          return served.close()
        },
      }
    },
    async listen(port = 0, host = '127.0.0.1') {
      await opened.ready
      const server = await servers.open(port, host)
      if (source.url === undefined) source.at(server.url)
      return server
    },
    async close() {
      endpoint.close()
      await engine.close()
      await servers.close()
    },
  }
}

/** It is for callers who are somebody: without authentication there are none over HTTP. */
function extendedOf({ extendedCard, authenticate }: AgentOptions): 'never' | 'always' | 'with-binding' {
  if (extendedCard === undefined) return 'never'
  return authenticate === undefined ? 'with-binding' : 'always'
}

/** What a dead process left comes first (spec a2a 7.9): calls wait for it, and are refused when it cannot be done. */
function afterRecovery(engine: Engine, dispatch: Dispatch, onError: AgentOptions['onError']) {
  let isOpen = false
  const ready = engine.recover().then(() => {
    isOpen = true
  })
  ready.catch((error: unknown) => onError?.(error, 'recover'))
  const error = errorObject(new A2AError('INTERNAL', 'The agent is not ready'))
  const envelope = { jsonrpc: '2.0', id: null, error }
  const refusal = { kind: 'single', status: 503, envelope, headers: { 'retry-after': '1' } } as const
  return {
    ready,
    dispatch: ((request) =>
      ready.then(
        () => dispatch(request),
        () => refusal,
      )) satisfies Dispatch,
    listener:
      (listener: Listener): Listener =>
      (request, response, next) => {
        if (isOpen) return listener(request, response, next)
        const refuse = () => respond(request, response, { ...refusal, body: envelope })
        ready.then(() => listener(request, response, next), refuse)
      },
  }
}

/** Calls prove who they are from, unless the profile believes them. */
function signedDialect(engine: Engine, options: DialectOptions): MethodExtension {
  const dialect = createDialect(engine, options)
  return options.profile === 'none' ? dialect : { ...dialect, authenticates: true }
}

function dialectOf(
  { dialect, now, onError, store }: AgentOptions,
  address: string | undefined,
): DialectOptions | undefined {
  if (dialect === false || (dialect === undefined && address === undefined)) return undefined
  const addresses = dialect?.addresses ?? (address === undefined ? [] : [address])
  const heard = onError && ((error: unknown) => onError(error, 'dialect'))
  return { ...compact({ now, store, onError: heard }), ...dialect, addresses }
}

function admitOf({ payment }: AgentOptions, url: string | undefined, publicKey: string | undefined) {
  if (payment === undefined) return undefined
  const at = payment.url ?? url ?? (publicKey && `aether://${publicKey}`)
  if (at === undefined) throw new TypeError('payment.url, url or key is needed: what is paid for has a name')
  return createPaymentAdmit({ ...payment, url: at })
}

function toCardSigner(key: Uint8Array | CardSigner | undefined): CardSigner | undefined {
  if (!(key instanceof Uint8Array)) return key
  if (key.length !== 32) throw new TypeError(`key must be 32 bytes, got ${key.length}`)
  const secret = Uint8Array.from(key)
  return { publicKey: publicKeyOf(secret), sign: (bytes) => signDigest(bytes, secret) }
}

const deliveryOf = (push: PushOptions | PushDelivery, store: TaskStore): PushDelivery =>
  'prepare' in push ? push : createPushDelivery(store, push)
