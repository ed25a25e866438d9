/**
 * The figures of a fault test (spec payments 17): compared here, and recorded for the table of `npm run faults` when
 * `AETHERKIT_FAULTS` names a file, so that table and test cannot differ.
 */
import { appendFileSync } from 'node:fs'
import { expect } from 'vitest'

/** What a fault came to, measured: amounts in units of the token, by the balances on the chain. */
export interface Figures {
  /** Runs of the handler. */
  readonly runs: number
  /** What the seller gained. */
  readonly credited: bigint
  /** What the buyer lost. */
  readonly debited: bigint
  /** Answers that brought the goods. */
  readonly served: number
}

/** `times`: how often or how many copies. `point`: which await of how many, for a process that is killed. */
export function expectFigures(
  fault: { readonly fault: string; readonly times: string; readonly point?: string },
  measured: Figures,
  expected: Figures,
): void {
  const file = process.env.AETHERKIT_FAULTS
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ ...fault, measured, expected }, text)}\n`)
  expect(measured).toEqual(expected)
}

function text(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}
