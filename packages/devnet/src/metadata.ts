/** What the chain notes beside a transaction (spec solana 10, point 10): balances before and after, inner instructions. */
import type { TransactionMetadata } from 'litesvm/dist/internal.js'
import { encodeBase58 } from './base58.js'
import type { ReturnData } from './history.js'
import { isTokenProgram } from './program-ids.js'
import type { Svm } from './svm.js'
import { mintOf, readTokenAccount } from './token.js'
import type { Instruction, Message } from './transaction.js'

export interface TokenBalance {
  readonly accountIndex: number
  readonly mint: string
  readonly owner: string
  readonly program: string
  readonly amount: bigint
  readonly decimals: number
}

interface InnerInstruction extends Instruction {
  readonly stackHeight: number
}

export interface InnerInstructions {
  readonly index: number
  readonly instructions: readonly InnerInstruction[]
}

export interface Balances {
  readonly lamports: readonly bigint[]
  readonly tokens: readonly TokenBalance[]
}

export function balancesOf(svm: Svm, message: Message, keys: readonly string[]): Balances {
  const programs = new Set(message.instructions.map((instruction) => instruction.program))
  const tokens: TokenBalance[] = []
  const lamports = keys.map((key) => svm.lamports(key))
  for (const [accountIndex, key] of keys.entries()) {
    // a program's own account is large and never a token account
    if (programs.has(accountIndex) || lamports[accountIndex] === 0n || isTokenProgram(key)) continue
    const account = svm.account(key)
    const token = account && readTokenAccount(account)
    if (account === undefined || token === undefined) continue
    const { mint, owner, amount } = token
    const decimals = mintOf(svm, mint)?.decimals
    if (decimals !== undefined) {
      tokens.push({ accountIndex, mint, owner, program: account.owner, amount, decimals })
    }
  }
  return { lamports, tokens }
}

/** Only instructions that called others have an entry. */
export function innerInstructionsOf(meta: TransactionMetadata): InnerInstructions[] {
  return meta.innerInstructions().flatMap((list, index) => {
    const instructions = list.map((inner) => {
      const instruction = inner.instruction()
      return {
        program: instruction.programIdIndex(),
        accounts: [...instruction.accounts()],
        data: instruction.data(),
        stackHeight: inner.stackHeight(),
      }
    })
    return instructions.length === 0 ? [] : [{ index, instructions }]
  })
}

export function returnDataOf(meta: TransactionMetadata): ReturnData | undefined {
  const returned = meta.returnData()
  const data = returned.data()
  return data.length === 0 ? undefined : { program: encodeBase58(returned.programId()), data }
}
