/** One {@link Mailbox}: at its relays a subscription with acks, here letters for the application. */
import type { MailboxTerms, RejectCode, VerifiedEvent } from '@aetherkit/core'
import type { Connection } from './connection.js'
import { checkTimeout, type Deferred, deferred, within } from './deadline.js'
import { ClientError } from './errors.js'
import type { InFrame } from './format.js'
import { type Letter, Letters } from './letters.js'
import type { Mailbox, MailboxMessage, MailboxOptions } from './mailbox.js'
import { MailboxPlace } from './mailbox-place.js'
import { Readers } from './readers.js'

/** What a mailbox needs of its client. */
export interface MailboxHost {
  readonly connections: Iterable<Connection>
  onError(error: ClientError): void
  /** Whether frames are to come to it. */
  listens(mailbox: RelayMailbox, yes: boolean): void
}

const ACK_TIMEOUT_MS = 30_000
/** Refusals that may pass: ask again after so many ms. */
const AGAIN_MS = 2_000
const PASSING: ReadonlySet<RejectCode> = new Set([
  'unavailable',
  'storage_full',
  'slow_consumer',
  'timeout',
  'internal',
])

export class RelayMailbox implements Mailbox {
  readonly sub: number
  readonly name: string
  readonly opened: Promise<void>
  gap = false
  readonly #host: MailboxHost
  readonly #terms: MailboxTerms
  readonly #options: MailboxOptions
  readonly #letters: Letters
  readonly #places = new Map<string, MailboxPlace>()
  readonly #opened = deferred<void>()
  readonly #onAbort = () => this.#end({ error: this.#options.signal?.reason })
  readonly #readers = new Readers<MailboxMessage>()
  #ended = false
  #deleting: Map<string, Deferred<void>> | undefined
  #again: ReturnType<typeof setTimeout> | undefined

  constructor(host: MailboxHost, sub: number, terms: MailboxTerms, options: MailboxOptions) {
    const { maxDeliveries, onDeadLetter, signal } = options
    if ((maxDeliveries === undefined) !== (onDeadLetter === undefined))
      throw new TypeError('maxDeliveries and onDeadLetter go together')
    if (maxDeliveries !== undefined && !(maxDeliveries >= 1))
      throw new RangeError(`maxDeliveries must be 1 or more, got ${maxDeliveries}`)
    this.#host = host
    this.sub = sub
    this.name = terms.name
    this.#terms = terms
    this.#options = options
    this.#letters = new Letters(terms.ackTimeoutMs ?? ACK_TIMEOUT_MS)
    this.opened = this.#opened.promise
    host.listens(this, true)
    for (const connection of host.connections) {
      this.#places.set(connection.url, new MailboxPlace(connection, sub))
      this.up(connection)
    }
    if (signal?.aborted === true) this.#onAbort()
    else signal?.addEventListener('abort', this.#onAbort, { once: true })
  }

  close(): void {
    this.#end({})
  }

  async delete(options: Parameters<Mailbox['delete']>[0] = {}): Promise<void> {
    const { signal, timeoutMs = 10_000 } = options
    checkTimeout(timeoutMs)
    this.#deleting = new Map([...this.#places.keys()].map((relay) => [relay, deferred<void>()]))
    const deleted = Promise.all([...this.#deleting.values()].map(({ promise }) => promise))
    this.#end({})
    this.#host.listens(this, true)
    for (const { connection } of this.#places.values()) this.up(connection)
    try {
      await within(deleted, { signal, timeoutMs }, () => {
        throw new ClientError('TIMEOUT', 'not every relay has confirmed that the mailbox is deleted')
      })
    } finally {
      this.#deleting = undefined
      this.#host.listens(this, false)
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<MailboxMessage, undefined> {
    return {
      next: () => {
        const next = this.#readers.next()
        if (!this.#ended) this.#dispatch()
        return next
      },
      return: async () => {
        this.#end({})
        return { done: true, value: undefined }
      },
    }
  }

  /** There is a session, or the relay has heard who we are. */
  up(connection: Connection): void {
    const place = this.#places.get(connection.url)
    const { session } = connection
    if (place === undefined || session === undefined) return
    if (!session.features.includes('mailbox')) {
      const why = new ClientError('UNSUPPORTED', 'the relay has no mailboxes', { relay: connection.url })
      this.#deleting?.get(connection.url)?.resolve()
      this.#fail(place, why)
    } else if (this.#deleting !== undefined) {
      const { pubkey, name } = this.#terms
      connection.send({ type: 'mailbox_delete', sub: this.sub, pubkey, name })
    } else if (!this.#ended && !place.asked) place.ask(this.#terms)
  }

  down(connection: Connection): void {
    const place = this.#places.get(connection.url)
    place?.down()
    this.#letters.lost(connection.url)
    if (!this.#ended || place === undefined) return
    place.fail(new ClientError('CLOSED'))
    this.#settleEnd()
  }

  delivered(connection: Connection, event: VerifiedEvent, seq: bigint, deliveries: number): void {
    const place = this.#places.get(connection.url)
    if (place === undefined || !place.asked || this.#ended) return
    const delivered = { epoch: place.epoch, seq, at: performance.now() }
    const what = this.#letters.take(event, connection.url, delivered, deliveries)
    if (what === 'acked') place.ack(seq)
    else if (what === 'waiting') this.#dispatch()
  }

  /** Frames that name it, but for events. */
  frame(connection: Connection, frame: InFrame): void {
    const place = this.#places.get(connection.url)
    if (place === undefined) return
    if (frame.type === 'mailbox_acked') {
      place.confirmed(frame.seqs)
      this.#settleEnd()
    } else if (frame.type === 'mailbox_deleted') this.#deleting?.get(connection.url)?.resolve()
    else if (frame.type === 'subscribed') this.#confirmed(place, frame.gap)
    else if (frame.type === 'closed') this.#refused(place, frame)
  }

  /** The client is closed. */
  closeNow(): void {
    this.#end({})
    const error = new ClientError('CLOSED')
    for (const place of this.#places.values()) place.fail(error)
    for (const waiting of this.#deleting?.values() ?? []) waiting.reject(error)
    this.#host.listens(this, false)
  }

  #confirmed(place: MailboxPlace, gap: boolean): void {
    place.failed = undefined
    this.#opened.resolve()
    if (!gap) return
    this.gap = true
    this.#call('onGap', () => this.#options.onGap?.(place.connection.url))
  }

  #refused(
    place: MailboxPlace,
    { code, error }: { readonly code: RejectCode; readonly error: string },
  ): void {
    const { connection } = place
    const { url: relay } = connection
    const again = code === 'auth_required' ? connection.again(place.proofs) : 'never'
    place.down()
    this.#letters.lost(relay)
    const facts = { relay, rejectCode: code }
    const why = new ClientError('REJECTED', `the relay refused the mailbox: ${error}`, facts)
    if (this.#deleting !== undefined) {
      if (again === 'now') this.up(connection)
      // That it is deleted is first said to who had it open.
      else if (again === 'never' && code !== 'subscription_not_found') this.#deleting.get(relay)?.reject(why)
    } else if (again === 'now') this.up(connection)
    else if (PASSING.has(code)) this.#askAgain()
    else if (again === 'never' && code !== 'going_away') this.#fail(place, why)
  }

  /** Ends it when no relay is left. */
  #fail(place: MailboxPlace, why: ClientError): void {
    place.failed = why
    place.fail(why)
    if (this.#ended) return
    this.#host.onError(why)
    if ([...this.#places.values()].every(({ failed }) => failed !== undefined)) {
      this.#opened.reject(why)
      this.#end({ error: why })
    }
  }

  #askAgain(): void {
    this.#again ??= setTimeout(() => {
      this.#again = undefined
      for (const { connection } of this.#places.values()) this.up(connection)
    }, AGAIN_MS)
  }

  /** Letters to readers. What was delivered too often needs no reader. */
  #dispatch(): void {
    while (this.#readers.waiting) {
      const letter = this.#letters.hand()
      if (letter === undefined) return
      const { event, deliveries } = letter
      if (deliveries > (this.#options.maxDeliveries ?? Number.POSITIVE_INFINITY)) void this.#bury(letter)
      else {
        const value: MailboxMessage = {
          ...{ event, deliveries },
          ack: () => this.#ack(letter),
          nack: (delayMs = 0) => this.#nack(letter, delayMs),
        }
        this.#readers.give(value)
      }
    }
  }

  async #bury(letter: Letter): Promise<void> {
    const { event, deliveries } = letter
    try {
      await this.#options.onDeadLetter?.({ event, deliveries })
      await this.#ack(letter)
    } catch (cause) {
      this.#nack(letter, this.#terms.ackTimeoutMs ?? ACK_TIMEOUT_MS)
      if (!ClientError.is(cause, 'CLOSED'))
        this.#host.onError(new ClientError('HANDLER_FAILED', 'onDeadLetter failed', { cause }))
    }
  }

  async #ack(letter: Letter): Promise<void> {
    if (this.#ended) throw new ClientError('CLOSED')
    this.#letters.ack(letter)
    const acks = this.#deliverers(letter).map(([place, seq]) => place.ack(seq))
    if (acks.length === 0) return
    // One that is away is told when it is back; as long as another has it on disk nobody waits for that.
    await Promise.any(acks.map(({ confirmed }) => confirmed.promise)).catch(({ errors }: AggregateError) => {
      throw errors[0]
    })
    await Promise.all(acks.map(({ released }) => released.promise))
  }

  #nack(letter: Letter, delayMs: number): void {
    if (this.#ended) return
    this.#letters.forget(letter)
    for (const [place, seq] of this.#deliverers(letter))
      if (place.asked)
        place.connection.send({
          ...{ type: 'mailbox_nack', sub: this.sub, seqs: [seq] },
          ...(delayMs > 0 && { delayMs }),
        })
  }

  #deliverers(letter: Letter): [MailboxPlace, bigint][] {
    const found: [MailboxPlace, bigint][] = []
    for (const [relay, { epoch, seq }] of letter.delivered) {
      const place = this.#places.get(relay)
      if (place !== undefined && place.epoch === epoch) found.push([place, seq])
    }
    return found
  }

  #end(ended: { readonly error?: unknown }): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#again)
    this.#options.signal?.removeEventListener('abort', this.#onAbort)
    this.#opened.reject(ended.error ?? new ClientError('CLOSED'))
    for (const { asked, connection } of this.#places.values())
      if (asked) queueMicrotask(() => connection.send({ type: 'unsubscribe', sub: this.sub }))
    for (const place of this.#places.values()) if (!place.asked) place.fail(new ClientError('CLOSED'))
    this.#readers.end(ended)
    this.#settleEnd()
  }

  /** Over when no ack is without an answer. */
  #settleEnd(): void {
    if (!this.#ended || this.#deleting !== undefined) return
    if ([...this.#places.values()].every(({ pending }) => !pending)) this.#host.listens(this, false)
  }

  #call(what: string, run: () => void): void {
    try {
      run()
    } catch (cause) {
      this.#host.onError(new ClientError('HANDLER_FAILED', `${what} threw`, { cause }))
    }
  }
}
