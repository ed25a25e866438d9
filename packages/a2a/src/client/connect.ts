/**
 * From a URL, a card or a public key to an agent that can be called (spec a2a 2.7, 2.12, 7.1, 7.10): card, verification,
 * choice of an interface, credentials and payment.
 */
import type { Client } from '@aetherkit/client'
import { parseHex } from '@aetherkit/core'
import type { PayingFetchOptions } from '@aetherkit/payments'
import { addressOf } from '../dialect/profile.js'
import { createGuard, type GuardOptions } from '../guard.js'
import type { AgentCard, AgentInterface } from '../model.js'
import { X402_EXTENSIONS } from '../payment/x402.js'
import { STREAM_RESUME } from '../stream-resume.js'
import { VERSION_HEADER, type Version } from '../version.js'
import { aetherCard } from './aether-card.js'
import { aetherWire } from './aether-wire.js'
import type { Binding } from './binding.js'
import { openCalls } from './calls.js'
import { type BindingName, type Choice, chooseInterfaces } from './choose-interface.js'
import { dialectRequest } from './dialect-request.js'
import { type CardCache, discoverCard, memoryCardCache } from './discover-card.js'
import { type Auth, createHttpLink, type Fetch } from './http-link.js'
import { httpWire } from './http-wire.js'
import { createPayer } from './payment.js'
import { checkCard } from './read-card.js'
import { remoteOperations, type Timeouts } from './remote.js'
import type { RemoteAgent } from './remote-agent.js'
import { restBinding } from './rest-binding.js'
import type { RetryOptions } from './retry.js'
import { rpcBinding } from './rpc-binding.js'
import { openSession } from './session.js'
import { type VerifyOptions, verifyFoundCard } from './verify-card.js'

export interface ConnectOptions {
  /** Who calls. */
  readonly auth?: Auth
  /** The rules by which this client pays; without them it does not. One object for all agents is one budget. */
  readonly payment?: PayingFetchOptions
  /** The card, and the extended card, must be signed by a key that is trusted. */
  readonly verify?: VerifyOptions
  /** Connected to relays: for agents that are addressed by public key. */
  readonly client?: Client
  /** Ed25519 seed, 32 bytes: signs `agent.request`. */
  readonly key?: Uint8Array
  /** In the order of preference; 1.0 before 0.3 unless given. */
  readonly versions?: readonly Version[]
  /** In the order of preference; as the card prefers unless given. */
  readonly bindings?: readonly BindingName[]
  /** Whether an interface of another origin than the card may be called; none may unless given. */
  readonly approveInterface?: (entry: AgentInterface, card: AgentCard) => boolean | Promise<boolean>
  /** URIs of extensions to ask for, besides those this client knows. */
  readonly extensions?: readonly string[]
  /** Loopback and private networks, and plain http there: for development and tests. */
  readonly allowPrivateNetwork?: boolean
  /** More of the guard (spec a2a 7.1). */
  readonly guard?: Omit<GuardOptions, 'allowPrivateNetwork' | 'timeoutMs'>
  /** Of this process unless given. */
  readonly cardCache?: CardCache
  /** 1 MiB unless given. */
  readonly maxCardBytes?: number
  /** Of one answer or one event, 16 MiB unless given. */
  readonly maxAnswerBytes?: number
  /** ms: `call` 30 000, `send` 300 000, `stream` 3 600 000, `idle` 120 000 unless given. */
  readonly timeouts?: Partial<Timeouts>
  readonly retry?: RetryOptions
  /**
   * The agent answers a message id once, so that a message may be sent again after a loss. Known of agents of this kit,
   * for callers who are somebody; of others a message is only repeated when it certainly was not taken.
   */
  readonly idempotent?: boolean
  /** Ends the search for the card. */
  readonly signal?: AbortSignal
  readonly now?: () => number
}

const CARDS = memoryCardCache()
const TIMEOUTS: Timeouts = { call: 30_000, send: 300_000, stream: 3_600_000, idle: 120_000 }
const DISCOVERY_MS = 20_000

/**
 * `target`: the agent's base URL or that of its card, an AgentCard that the caller vouches for, or `aether:<public key>`.
 * @throws AgentError CARD_NOT_FOUND, CARD_REFUSED, CARD_UNVERIFIED, NO_INTERFACE, URL_REFUSED, UNREACHABLE, TIMEOUT;
 * PaymentError for a budget that is none; TypeError for a target that is none of these, or `aether:` without a client
 */
export async function connectAgent(
  target: string | URL | AgentCard,
  options: ConnectOptions = {},
): Promise<RemoteAgent> {
  const {
    client,
    allowPrivateNetwork = false,
    cardCache = CARDS,
    maxCardBytes = 1024 * 1024,
    now = Date.now,
  } = options
  const timeouts: Timeouts = { ...TIMEOUTS, ...options.timeouts }
  const retry = options.retry ?? {}
  // Its own time limit is above that of any call: calls have deadlines.
  const guard = createGuard({
    ...options.guard,
    allowPrivateNetwork,
    timeoutMs: Math.max(timeouts.send, timeouts.idle),
  })
  const fetch: Fetch = (input, init) => guard.fetch(input, init)
  const transports = new Set<{ close(): void }>()
  let released: Promise<void> | undefined
  const release = (): Promise<void> => {
    for (const transport of transports) transport.close()
    released ??= guard.close()
    return released
  }
  try {
    const payer = options.payment === undefined ? undefined : await createPayer(options.payment, fetch)
    const openTransport = async (publicKey: string) => {
      if (client === undefined) throw new TypeError('aether: needs `client`, connected to relays')
      const { aetherTransport } = await import('../events/transport.js')
      const transport = aetherTransport(client, publicKey)
      transports.add(transport)
      return transport
    }

    const found = await find()
    const { card, cardUrl, signer } = found
    const bindings = options.bindings ?? ['JSONRPC', 'HTTP+JSON', 'aether']
    const choices = await chooseInterfaces(card, {
      versions: options.versions ?? ['1.0', '0.3'],
      bindings: client === undefined ? bindings.filter((name) => name !== 'aether') : bindings,
      isOrdered: options.bindings !== undefined,
      cardUrl: found.isVouched ? undefined : cardUrl,
      signer,
      approve: options.approveInterface ?? (() => false),
      addressOf,
    })
    const declared = new Set(card.capabilities.extensions?.map(({ uri }) => uri))
    const wanted = [
      ...(options.extensions ?? []),
      ...(declared.has(STREAM_RESUME) ? [STREAM_RESUME] : []),
      ...(payer === undefined ? [] : X402_EXTENSIONS.filter((uri) => declared.has(uri))),
    ]
    const extensions = [...new Set(wanted)]
    const keys = choices.flatMap(({ binding, url }) =>
      binding === 'aether' ? [url.slice('aether:'.length)] : [],
    )
    const opened = await Promise.all(
      [...new Set(keys)].map(async (key) => [key, await openTransport(key)] as const),
    )
    const events = new Map(opened)
    const link = createHttpLink({
      fetch: payer?.fetch ?? fetch,
      auth: options.auth,
      maxBytes: options.maxAnswerBytes ?? 16 * 1024 * 1024,
    })
    const open = ({ binding, version, url, tenant }: Choice): Binding => {
      const named = { url, name: binding, version, tenant }
      if (binding === 'aether') {
        const transport = events.get(url.slice('aether:'.length))
        if (transport === undefined) throw new TypeError('no transport was opened')
        return rpcBinding(aetherWire(transport, version, extensions), named)
      }
      const headers = serviceHeaders(version, extensions)
      if (binding === 'HTTP+JSON') return restBinding(link, named, headers)
      return rpcBinding(httpWire(link, url, headers), named)
    }
    const session = openSession(choices, open)
    const isKnownIdempotent = (): boolean =>
      session.binding.url.startsWith('aether:') || (declared.has(STREAM_RESUME) && options.auth !== undefined)
    const { calls, ...operations } = remoteOperations({
      session,
      payer,
      timeouts,
      retry,
      streams: card.capabilities.streaming === true,
      async readCard(value, signal) {
        const read = checkCard(value)
        // At an address that is a key nobody else answers.
        const isOwn = session.binding.url.startsWith('aether:')
        if (options.verify === undefined || isOwn) return read.card
        return (await verifyFoundCard({ ...read, url: cardUrl }, options.verify, fetch, signal)).card
      },
      isIdempotent: () => options.idempotent ?? isKnownIdempotent(),
    })
    return {
      ...operations,
      card,
      cardUrl,
      pays: payer !== undefined,
      verifiedBy: signer,
      get interface() {
        const { url, name, version } = session.binding
        return { url, binding: name, version }
      },
      request: (action, payload, { signal, timeoutMs = timeouts.send, idempotencyKey } = {}) =>
        calls.run(timeoutMs, signal, 'agent.request', (call) =>
          dialectRequest(
            { card, choices, fetch, payer, transports: events, ...(options.auth && { auth: options.auth }) },
            { action, payload, key: options.key, call, idempotencyKey },
          ),
        ),
      async close() {
        calls.close()
        session.close()
        await release()
      },
    }

    async function find(): Promise<{
      card: AgentCard
      cardUrl: string | undefined
      signer: string | undefined
      /** Whoever brought the card stands for its interfaces. */
      isVouched: boolean
    }> {
      const search = openCalls()
      return search.run(DISCOVERY_MS, options.signal, 'finding the agent card', async ({ signal }) => {
        const key = typeof target === 'string' ? aetherKey(target) : undefined
        if (key !== undefined) {
          const card = await aetherCard(key, await openTransport(key), client, signal)
          return { card, cardUrl: undefined, signer: undefined, isVouched: true }
        }
        const isUrl = typeof target === 'string' || target instanceof URL
        const from = isUrl
          ? await discoverCard(String(target), {
              fetch,
              cache: cardCache,
              maxBytes: maxCardBytes,
              signal,
              now,
            })
          : { ...checkCard(target), url: undefined }
        if (options.verify === undefined)
          return { card: from.card, cardUrl: from.url, signer: undefined, isVouched: !isUrl }
        const { card, kid: signer } = await verifyFoundCard(from, options.verify, fetch, signal)
        return { card, cardUrl: from.url, signer, isVouched: !isUrl }
      })
    }
  } catch (error) {
    await release()
    throw error
  }
}

function aetherKey(target: string): string | undefined {
  if (!target.startsWith('aether:')) return undefined
  const key = parseHex(target.slice('aether:'.length).replace(/^\/\//, ''), 32)
  if (key === undefined) throw new TypeError('aether: must be followed by a public key of 32 bytes in hex')
  return key
}

function serviceHeaders(version: Version, extensions: readonly string[]): Readonly<Record<string, string>> {
  const name = version === '0.3' ? 'X-A2A-Extensions' : 'A2A-Extensions'
  return { [VERSION_HEADER]: version, ...(extensions.length > 0 && { [name]: extensions.join(', ') }) }
}
