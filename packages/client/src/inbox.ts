/** The sealed post of an agent (kind 21000, see call-message.ts): one subscription in, sealed and signed events out. */
import { canonicalSize, DEFAULT_LIMITS, sealedLength, type VerifiedEvent } from '@aetherkit/core'
import { CALL_KIND, type CallMessage, readCallMessage, writeCallMessage } from './call-message.js'
import { type Deferred, deferred } from './deadline.js'
import { ClientError } from './errors.js'
import type { Feed } from './feed.js'
import type { Publisher, PublishOptions } from './publish.js'
import type { Receiver } from './receive.js'
import type { Signer } from './signer.js'

export interface InboxOptions {
  readonly signer: Signer
  readonly receiver: Receiver
  readonly publisher: Publisher
  readonly onError: (error: ClientError) => void
  /** Takes every message that opened. `from`: the sender's public key, proven. */
  readonly onMessage: (from: string, message: CallMessage, event: VerifiedEvent) => void
}

export class Inbox {
  readonly #options: InboxOptions
  #feed: Feed | undefined
  #ready: Deferred<void> | undefined

  constructor(options: InboxOptions) {
    this.#options = options
  }

  /** Whether there is a session with any relay. */
  get connected(): boolean {
    return this.#options.receiver.connected
  }

  /**
   * Opens the subscription, the first time: what is published after that finds it at every relay. Resolves when the
   * connected relays confirmed it.
   * @throws ClientError CANNOT_SEAL; REJECTED when no relay lets us subscribe; CLOSED.
   */
  open(): Promise<void> {
    const { signer, receiver } = this.#options
    if (signer.seal === undefined || signer.open === undefined)
      return Promise.reject(new ClientError('CANNOT_SEAL'))
    if (this.#ready !== undefined) return this.#ready.promise
    const ready = deferred<void>()
    this.#ready = ready
    this.#feed = receiver.open({
      filters: [{ kinds: [CALL_KIND], tags: [{ key: 'p', any: [signer.publicKey] }] }],
      sink: {
        event: (event) => void this.#receive(event),
        stored: () => ready.resolve(),
        failed: (error) => this.#fail(error),
        closed: () => this.#fail(new ClientError('CLOSED')),
      },
    })
    return ready.promise
  }

  /**
   * Seals and publishes one message.
   * @throws as `publish`; TypeError for a recipient nobody can own.
   */
  async send(to: string, message: CallMessage, options: PublishOptions): Promise<void> {
    const { signer, publisher } = this.#options
    if (signer.seal === undefined) throw new ClientError('CANNOT_SEAL')
    const content = await signer.seal(writeCallMessage(message), to)
    await publisher.publish({ kind: CALL_KIND, tags: [['p', to]], content }, options)
  }

  async #receive(event: VerifiedEvent): Promise<void> {
    const { signer, onMessage, onError } = this.#options
    try {
      const plain = await signer.open?.(event.content, event.pubkey)
      const message = plain === undefined ? undefined : readCallMessage(plain)
      if (message !== undefined) onMessage(event.pubkey, message, event)
    } catch (cause) {
      onError(new ClientError('HANDLER_FAILED', 'a sealed message could not be opened', { cause }))
    }
  }

  #fail(error: ClientError): void {
    if (this.#feed !== undefined) this.#options.receiver.closeFeed(this.#feed)
    this.#ready?.reject(error)
    this.#feed = this.#ready = undefined
  }
}

/** Whether a message fits into an event (spec 1.5). */
export function fitsEvent(message: CallMessage): boolean {
  const sealed = sealedLength(writeCallMessage(message).length)
  const pubkey = '0'.repeat(64)
  const empty = {
    pubkey,
    createdAt: 0n,
    kind: CALL_KIND,
    tags: [['p', pubkey] as const],
    content: new Uint8Array(),
  }
  return canonicalSize(empty) + sealed <= DEFAULT_LIMITS.maxSize
}
