/**
 * Fee of a transaction (spec solana 4): 5,000 lamports a signature, precompile signatures included, plus the compute
 * unit limit times its price, rounded up. Without a limit of its own a transaction has 3,000 units for each builtin
 * instruction and 200,000 for every other, never more than 1,400,000.
 */
import {
  COMPUTE_BUDGET_PROGRAM,
  ED25519_PROGRAM,
  LOADERS,
  SECP256K1_PROGRAM,
  SECP256R1_PROGRAM,
  SYSTEM_PROGRAM,
  VOTE_PROGRAM,
} from './program-ids.js'
import type { Message } from './transaction.js'

const LAMPORTS_PER_SIGNATURE = 5_000n
const MAX_COMPUTE_UNITS = 1_400_000
const PRECOMPILES: ReadonlySet<string> = new Set([ED25519_PROGRAM, SECP256K1_PROGRAM, SECP256R1_PROGRAM])
const BUILTINS: ReadonlySet<string> = new Set([
  SYSTEM_PROGRAM,
  VOTE_PROGRAM,
  COMPUTE_BUDGET_PROGRAM,
  ED25519_PROGRAM,
  SECP256K1_PROGRAM,
  ...LOADERS,
])

/** Lamports. */
export function feeOf(message: Message): bigint {
  let signatures = BigInt(message.header.signatures)
  let limit: number | undefined
  let price = 0n
  let defaultLimit = 0
  for (const { program, data } of message.instructions) {
    const address = message.keys[program] ?? ''
    if (PRECOMPILES.has(address)) signatures += BigInt(data[0] ?? 0)
    defaultLimit += BUILTINS.has(address) ? 3_000 : 200_000
    if (address !== COMPUTE_BUDGET_PROGRAM) continue
    const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
    if (data[0] === 2 && data.length >= 5) limit = view.getUint32(1, true)
    if (data[0] === 3 && data.length >= 9) price = view.getBigUint64(1, true)
  }
  const base = signatures * LAMPORTS_PER_SIGNATURE
  // in version 1 the message's own config counts and the instructions do nothing
  if (message.version === 1) return base + (message.config?.priorityFee ?? 0n)
  const units = BigInt(Math.min(limit ?? defaultLimit, MAX_COMPUTE_UNITS))
  return base + (units * price + 999_999n) / 1_000_000n
}
