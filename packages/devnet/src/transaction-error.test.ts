import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { describe, expect, it } from 'vitest'
import { errorText, INSTRUCTION_ERRORS, TRANSACTION_ERRORS } from './transaction-error.js'

/** Names of an enum in LiteSVM's declarations, in the order of their numbers: at run time it has no values. */
function namesOf(name: string): string[] {
  const file = createRequire(import.meta.url).resolve('litesvm/dist/internal.d.ts')
  const body = new RegExp(`enum ${name} {([^}]*)}`).exec(readFileSync(file, 'utf8'))?.[1] ?? ''
  const names = [...body.matchAll(/(\w+) = (\d+)/g)].sort((a, b) => Number(a[2]) - Number(b[2]))
  return names.map((match) => match[1] ?? '')
}

describe('error tables', () => {
  it('are in the order of the installed LiteSVM', () => {
    expect(TRANSACTION_ERRORS.map(([name]) => name)).toEqual(namesOf('TransactionErrorFieldless'))
    expect(INSTRUCTION_ERRORS.map(([name]) => name)).toEqual(namesOf('InstructionErrorFieldless'))
  })

  it('give the sentences of a node', () => {
    expect(errorText('BlockhashNotFound')).toBe('Blockhash not found')
    expect(errorText({ InstructionError: [2, 'InvalidAccountData'] })).toBe(
      'Error processing Instruction 2: invalid account data for instruction',
    )
    expect(errorText({ InstructionError: [0, { Custom: 6001 }] })).toBe(
      'Error processing Instruction 0: custom program error: 0x1771',
    )
    expect(errorText({ InsufficientFundsForRent: { account_index: 1 } })).toBe(
      'Transaction results in an account (1) with insufficient funds for rent',
    )
  })
})
