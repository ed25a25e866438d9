/** Dollars as a budget counts them (spec payments 12): decimal text outside, micro-dollars inside, never a float. */

const DECIMALS = 6

/** `"$0.10"` or `"0.10"`, at most six places. */
export const DOLLARS = /^\$?(?:0|[1-9]\d{0,11})(?:\.\d{1,6})?$/

/** Of text that matches `DOLLARS`. */
export function microDollars(text: string): bigint {
  const [whole = '0', fraction = ''] = text.replace('$', '').split('.')
  return BigInt(whole + fraction.padEnd(DECIMALS, '0'))
}

/** Without the sign, at least to the cent: `0.10`. */
export function dollarText(micros: bigint): string {
  const digits = micros.toString().padStart(DECIMALS + 1, '0')
  const fraction = digits.slice(-DECIMALS).replace(/0+$/, '').padEnd(2, '0')
  return `${digits.slice(0, -DECIMALS)}.${fraction}`
}
