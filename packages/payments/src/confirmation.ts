/**
 * From when on a transaction counts as paid (spec payments 8.5 step 4). `processed` can still be rolled back; `finalized`
 * comes some 13 s after `confirmed`.
 */
export const CONFIRMATIONS = ['processed', 'confirmed', 'finalized'] as const

export type Confirmation = (typeof CONFIRMATIONS)[number]

export function isConfirmation(value: unknown): value is Confirmation {
  return CONFIRMATIONS.some((level) => level === value)
}

/** Whether what stands `at` a level has come as far as another. */
export function hasReached(at: Confirmation, level: Confirmation): boolean {
  return CONFIRMATIONS.indexOf(at) >= CONFIRMATIONS.indexOf(level)
}
