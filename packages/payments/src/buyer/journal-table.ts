/**
 * How a journal lies in its table: entries by id, those that an equal request may still find by intent, those of unknown
 * fate, what was spent by account, payees by host, credit by origin. A purchase looks at no entry that is over, however
 * many there are.
 */
import { accountsOf, type Spending } from '../budget.js'
import type { JournalEntry, PaymentState, StoredCredit } from '../journal.js'
import type { Network } from '../network.js'
import type { JournalTable } from './journal-store.js'

function entryKey(id: string): string {
  return `entry/${id}`
}

export function payeesKey(network: Network, host: string): string {
  return `payee/${network}/${host}`
}

export function intentKey({ intent, id }: JournalEntry): string {
  return `intent/${intent}/${id}`
}

/** The value of an intent key whose request named a key of its own. */
export const KEYED = 'keyed'
/** Nothing was paid. */
export const FREE: readonly PaymentState[] = ['failed', 'dead']
export const MAY_LAND: readonly PaymentState[] = ['open', 'refused']

/** Writes an entry, and whether it is looked for by intent or by fate from now on. Its intent key is there when it is new. */
export function putEntry(table: JournalTable, entry: JournalEntry): void {
  const { id, state } = entry
  table.put(entryKey(id), JSON.stringify(entry))
  if (MAY_LAND.includes(state)) table.put(`undecided/${id}`, '')
  else table.remove(`undecided/${id}`)
  // What is served answers a repetition only of a request with a key.
  const isOver = FREE.includes(state) || (state === 'served' && table.get(intentKey(entry)) !== KEYED)
  if (isOver) table.remove(intentKey(entry))
}

/** Payments that may still land. */
export function undecidedIn(table: JournalTable): readonly JournalEntry[] {
  return table.list('undecided/').flatMap(([key]) => entryIn(table, key.slice('undecided/'.length)) ?? [])
}

export function entryIn(table: JournalTable, id: string): JournalEntry | undefined {
  const text = table.get(entryKey(id))
  return text === undefined ? undefined : (JSON.parse(text) as JournalEntry)
}

export function entriesOf(
  table: JournalTable,
  intent: string,
  { network, payer }: Pick<JournalEntry, 'network' | 'payer'>,
): readonly JournalEntry[] {
  const prefix = `intent/${intent}/`
  const found = table.list(prefix).flatMap(([key]) => entryIn(table, key.slice(prefix.length)) ?? [])
  const own = found.filter((entry) => entry.network === network && entry.payer === payer)
  return own.sort((a, b) => a.createdAt - b.createdAt)
}

export function payeesIn(table: JournalTable, network: Network, host: string): readonly string[] {
  return JSON.parse(table.get(payeesKey(network, host)) ?? '[]') as readonly string[]
}

export function creditsIn(table: JournalTable, origin: string): readonly StoredCredit[] {
  return JSON.parse(table.get(`credit/${origin}`) ?? '[]') as readonly StoredCredit[]
}

export function putCredits(table: JournalTable, origin: string, credits: readonly StoredCredit[]): void {
  if (credits.length === 0) table.remove(`credit/${origin}`)
  else table.put(`credit/${origin}`, JSON.stringify(credits))
}

export function spentIn(table: JournalTable, key: string): bigint {
  return BigInt(table.get(`spent/${key}`) ?? '0')
}

export function addSpent(table: JournalTable, spending: Omit<Spending, 'dollars'>, dollars: bigint): void {
  for (const { key } of accountsOf(spending))
    table.put(`spent/${key}`, (spentIn(table, key) + dollars).toString())
}

export function spendingOf({ network, host, dollars, createdAt }: JournalEntry): Spending {
  return { network, host, dollars: BigInt(dollars), at: createdAt }
}
