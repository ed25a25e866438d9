/**
 * The ledger (spec solana 6 and 8): which payment has been claimed, sent and settled, and for what. One claim wins
 * (R1), what was sent belongs to its claimant until it is decided (R4), and nothing comes back to life (R5).
 *
 *   claimed ---- sent ---- settled          claimed lapses after its ttl: nothing was broadcast under it
 *      |           |                        sent never lapses: it ends when the chain has decided
 *   release     release                     settled stays for the receipt window
 *
 * A claimant that was taken for dead finds out: each of its steps names it, and is refused once the claim is another's.
 */
import { type PaymentRecord, readRecord, type Sent, type Settled, writeRecord } from './record.js'
import { createService, type Service } from './service.js'
import type { LedgerStore } from './store.js'

export interface ClaimOptions {
  /** Who claims; random when absent. Later steps that name another are refused. */
  readonly claimant?: string
  /** What the payment is used for; kept with it. */
  readonly resource?: string
}

export interface Ledger extends Service {
  readonly store: LedgerStore
  /** ONE atomic step: `new` for exactly one caller, `claimed` while it is anybody's, or what it became. */
  claim(paymentId: string, ttlMs: number, options?: ClaimOptions): Promise<'new' | 'claimed' | Settled>
  /** Prolongs an own claim; false when it is not one's own any more. */
  renew(paymentId: string, claimant: string, ttlMs: number): Promise<boolean>
  /**
   * Before the broadcast: from now on the claim does not lapse. False when the claim is lost, then nothing may be sent.
   * Without a transaction (a remote facilitator tells it afterwards) the id is not known yet.
   */
  sent(paymentId: string, sent: Omit<Sent, 'at'>, claimant: string, ttlMs: number): Promise<boolean>
  /** Takes over a sent payment whose claimant has not renewed in time; undefined when it is another's or no such. */
  adopt(paymentId: string, claimant: string, ttlMs: number): Promise<Sent | undefined>
  /** It is paid. True for the one call that made it so. */
  finish(paymentId: string, settled: Settled): Promise<boolean>
  /** It was not paid and will not be. Does nothing after `finish`, or when the claim is another's. */
  release(paymentId: string, claimant?: string): Promise<boolean>
  /** By payment id or transaction. */
  find(key: string): Promise<PaymentRecord | undefined>
  /** Payments sent and not decided, for start-up (R6). */
  undecided(): Promise<readonly PaymentRecord[]>
  close(): Promise<void>
}

export interface LedgerOptions {
  /** Separates ledgers in one store, `pay` by default. */
  readonly namespace?: string
  /** How long sent and settled records and deliveries are kept: the receipt window, 24 h by default. */
  readonly keepMs?: number
  readonly now?: () => number
}

const HOUR_MS = 3_600_000

export function createLedger(store: LedgerStore, options: LedgerOptions = {}): Ledger {
  const { namespace = 'pay', keepMs = 24 * HOUR_MS, now = Date.now } = options
  const key = (paymentId: string): string => `${namespace}/${paymentId}`
  const transactionKey = (transaction: string): string => `${namespace}-tx/${transaction}`

  /** Reads, decides, swaps, until nobody came between. `undefined` from `change` leaves all as it is. */
  async function update(
    paymentId: string,
    change: (
      record: PaymentRecord | undefined,
    ) => { next: PaymentRecord | undefined; ttlMs: number } | undefined,
  ): Promise<boolean> {
    while (true) {
      const text = await store.get(key(paymentId))
      const changed = change(text === undefined ? undefined : readRecord(paymentId, text))
      if (changed === undefined) return false
      const next = changed.next === undefined ? undefined : writeRecord(changed.next)
      if (await store.swap(key(paymentId), text, next, changed.ttlMs)) return true
    }
  }

  async function index(transaction: string, paymentId: string): Promise<void> {
    if (transaction !== '') await store.swap(transactionKey(transaction), undefined, paymentId, keepMs)
  }

  return {
    store,
    ...createService(store, namespace, keepMs),
    async claim(paymentId, ttlMs, { claimant = crypto.randomUUID(), resource } = {}) {
      const record: PaymentRecord = {
        paymentId,
        state: 'claimed',
        claimant,
        until: now() + ttlMs,
        ...(resource !== undefined && { resource }),
      }
      const mine = writeRecord(record)
      while (true) {
        if (await store.swap(key(paymentId), undefined, mine, ttlMs)) return 'new'
        const text = await store.get(key(paymentId))
        if (text !== undefined) return readRecord(paymentId, text).settled ?? 'claimed'
      }
    },
    renew: (paymentId, claimant, ttlMs) =>
      update(paymentId, (record) => {
        if (record?.claimant !== claimant || record.state === 'settled') return undefined
        const next = { ...record, until: now() + ttlMs }
        return { next, ttlMs: record.state === 'sent' ? keepMs : ttlMs }
      }),
    async sent(paymentId, sent, claimant, ttlMs) {
      const [isMine] = await Promise.all([
        update(paymentId, (record) => {
          if (record?.claimant !== claimant || record.state === 'settled') return undefined
          const next = {
            ...record,
            state: 'sent' as const,
            sent: { ...sent, at: now() },
            until: now() + ttlMs,
          }
          return { next, ttlMs: keepMs }
        }),
        index(sent.transaction, paymentId),
      ])
      return isMine
    },
    async adopt(paymentId, claimant, ttlMs) {
      let sent: Sent | undefined
      const isMine = await update(paymentId, (record) => {
        if (record?.state !== 'sent' || record.until > now()) return undefined
        sent = record.sent
        return { next: { ...record, claimant, until: now() + ttlMs }, ttlMs: keepMs }
      })
      return isMine ? sent : undefined
    },
    async finish(paymentId, settled) {
      const [isFirst] = await Promise.all([
        update(paymentId, (record) => {
          if (record?.state === 'settled') return undefined
          const open = record ?? { paymentId, claimant: '' }
          return { next: { ...open, state: 'settled', until: now() + keepMs, settled }, ttlMs: keepMs }
        }),
        index(settled.transaction, paymentId),
      ])
      return isFirst
    },
    release: (paymentId, claimant) =>
      update(paymentId, (record) => {
        if (record === undefined || record.state === 'settled') return undefined
        if (claimant !== undefined && record.claimant !== claimant) return undefined
        return { next: undefined, ttlMs: 0 }
      }),
    async find(given) {
      const paymentId = (await store.get(transactionKey(given))) ?? given
      const text = await store.get(key(paymentId))
      return text === undefined ? undefined : readRecord(paymentId, text)
    },
    async undecided() {
      const found: PaymentRecord[] = []
      for (const name of await store.keys(`${namespace}/`)) {
        const text = await store.get(name)
        const record = text === undefined ? undefined : readRecord(name.slice(namespace.length + 1), text)
        if (record?.state === 'sent') found.push(record)
      }
      return found
    },
    close: () => store.close(),
  }
}
