/**
 * Mints (spec solana 1.4, 5): token program and decimals come from the chain or from our table, never from a server.
 *
 *   mint account   36 supply u64   44 decimals u8   82 end        Token-2022: 165 account type, 166 extensions
 *   extension      type u16, length u16, value
 *
 * Token-2022 mints are refused unless listed, and then only with the extensions that the list names.
 */
import { isJsonObject, type JsonValue } from '@aetherkit/core'
import { decodeBase64 } from '../codec/header.js'
import { type Refusal, refuse } from '../reason.js'
import { type Rpc, resultValue } from '../rpc.js'
import { TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from '../token.js'

export interface Mint {
  readonly address: string
  readonly program: typeof TOKEN_PROGRAM | typeof TOKEN_2022_PROGRAM
  readonly decimals: number
  /** Types of Token-2022 extensions, with what is dangerous about the two that are never served. */
  readonly extensions: readonly { readonly type: number; readonly active: boolean }[]
}

/** Token-2022 extension types that we look into. */
const TRANSFER_FEE = 1
const TRANSFER_HOOK = 14
const MINT_SIZE = 82
const TYPE_AT = 165

/** Token-2022 mints that an operator serves, with the extension types that each may have. */
export type AllowedMints = Readonly<Record<string, readonly number[]>>

/**
 * A mint as the chain has it; `invalid_exact_svm_payload_mint_mismatch` when the account is no mint.
 * @throws PaymentError `rpc_failed`
 */
export async function fetchMint(rpc: Rpc, address: string): Promise<{ ok: true; mint: Mint } | Refusal> {
  const value = resultValue(
    await rpc.call('getAccountInfo', [address, { encoding: 'base64', commitment: 'confirmed' }]),
  )
  const mint = readMint(address, value)
  return mint === undefined
    ? refuse('invalid_exact_svm_payload_mint_mismatch', 'the asset is no mint')
    : { ok: true, mint }
}

/** Rule 16: a mint whose transfers do more than the instruction says is refused. */
export function checkMint(mint: Mint, allowed: AllowedMints): { ok: true } | Refusal {
  if (mint.program === TOKEN_PROGRAM) return { ok: true }
  const permitted = Object.hasOwn(allowed, mint.address) ? allowed[mint.address] : undefined
  const refused = mint.extensions.find(({ type, active }) => active || !permitted?.includes(type))
  if (permitted !== undefined && refused === undefined) return { ok: true }
  const detail = permitted === undefined ? 'Token-2022 mint is not listed' : `extension ${refused?.type}`
  return refuse('invalid_exact_svm_payload_token_extension_not_allowed', detail)
}

function readMint(address: string, value: JsonValue): Mint | undefined {
  if (!isJsonObject(value) || !Array.isArray(value.data) || typeof value.data[0] !== 'string')
    return undefined
  const data = decodeBase64(value.data[0])
  const program = value.owner
  if (data === undefined || data.length < MINT_SIZE) return undefined
  if (program === TOKEN_PROGRAM) {
    return data.length === MINT_SIZE
      ? { address, program, decimals: data[44] as number, extensions: [] }
      : undefined
  }
  if (program !== TOKEN_2022_PROGRAM) return undefined
  if (data.length > MINT_SIZE && data[TYPE_AT] !== 1) return undefined
  return { address, program, decimals: data[44] as number, extensions: readExtensions(data) }
}

function readExtensions(data: Uint8Array): Mint['extensions'] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  const extensions: { type: number; active: boolean }[] = []
  for (let at = TYPE_AT + 1; at + 4 <= data.length; ) {
    const type = view.getUint16(at, true)
    const length = view.getUint16(at + 2, true)
    if (type === 0) break
    extensions.push({ type, active: isActive(type, data.subarray(at + 4, at + 4 + length)) })
    at += 4 + length
  }
  return extensions
}

/**
 * A fee above 0 in either epoch, or a hook with a program.
 *   transfer fee   two keys 64, withheld u64, then twice: epoch u64, maximum u64, basis points u16
 *   transfer hook  authority 32, program 32
 */
function isActive(type: number, value: Uint8Array): boolean {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  if (type === TRANSFER_FEE)
    return value.length < 108 || view.getUint16(88, true) > 0 || view.getUint16(106, true) > 0
  if (type === TRANSFER_HOOK) return value.length < 64 || value.subarray(32, 64).some((byte) => byte !== 0)
  return false
}
