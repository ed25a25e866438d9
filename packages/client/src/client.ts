/** A client of several relays (spec 12): wires the parts together, and takes them down again. */
import { createClock, type Event, type EventTemplate, type Filter, type VerifiedEvent } from '@aetherkit/core'
import { Caller, type RequestOptions } from './call.js'
import type { Json } from './call-message.js'
import { type ClientOptions, checkRelays } from './client-options.js'
import { Connection, type ConnectionListener } from './connection.js'
import { checkTimeout, deferred, within } from './deadline.js'
import {
  type AgentInfo,
  type AgentProfile,
  advertise,
  type DiscoverOptions,
  type DiscoverQuery,
  discover,
} from './discover.js'
import { ClientError } from './errors.js'
import { checkFilters } from './filters.js'
import type { InFrame } from './format.js'
import { Inbox } from './inbox.js'
import type { Mailbox, MailboxOptions } from './mailbox.js'
import { Mailboxes } from './mailboxes.js'
import { prover } from './proof.js'
import { type Published, Publisher, type PublishOptions } from './publish.js'
import { type QueryOptions, query } from './query.js'
import { Receiver } from './receive.js'
import { type CallHandler, type Served, Server } from './serve.js'
import { type Signer, toSigner } from './signer.js'
import { BufferedSubscription, type SubscribeOptions, type Subscription } from './subscribe.js'

export interface Client {
  /** Ours, hex. */
  readonly publicKey: string
  /** URLs of the relays that there is a session with. */
  readonly connected: readonly string[]
  /** @see Publisher.publish */
  publish(event: EventTemplate | Event, options?: PublishOptions): Promise<Published>
  /** Live events; stored ones too where a filter has `limit`, `since`, `ids` or `replay` (spec 6.3). */
  subscribe(filters: Filter | readonly Filter[], options?: SubscribeOptions): Subscription
  /** Stored events, newest first, each once. */
  query(filters: Filter | readonly Filter[], options?: QueryOptions): Promise<VerifiedEvent[]>
  /**
   * The stored events that are addressed to us (`p` tag), also those of while we were away, each until it is acked.
   * `name`: of the consumer; processes with our key and the same name share the events, another name gets all of them.
   * 1 to 64 of `A-Z a-z 0-9 . _ -`.
   * @throws TypeError or RangeError for bad arguments
   */
  mailbox(name: string, options?: MailboxOptions): Mailbox
  /** Calls an agent by its public key, sealed end to end. */
  request(publicKey: string, action: string, payload: Json, options?: RequestOptions): Promise<Json>
  /** Takes calls of an action. */
  serve(action: string, handler: CallHandler): Served
  /** Says who we are and what we offer. */
  advertise(agent: AgentProfile, options?: PublishOptions): Promise<Published>
  /** Finds agents by what they offer or by their key. */
  discover(query: DiscoverQuery, options?: DiscoverOptions): Promise<AgentInfo[]>
  /**
   * Seals content for one recipient's public key, hex: only it can open it, and only in an event of ours.
   * @throws ClientError CANNOT_SEAL; TypeError for a key nobody can own
   */
  seal(plain: Uint8Array, recipient: string): Promise<Uint8Array>
  /** What the author of an event sealed for us; undefined for anything else. @throws ClientError CANNOT_SEAL */
  open(event: Pick<VerifiedEvent, 'content' | 'pubkey'>): Promise<Uint8Array | undefined>
  /** Ends everything; what waits rejects with CLOSED. Resolves when no timer and no socket is left. */
  close(): Promise<void>
}

/**
 * Connects to relays by URL (`ws:` or `wss:`) and resolves after the first welcome; the others go on in the background,
 * and each that is lost is tried again until `close`.
 * @throws ClientError WEAK_WELCOME when every relay offers less than asked for, DISCONNECTED when none answers in time;
 * the signal's reason; TypeError or RangeError for bad arguments.
 */
export async function connect(
  relays: string | readonly string[],
  options: ClientOptions = {},
): Promise<Client> {
  const { signal, timeoutMs = 10_000, maxRelays = 3 } = options
  checkTimeout(timeoutMs)
  const urls = checkRelays(typeof relays === 'string' ? [relays] : relays, maxRelays)
  signal?.throwIfAborted()
  const client = new RelayClient(urls, options)
  try {
    await within(client.first, { signal, timeoutMs }, () => {
      throw new ClientError('DISCONNECTED', 'no relay answered in time', { cause: client.lastError })
    })
  } catch (error) {
    await client.close()
    throw error
  }
  return client
}

class RelayClient implements Client {
  readonly publicKey: string
  readonly first: Promise<void>
  lastError: ClientError | undefined
  readonly #options: ClientOptions
  readonly #signer: Signer
  readonly #clock: () => bigint
  readonly #connections: readonly Connection[]
  readonly #receiver: Receiver
  readonly #publisher: Publisher
  readonly #mailboxes: Mailboxes
  readonly #caller: Caller
  readonly #server: Server
  readonly #first = deferred<void>()
  readonly #weak = new Set<string>()
  #closed: Promise<void> | undefined

  constructor(urls: readonly string[], options: ClientOptions) {
    const { maxPending = 4096, callRetryMs = 3_000, now } = options
    const signer = toSigner(options.signer)
    this.#options = options
    this.#signer = signer
    this.publicKey = signer.publicKey
    this.first = this.#first.promise
    const onError = (error: ClientError) => this.#hear(error)
    this.#receiver = new Receiver(onError)
    this.#clock = createClock(now)
    this.#publisher = new Publisher({ signer, clock: this.#clock, maxPending })
    this.#mailboxes = new Mailboxes(this.#receiver, onError)
    const inbox = new Inbox({
      signer,
      receiver: this.#receiver,
      publisher: this.#publisher,
      onError,
      onMessage: (from, message, event) => {
        if (message.type === 'request') this.#server.receive(from, message, event)
        else this.#caller.receive(from, message)
      },
    })
    this.#caller = new Caller(inbox, callRetryMs)
    this.#server = new Server(inbox, onError)
    this.#connections = this.#open(urls)
  }

  get connected(): readonly string[] {
    return this.#connections.filter(({ session }) => session !== undefined).map(({ url }) => url)
  }

  publish(event: EventTemplate | Event, options?: PublishOptions): Promise<Published> {
    return this.#publisher.publish(event, options)
  }

  subscribe(filters: Filter | readonly Filter[], options: SubscribeOptions = {}): Subscription {
    this.#assertOpen()
    const host = { receiver: this.#receiver, threw: (error: unknown) => this.#threw('onGap', error) }
    return new BufferedSubscription(host, checkFilters(filters), options)
  }

  async query(filters: Filter | readonly Filter[], options?: QueryOptions): Promise<VerifiedEvent[]> {
    this.#assertOpen()
    return query(this.#receiver, filters, options)
  }

  mailbox(name: string, options: MailboxOptions = {}): Mailbox {
    this.#assertOpen()
    return this.#mailboxes.open(this.publicKey, name, options)
  }

  async request(publicKey: string, action: string, payload: Json, options?: RequestOptions): Promise<Json> {
    this.#assertOpen()
    return this.#caller.request(publicKey, action, payload, options)
  }

  serve(action: string, handler: CallHandler): Served {
    this.#assertOpen()
    const { seal, open } = this.#signer
    return this.#server.serve(action, handler, seal !== undefined && open !== undefined)
  }

  advertise(agent: AgentProfile, options?: PublishOptions): Promise<Published> {
    return advertise(this, agent, options)
  }

  discover(what: DiscoverQuery, options?: DiscoverOptions): Promise<AgentInfo[]> {
    return discover(this, what, options)
  }

  async seal(plain: Uint8Array, recipient: string): Promise<Uint8Array> {
    if (this.#signer.seal === undefined) throw new ClientError('CANNOT_SEAL')
    return this.#signer.seal(plain, recipient)
  }

  async open({
    content,
    pubkey,
  }: Pick<VerifiedEvent, 'content' | 'pubkey'>): Promise<Uint8Array | undefined> {
    if (this.#signer.open === undefined) throw new ClientError('CANNOT_SEAL')
    return this.#signer.open(content, pubkey)
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#caller.close()
    this.#server.close()
    this.#publisher.close()
    this.#mailboxes.close()
    this.#receiver.close()
    await Promise.all(this.#connections.map((connection) => connection.close()))
  }

  #open(urls: readonly string[]): Connection[] {
    const { formats = ['aether.v2', 'json'], noise = 'off', relayKeys, reconnect = {} } = this.#options
    const { maxFrame = 1024 * 1024, heartbeatMs = 25_000, auth = true } = this.#options
    const prove = auth ? prover(this.#signer, this.#clock) : undefined
    const noiseSecret = crypto.getRandomValues(new Uint8Array(32))
    const common = { formats, noise, noiseSecret, maxFrame, heartbeatMs, reconnect, prove }
    return urls.map((url) => {
      const relayKey = relayKeys !== undefined && Object.hasOwn(relayKeys, url) ? relayKeys[url] : undefined
      const connection = new Connection(url, { ...common, relayKey }, this.#listener())
      this.#receiver.add(connection)
      this.#publisher.add(connection)
      this.#mailboxes.add(connection)
      return connection
    })
  }

  #listener(): ConnectionListener {
    return {
      up: (connection) => {
        this.#weak.delete(connection.url)
        // Subscriptions first: who answers what is published finds them there.
        this.#receiver.up(connection)
        this.#mailboxes.up(connection)
        this.#publisher.up(connection)
        this.#first.resolve()
      },
      proven: (connection) => {
        this.#receiver.proven(connection)
        this.#mailboxes.up(connection)
        this.#publisher.up(connection)
      },
      frame: (connection, frame) => this.#frame(connection, frame),
      down: (connection, cause) => this.#down(connection, cause),
      trouble: (error) => this.#hear(error),
    }
  }

  #frame(connection: Connection, frame: InFrame): void {
    if (this.#mailboxes.frame(connection, frame)) return
    if (this.#receiver.frame(connection, frame) || this.#publisher.frame(connection, frame)) return
    if (frame.type !== 'notice') return
    try {
      this.#options.onNotice?.({ relay: connection.url, message: frame.message })
    } catch (error) {
      this.#threw('onNotice', error)
    }
  }

  #down(connection: Connection, cause: ClientError): void {
    this.lastError = cause
    this.#publisher.down(connection)
    this.#receiver.down(connection)
    this.#mailboxes.down(connection)
    if (cause.code === 'WEAK_WELCOME') this.#weak.add(connection.url)
    if (this.#weak.size === this.#connections.length) this.#first.reject(cause)
    if (this.#closed === undefined) this.#hear(cause)
  }

  #threw(what: string, cause: unknown): void {
    this.#hear(new ClientError('HANDLER_FAILED', `${what} threw`, { cause }))
  }

  /** An error handler that throws has nobody left to tell. */
  #hear(error: ClientError): void {
    try {
      this.#options.onError?.(error)
    } catch {
      return
    }
  }

  #assertOpen(): void {
    if (this.#closed !== undefined) throw new ClientError('CLOSED')
  }
}
