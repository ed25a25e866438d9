/**
 * The durable mailboxes of a relay: which there are, which are open, and the removal of those that nobody has used for
 * long. See "Mailboxes" in schemas/README.md for what they do.
 */
import { blake3, type Filter, type MailboxTerms, type Reject, reject, toHex } from '@aetherkit/core'
import type { Bus } from '../bus.js'
import { filterKey } from '../filter-place.js'
import type { Limits } from '../limits.js'
import { failure } from '../store/failure.js'
import { Mailbox } from './mailbox.js'
import type { MailboxFile } from './mailbox-file.js'
import { MailboxJournal } from './mailbox-journal.js'
import { type MailboxRecord, readRecord } from './mailbox-record.js'
import { firstSeqOf } from './spool.js'

/** Sessions that may share one mailbox. */
const MAX_CONSUMERS = 256
/** Mailboxes of all agents. */
const MAX_MAILBOXES = 1_000_000
/** Records that one look for idle ones goes through. */
const LOOK = 256
/** An open mailbox is written down when it has gone on so far. */
const FAR = 4096n

export interface MailboxesOptions {
  readonly file: MailboxFile
  readonly limits: Limits
  /** Between two looks for idle ones, default 60 seconds. */
  readonly everyMs?: number
  /** The file could not be written. */
  failed(error: unknown): void
}

export interface Opened {
  readonly ok: true
  readonly mailbox: Mailbox
  /** Events may be missing: they were taken out of the store, or it is another store. */
  readonly gap: boolean
  /** Resolves when it is durable that there is such a mailbox. */
  readonly written: Promise<void> | undefined
}

export class Mailboxes {
  readonly #options: MailboxesOptions
  readonly #journal: MailboxJournal
  readonly #open = new Map<string, Mailbox>()
  readonly #timer: NodeJS.Timeout
  #looked = ''

  constructor(options: MailboxesOptions) {
    this.#options = options
    this.#journal = new MailboxJournal(options.file)
    this.#timer = setInterval(() => this.#look(), options.everyMs ?? 60_000)
    this.#timer.unref()
  }

  get open(): number {
    return this.#open.size
  }

  get unacked(): number {
    let sum = 0
    for (const mailbox of this.#open.values()) sum += mailbox.unacked
    return sum
  }

  /**
   * Opens or makes it; the caller is to join. `subscription_conflict`: it has other filters; `limit_exceeded`: too many
   * mailboxes or consumers; `unavailable`: the file cannot be read.
   */
  enter(bus: Bus, { pubkey, name, from }: MailboxTerms, filters: readonly Filter[]): Opened | Reject {
    const key = keyOf(pubkey, name)
    const hash = hashOf(filters)
    const known = this.#open.get(key)
    if (known !== undefined) {
      if (known.filtersHash !== hash) return conflict()
      if (known.consumers >= MAX_CONSUMERS)
        return reject('limit_exceeded', undefined, `at most ${MAX_CONSUMERS} sessions of one mailbox`)
      return { ok: true, mailbox: known, gap: false, written: undefined }
    }
    const text = this.#journal.get(key)
    const record = text === undefined ? undefined : readRecord(text)
    if (record !== undefined && record.filters !== hash) return conflict()
    const refusal = text === undefined ? this.#refuseNew(pubkey) : undefined
    if (refusal !== undefined) return refusal
    const { state, gap } = begin(bus, { filters, hash, from, record })
    const mailbox = new Mailbox({
      ...{ bus, journal: this.#journal, key, pubkey, filters, record: state },
      left: () => {
        if (this.#open.get(key) === mailbox) this.#open.delete(key)
      },
    })
    this.#open.set(key, mailbox)
    return { ok: true, mailbox, gap, written: text === undefined ? mailbox.save() : undefined }
  }

  /** Resolves when it is durable that there is none; whoever has it open is told. */
  delete(pubkey: string, name: string): Promise<void> {
    const key = keyOf(pubkey, name)
    const mailbox = this.#open.get(key)
    this.#open.delete(key)
    mailbox?.close(reject('subscription_not_found', undefined, 'the mailbox was deleted'))
    return this.#journal.put(key, () => undefined)
  }

  /** What could not be written is told to whoever observes, and to the caller as a reject. */
  refused(error: unknown): Reject {
    this.#options.failed(error)
    const { code } = failure('mailboxes', error, 'unavailable')
    return { ...reject(code === 'storage_full' ? code : 'unavailable'), retryAfterMs: 1000 }
  }

  /** Writes down what is open, and lets go of the file. Sessions have ended. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    for (const mailbox of this.#open.values()) mailbox.end()
    await this.#journal.close()
  }

  #refuseNew(pubkey: string): Reject | undefined {
    const { maxMailboxes } = this.#options.limits
    if (this.#journal.count(`${pubkey}:`, maxMailboxes) >= maxMailboxes)
      return reject('limit_exceeded', undefined, `at most ${maxMailboxes} mailboxes of one key`)
    return this.#options.file.size >= MAX_MAILBOXES ? reject('storage_full') : undefined
  }

  /** A part of all records each time. */
  #look(): void {
    try {
      for (const mailbox of this.#open.values()) mailbox.saveIfFar(FAR)
      const page = this.#options.file.page(this.#looked, LOOK)
      const before = Date.now() - this.#options.limits.mailboxIdleMs
      for (const [key] of page) {
        if (this.#open.has(key)) continue
        const record = readRecord(this.#journal.get(key) ?? '')
        if (record !== undefined && record.used < before)
          this.#journal.put(key, () => undefined).catch((error) => this.#options.failed(error))
      }
      this.#looked = page.length < LOOK ? '' : (page.at(-1)?.[0] ?? '')
    } catch (error) {
      this.#options.failed(error)
    }
  }
}

/** Where a mailbox goes on, or begins. */
function begin(
  { history: { store, ring } }: Bus,
  {
    filters,
    hash,
    from,
    record,
  }: { filters: readonly Filter[]; hash: string; from: 'start' | 'now'; record: MailboxRecord | undefined },
): { state: MailboxRecord; gap: boolean } {
  const first = firstSeqOf(store, filters)
  const start = first > 0n ? first - 1n : 0n
  const fresh = { epoch: store.epoch, filters: hash, used: Date.now(), open: [], early: [] }
  if (record === undefined)
    return { state: { ...fresh, position: from === 'now' ? ring.last : start }, gap: false }
  // Another store, with seqs of its own.
  if (record.epoch !== store.epoch) return { state: { ...fresh, position: start }, gap: true }
  const isGone = record.position < start || record.open.some(([seq]) => seq <= start)
  return { state: { ...record, position: record.position < start ? start : record.position }, gap: isGone }
}

function conflict(): Reject {
  return reject(
    'subscription_conflict',
    undefined,
    'the mailbox has other filters: delete it, or use another name',
  )
}

function keyOf(pubkey: string, name: string): string {
  return `${pubkey}:${name}`
}

function hashOf(filters: readonly Filter[]): string {
  const keys = [...new Set(filters.map(filterKey))].sort()
  return toHex(blake3(Buffer.from(JSON.stringify(keys))))
}
