/**
 * Money (spec payments 5): decimal text to an atomic `bigint` and back. No float is ever multiplied: of the whole-cent
 * prices below $100, 295 are not integers when a double is multiplied by a million.
 *
 *   $0.10   0.10   $0.10 USDT   0.10 PYUSD   {asset, amount: '100000'}
 */
import { PaymentError } from './errors.js'
import type { Network } from './network.js'
import type { Json } from './requirement.js'
import { TOKENS, type Token, tokenByMint, tokenBySymbol } from './token.js'

/** A token and how much of it, in its smallest unit. */
export interface Money {
  readonly asset: string
  readonly amount: bigint
}

/** `"$0.10"`, `"0.10"`, `0.1`, `"$0.10 USDT"`, or an asset with its atomic amount and more members of `extra`. */
export type Price =
  | string
  | number
  | {
      readonly asset: string
      readonly amount: string | bigint
      readonly extra?: Readonly<Record<string, Json>>
    }

/** A seller's own reading of a price; undefined leaves it to the next, in the end to ours. */
export type MoneyParser = (price: string | number, network: Network) => Money | undefined

const DECIMAL = /^(?:0|[1-9]\d*)(?:\.(\d+))?$/
const PRICE = /^\$?(\S+?)(?: ([A-Za-z][A-Za-z0-9]*))?$/
const U64 = 0xffff_ffff_ffff_ffffn

/**
 * What a price means on a network; without a ticker it is USDC.
 * @throws PaymentError `invalid_price` for zero, negative, finer than the token, localized (`1,000`), float-shaped
 * (`1e-3`, a number that is no exact decimal) or otherwise unreadable input; `unknown_asset` for an unknown ticker.
 */
export function parsePrice(price: Price, network: Network): Money {
  if (typeof price === 'object') return { asset: price.asset, amount: atomicAmount(price.amount) }
  const match = PRICE.exec(typeof price === 'number' ? String(price) : price)
  if (match === null) throw invalid(price, 'a price looks like "$0.10", "0.10" or "0.10 USDC"')
  const [, decimal = '', symbol] = match
  const token = symbol === undefined ? TOKENS[network][0] : tokenBySymbol(network, symbol)
  if (token === undefined)
    throw new PaymentError('unknown_asset', `no token ${symbol} is known on ${network}`)
  return { asset: token.mint, amount: parseAmount(decimal, token.decimals) }
}

/**
 * A price as the first of these parsers has it that knows it, else as {@link parsePrice}.
 * @throws PaymentError as {@link parsePrice}: an amount that is not above zero is refused whoever read it
 */
export function readPrice(price: Price, network: Network, parsers: readonly MoneyParser[] = []): Money {
  if (typeof price === 'object') return parsePrice(price, network)
  for (const parse of parsers) {
    const money = parse(price, network)
    if (money !== undefined) return { asset: money.asset, amount: atomicAmount(money.amount) }
  }
  return parsePrice(price, network)
}

/**
 * A decimal amount in the smallest unit of a token with so many decimals (0 to 9), above zero.
 * @throws PaymentError `invalid_price`
 */
export function parseAmount(decimal: string, decimals: number): bigint {
  checkDecimals(decimals)
  const match = DECIMAL.exec(decimal)
  if (match === null) throw invalid(decimal, 'plain decimal digits expected')
  const fraction = match[1] ?? ''
  if (/[1-9]/.test(fraction.slice(decimals)))
    throw invalid(decimal, `finer than the ${decimals} decimals of the token`)
  const whole = fraction === '' ? decimal : decimal.slice(0, -fraction.length - 1)
  return positive(BigInt(whole + fraction.slice(0, decimals).padEnd(decimals, '0')), decimal)
}

/** An atomic amount as decimal text, without trailing zeros beyond the cents: 100000 of 6 decimals is `0.10`. */
export function formatAmount(amount: bigint, decimals: number): string {
  checkDecimals(decimals)
  const digits = (amount < 0n ? -amount : amount).toString().padStart(decimals + 1, '0')
  const whole = digits.slice(0, digits.length - decimals)
  const fraction = digits
    .slice(digits.length - decimals)
    .replace(/0+$/, '')
    .padEnd(Math.min(2, decimals), '0')
  return `${amount < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`
}

/** Money as people read it: `0.10 USDC`, or the atomic amount and the mint of a token that is not known. */
export function formatMoney({ asset, amount }: Money, network: Network): string {
  const token: Token | undefined = tokenByMint(network, asset)
  return token === undefined
    ? `${amount} of ${asset}`
    : `${formatAmount(amount, token.decimals)} ${token.symbol}`
}

/**
 * An integer of the smallest unit, above zero and within u64.
 * @throws PaymentError `invalid_price`
 */
export function atomicAmount(amount: string | bigint): bigint {
  if (typeof amount === 'bigint') return positive(amount, String(amount))
  if (!/^(?:0|[1-9]\d*)$/.test(amount)) throw invalid(amount, 'a whole number of the smallest unit expected')
  return positive(BigInt(amount), amount)
}

function positive(amount: bigint, given: string): bigint {
  if (amount <= 0n) throw invalid(given, 'a price is above zero; leave a free route without a paywall')
  if (amount > U64) throw invalid(given, 'more than a token account can hold')
  return amount
}

function checkDecimals(decimals: number): void {
  if (!Number.isInteger(decimals) || decimals < 0 || decimals > 9) {
    throw new RangeError(`decimals must be 0 to 9, got ${decimals}`)
  }
}

function invalid(given: unknown, why: string): PaymentError {
  return new PaymentError('invalid_price', `price ${JSON.stringify(given)}: ${why}`)
}
