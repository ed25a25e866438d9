/** Dollars as a budget counts them (spec payments 12): decimal text outside, micro-dollars inside, never a float. */
import { formatAmount } from '@aetherkit/payments'

const DECIMALS = 6

/** `"$0.10"` or `"0.10"`, at most six places. */
export const DOLLARS = /^\$?(?:0|[1-9]\d{0,11})(?:\.\d{1,6})?$/

/** Of text that matches `DOLLARS`. */
export function microDollars(text: string): bigint {
  const [whole = '0', fraction = ''] = text.replace('$', '').split('.')
  return BigInt(whole + fraction.padEnd(DECIMALS, '0'))
}

/** Without the sign: `0.10`. */
export function dollarText(micros: bigint): string {
  return formatAmount(micros, DECIMALS)
}
