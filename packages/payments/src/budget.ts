/**
 * What a buyer may spend (spec payments 12): caps per call, host, day (UTC) and in total, in US dollars. A token of the
 * table counts as a dollar each, and so does one whole unit of any other token that the caller allows. Spending is kept
 * in the journal, where each network has its own account: test money never uses up real money's budget.
 */
import { PaymentError } from './errors.js'
import { formatAmount } from './money.js'
import type { Network } from './network.js'

/** `"$0.10"`, `"0.10"` or a number; `"0"` allows nothing. A cap that is left out does not limit. */
export interface BudgetCaps {
  readonly perCall?: string | number
  readonly perHost?: string | number
  /** Calendar day, UTC. */
  readonly perDay?: string | number
  readonly total?: string | number
}

export type CapName = keyof BudgetCaps
/** Micro-dollars. */
export type Caps = Readonly<Partial<Record<CapName, bigint>>>

/** One payment as the budget sees it. */
export interface Spending {
  readonly network: Network
  /** With port. */
  readonly host: string
  /** Micro-dollars. */
  readonly dollars: bigint
  /** Milliseconds since 1970. */
  readonly at: number
}

/** What a payment takes from a wallet. */
export interface Withdrawal {
  readonly payer: string
  readonly asset: string
  /** Atomic. */
  readonly amount: bigint
}

/** Finite, so that a forgotten setting is no open purse. */
export const DEFAULT_CAPS: BudgetCaps = { perCall: '$1', perDay: '$10' }
const NAMES: readonly CapName[] = ['perCall', 'perHost', 'perDay', 'total']
const DOLLAR_DECIMALS = 6
const DOLLARS = /^\$?(0|[1-9]\d{0,11})(?:\.(\d{1,6}))?$/

/** @throws PaymentError `invalid_option` for a cap that is no plain decimal of at most six places */
export function readCaps(caps: BudgetCaps): Caps {
  const read: Partial<Record<CapName, bigint>> = {}
  for (const name of NAMES) {
    const given = caps[name]
    if (given === undefined) continue
    const match = DOLLARS.exec(String(given))
    if (match === null)
      throw new PaymentError('invalid_option', `budget ${name}: "$0.10" expected, got ${given}`)
    const [, whole = '', fraction = ''] = match
    read[name] = BigInt(whole + fraction.padEnd(DOLLAR_DECIMALS, '0'))
  }
  return read
}

/** An atomic amount of a token with so many decimals in micro-dollars, rounded up. */
export function dollarsOf(amount: bigint, decimals: number): bigint {
  if (decimals <= DOLLAR_DECIMALS) return amount * 10n ** BigInt(DOLLAR_DECIMALS - decimals)
  const unit = 10n ** BigInt(decimals - DOLLAR_DECIMALS)
  return (amount + unit - 1n) / unit
}

export function formatDollars(dollars: bigint): string {
  return `$${formatAmount(dollars, DOLLAR_DECIMALS)}`
}

/** The accounts that a payment is entered in, and which cap limits each. */
export function accountsOf({ network, host, at }: Omit<Spending, 'dollars'>): readonly {
  readonly cap: CapName
  readonly key: string
}[] {
  const day = new Date(at).toISOString().slice(0, 10)
  return [
    { cap: 'perHost', key: `${network}/host/${host}` },
    { cap: 'perDay', key: `${network}/day/${day}` },
    { cap: 'total', key: `${network}/total` },
  ]
}

/** The first cap that a payment would break, and what is left of it; undefined when it fits. */
export function brokenCap(
  spending: Spending,
  caps: Caps,
  spentOf: (key: string) => bigint,
): { readonly cap: CapName; readonly left: bigint } | undefined {
  const { dollars } = spending
  if (caps.perCall !== undefined && dollars > caps.perCall) return { cap: 'perCall', left: caps.perCall }
  for (const { cap, key } of accountsOf(spending)) {
    const limit = caps[cap]
    if (limit === undefined) continue
    const left = limit - spentOf(key)
    if (dollars > left) return { cap, left: left > 0n ? left : 0n }
  }
  return undefined
}
