/** A mailbox at one relay: opening it, and the acks that the relay has not confirmed. A relay may hear an ack twice. */
import type { MailboxTerms } from '@aetherkit/core'
import type { Connection } from './connection.js'
import { type Deferred, deferred } from './deadline.js'
import type { ClientError } from './errors.js'

/** Seqs of one message. */
const MAX_SEQS = 1000

export interface Ack {
  /** Resolves when the relay has it on disk. */
  readonly confirmed: Deferred<void>
  /** Resolves when that, or no answer, is to be waited for: the relay is away. */
  readonly released: Deferred<void>
}

export class MailboxPlace {
  readonly connection: Connection
  /** Of the store that the seqs are of. */
  epoch: string | undefined
  /** In this session. */
  asked = false
  /** The proofs of who we are that the relay had heard when it was asked. */
  proofs = 0
  /** Why the relay does not serve it. */
  failed: ClientError | undefined
  readonly #sub: number
  readonly #unconfirmed = new Map<bigint, Ack>()
  #unsent: bigint[] = []

  constructor(connection: Connection, sub: number) {
    this.connection = connection
    this.#sub = sub
  }

  /** Whether acks are without an answer. */
  get pending(): boolean {
    return this.#unconfirmed.size > 0
  }

  /** Opens it; what was acked before and not confirmed is acked again. */
  ask(terms: MailboxTerms): void {
    const { session } = this.connection
    if (session === undefined) return
    if (this.epoch !== session.epoch) this.#forget()
    this.epoch = session.epoch
    this.proofs = this.connection.proofs
    this.asked = this.connection.send({ type: 'mailbox', sub: this.#sub, ...terms })
    this.#send([...this.#unconfirmed.keys()])
  }

  down(): void {
    this.asked = false
    this.#unsent = []
    for (const { released } of this.#unconfirmed.values()) released.resolve()
  }

  ack(seq: bigint): Ack {
    const known = this.#unconfirmed.get(seq)
    if (known !== undefined) return known
    const ack: Ack = { confirmed: deferred(), released: deferred() }
    this.#unconfirmed.set(seq, ack)
    if (this.asked) {
      if (this.#unsent.length === 0) queueMicrotask(() => this.#flush())
      this.#unsent.push(seq)
    }
    if (!this.asked) ack.released.resolve()
    return ack
  }

  confirmed(seqs: readonly bigint[]): void {
    for (const seq of seqs) {
      const ack = this.#unconfirmed.get(seq)
      this.#unconfirmed.delete(seq)
      ack?.confirmed.resolve()
      ack?.released.resolve()
    }
  }

  fail(error: ClientError): void {
    for (const { confirmed, released } of this.#unconfirmed.values()) {
      confirmed.reject(error)
      released.resolve()
    }
    this.#unconfirmed.clear()
  }

  /** Another store: what was acked is not there, and its seqs are of other events. */
  #forget(): void {
    this.confirmed([...this.#unconfirmed.keys()])
  }

  #flush(): void {
    const seqs = this.#unsent
    this.#unsent = []
    if (this.asked) this.#send(seqs)
  }

  #send(seqs: readonly bigint[]): void {
    for (let at = 0; at < seqs.length; at += MAX_SEQS)
      this.connection.send({ type: 'mailbox_ack', sub: this.#sub, seqs: seqs.slice(at, at + MAX_SEQS) })
  }
}
