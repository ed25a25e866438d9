/**
 * The buyer's journal (spec payments 12): every signed payment is in it before it is sent, with what it takes to present
 * the same bytes again, to find them on the chain, and to know when they can no longer land. It also keeps what was
 * spent, and whom each host is paid through.
 *
 *   open     may land: present it again, never sign another for the same intent
 *   refused  the seller will not take it: another may be signed, the amount stays reserved until it is dead
 *   paid     it landed or has a receipt, and was not served yet: present it again
 *   served   paid, and the answer was handed over
 *   failed   landed with an error; nothing moved, the amount is free again
 *   dead     can no longer land; the amount is free again
 */
import { accountsOf, brokenCap, type CapName, type Caps, type Spending, type Withdrawal } from './budget.js'
import { fileJournalStore, type JournalStore, memoryJournalStore } from './buyer/journal-store.js'
import {
  addSpent,
  creditsIn,
  entriesOf,
  entryIn,
  FREE,
  intentKey,
  KEYED,
  MAY_LAND,
  payeesIn,
  payeesKey,
  putCredits,
  putEntry,
  spendingOf,
  spentIn,
  undecidedIn,
} from './buyer/journal-table.js'
import type { Network } from './network.js'

export type PaymentState = 'open' | 'refused' | 'paid' | 'served' | 'failed' | 'dead'

export interface JournalEntry {
  /** SHA-256 of the message bytes, hex. */
  readonly id: string
  /** SHA-256 of method, URL, body hash and idempotency key, hex. */
  readonly intent: string
  readonly state: PaymentState
  readonly method: string
  /** Where it is presented. */
  readonly url: string
  readonly host: string
  readonly description: string
  readonly network: Network
  readonly asset: string
  /** Atomic, decimal. */
  readonly amount: string
  readonly decimals: number
  readonly payTo: string
  /** The header that pays. */
  readonly header: readonly [name: string, value: string]
  /** A secret that goes with it: only its sender gets a credit token again (claim.ts). */
  readonly claim?: string
  readonly payer: string
  /** The token account that it is taken from. */
  readonly source: string
  /** The buyer's own signature, base58: how it is found on the chain. */
  readonly signature: string
  readonly memo?: string
  readonly blockhash: string
  /** Block height, decimal; missing when no node was asked. */
  readonly lastValidBlockHeight?: string
  /** Micro-dollars, decimal. */
  readonly dollars: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** The transaction id, once somebody told it. */
  readonly transaction?: string
  readonly reason?: string
}

export interface BrokenCap {
  readonly cap: CapName
  /** Micro-dollars. */
  readonly left: bigint
}

/** What a seller gave for a payment in place of the goods. */
export interface StoredCredit {
  readonly token: string
  readonly network: Network
  readonly asset: string
}

/** What an intent finds. */
interface Adopted {
  readonly entry: JournalEntry
}

export interface Journal {
  /** Sets an amount aside, or says which cap it would break; one step, whoever else asks. */
  hold(
    spending: Spending,
    caps: Caps,
    withdrawal?: Withdrawal,
  ): Promise<{ readonly hold: symbol } | BrokenCap>
  drop(hold: symbol): void
  /**
   * Atomic units of a token that payments under way may still take from a wallet: those whose fate is open, and what
   * was set aside before `hold`, or by anybody without one.
   */
  inFlight(of: Omit<Withdrawal, 'amount'> & { readonly network: Network }, hold?: symbol): Promise<bigint>
  /**
   * Writes a signed payment, durable when it resolves; the hold becomes spending, and the payee is the host's from now
   * on. With a key, an entry that the same intent got meanwhile wins, and the new one was never there.
   */
  record(entry: JournalEntry, hold: symbol, caps: Caps, keyed: boolean): Promise<Adopted | BrokenCap>
  /**
   * The payment that an intent already has, if it may be presented again; it is then this caller's until `leave`.
   * Without a key: one that another call left behind within the last hour, never one that is in use or was handed over.
   */
  adopt(
    intent: string,
    keyed: boolean,
    by: Pick<JournalEntry, 'network' | 'payer'>,
  ): Promise<JournalEntry | undefined>
  leave(id: string): void
  update(id: string, change: Pick<JournalEntry, 'state'> & Partial<JournalEntry>): Promise<void>
  /** The answer was given to the caller: an equal request is a new purchase. `false`: it broke off on the way. */
  handOver(id: string, whole: boolean): void
  entries(): Promise<readonly JournalEntry[]>
  /** Micro-dollars, by account key. */
  spent(key: string): Promise<bigint>
  payees(network: Network, host: string): Promise<readonly string[]>
  /** Credit tokens of an origin, oldest first. */
  credits(origin: string): Promise<readonly StoredCredit[]>
  keepCredit(origin: string, credit: StoredCredit): Promise<void>
  dropCredit(origin: string, token: string): Promise<void>
  /** Forgets what is older than 90 days and of known fate. */
  prune(): Promise<void>
  /** One call of an intent after the other. */
  inTurn<T>(intent: string, run: () => Promise<T>): Promise<T>
  close(): Promise<void>
}

const ADOPT_MS = 3_600_000
/** A seller that gives more tokens than this has the oldest forgotten. */
const MAX_CREDITS = 64
const KEEP_MS = 90 * 86_400_000
const PRESENTABLE: readonly PaymentState[] = ['open', 'paid']

/** In memory: good for tests and for one short run; see {@link fileJournal}. */
export function memoryJournal(options: { readonly now?: () => number } = {}): Journal {
  return createJournal(memoryJournalStore(), options)
}

/**
 * In an LMDB file, which processes may share.
 * @throws PaymentError `invalid_option` when it cannot be opened
 */
export function fileJournal(path: string, options: { readonly now?: () => number } = {}): Journal {
  return createJournal(fileJournalStore(path), options)
}

export function createJournal(store: JournalStore, options: { readonly now?: () => number } = {}): Journal {
  const { now = Date.now } = options
  const holds = new Map<symbol, Spending & { readonly withdrawal: Withdrawal | undefined }>()
  const busy = new Set<string>()
  const handed = new Set<string>()
  const turns = new Map<string, Promise<unknown>>()

  const held = (key: string, except?: symbol): bigint => {
    let sum = 0n
    for (const [hold, spending] of holds) {
      if (hold !== except && accountsOf(spending).some((account) => account.key === key))
        sum += spending.dollars
    }
    return sum
  }

  return {
    hold: (spending, caps, withdrawal) =>
      store.transact((table) => {
        const broken = brokenCap(spending, caps, (key) => spentIn(table, key) + held(key))
        if (broken !== undefined) return broken
        const hold = Symbol('hold')
        holds.set(hold, { ...spending, withdrawal })
        return { hold }
      }),
    drop: (hold) => void holds.delete(hold),
    inFlight: ({ network, payer, asset }, own) =>
      store.transact((table) => {
        let sum = 0n
        for (const entry of undecidedIn(table)) {
          const isSame = entry.network === network && entry.payer === payer && entry.asset === asset
          if (isSame) sum += BigInt(entry.amount)
        }
        // In the order in which they were made: the first is not in the way of itself.
        for (const [hold, { network: on, withdrawal }] of holds) {
          if (hold === own) break
          if (on === network && withdrawal?.payer === payer && withdrawal.asset === asset)
            sum += withdrawal.amount
        }
        return sum
      }),
    record: (entry, hold, caps, keyed) =>
      store.transact((table) => {
        const earlier = keyed ? entriesOf(table, entry.intent, entry).find(isKept) : undefined
        if (earlier !== undefined) {
          holds.delete(hold)
          busy.add(earlier.id)
          return { entry: earlier }
        }
        const spending = spendingOf(entry)
        // Another process may have spent since the hold.
        const broken = brokenCap(spending, caps, (key) => spentIn(table, key) + held(key, hold))
        if (broken !== undefined) return broken
        holds.delete(hold)
        busy.add(entry.id)
        table.put(intentKey(entry), keyed ? KEYED : '')
        putEntry(table, entry)
        addSpent(table, spending, spending.dollars)
        const payees = payeesIn(table, entry.network, entry.host)
        if (!payees.includes(entry.payTo))
          table.put(payeesKey(entry.network, entry.host), JSON.stringify([...payees, entry.payTo]))
        return { entry }
      }),
    adopt: (intent, keyed, by) =>
      store.transact((table) => {
        const found = entriesOf(table, intent, by).find((entry) =>
          keyed
            ? isKept(entry)
            : PRESENTABLE.includes(entry.state) &&
              now() - entry.createdAt < ADOPT_MS &&
              !busy.has(entry.id) &&
              !handed.has(entry.id),
        )
        if (found !== undefined) busy.add(found.id)
        return found
      }),
    leave: (id) => void busy.delete(id),
    update: (id, change) =>
      store.transact((table) => {
        const entry = entryIn(table, id)
        // What is free again was given back once; nothing comes back to life.
        if (entry === undefined || FREE.includes(entry.state)) return
        // A served payment has landed: a late answer to a copy of it takes nothing back.
        if (entry.state === 'served' && !FREE.includes(change.state)) return
        putEntry(table, { ...entry, ...change })
        if (change.state === 'served') handed.delete(id)
        if (FREE.includes(change.state)) addSpent(table, spendingOf(entry), -BigInt(entry.dollars))
      }),
    handOver(id, whole) {
      if (whole) handed.add(id)
      else handed.delete(id)
    },
    entries: () =>
      store.transact((table) =>
        table
          .list('entry/')
          .map(([, text]) => JSON.parse(text) as JournalEntry)
          .sort((a, b) => a.createdAt - b.createdAt),
      ),
    spent: (key) => store.transact((table) => spentIn(table, key) + held(key)),
    payees: (network, host) => store.transact((table) => payeesIn(table, network, host)),
    credits: (origin) => store.transact((table) => creditsIn(table, origin)),
    keepCredit: (origin, credit) =>
      store.transact((table) => {
        const others = creditsIn(table, origin).filter(({ token }) => token !== credit.token)
        putCredits(table, origin, [...others, credit].slice(-MAX_CREDITS))
      }),
    dropCredit: (origin, token) =>
      store.transact((table) => {
        putCredits(
          table,
          origin,
          creditsIn(table, origin).filter((credit) => credit.token !== token),
        )
      }),
    prune: () =>
      store.transact((table) => {
        for (const [key, text] of table.list('entry/')) {
          const entry = JSON.parse(text) as JournalEntry
          if (MAY_LAND.includes(entry.state) || now() - entry.createdAt < KEEP_MS) continue
          table.remove(key)
          table.remove(intentKey(entry))
        }
      }),
    async inTurn(intent, run) {
      const before = turns.get(intent) ?? Promise.resolve()
      const mine = before.then(run, run)
      turns.set(intent, mine)
      try {
        return await mine
      } finally {
        if (turns.get(intent) === mine) turns.delete(intent)
      }
    },
    close: () => store.close(),
  }
}

/** Whether a keyed intent is answered by it. */
function isKept({ state }: JournalEntry): boolean {
  return state === 'served' || PRESENTABLE.includes(state)
}
