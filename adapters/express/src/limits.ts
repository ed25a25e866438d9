/** Numbers that a seller sets: a `NaN` from an unset variable is no limit (spec payments 8.4). */
import { PaymentError } from '@aetherkit/payments'

const NAMES = ['keepBytes', 'holdBytes', 'maxBodyBytes', 'finishMs', 'timeoutMs'] as const
/** Where none at all is a setting. */
const MAY_BE_ZERO: readonly string[] = ['keepBytes', 'finishMs']

/** @throws PaymentError `invalid_option` for one that is no whole number in its range */
export function checkLimits(options: { readonly [Name in (typeof NAMES)[number]]?: number }): void {
  for (const name of NAMES) {
    const value = options[name]
    const least = MAY_BE_ZERO.includes(name) ? 0 : 1
    // Timers of Node.js end at 31 bits.
    if (value !== undefined && !(Number.isInteger(value) && value >= least && value < 2 ** 31))
      throw new PaymentError('invalid_option', `${name}: a whole number from ${least} expected, got ${value}`)
  }
}
