/**
 * Addresses in a browser (spec solana 1.4), without a library: base58, and the associated token account.
 *
 *   account = sha256(owner, token program, mint, bump, ATA program, "ProgramDerivedAddress")
 *
 * for the highest bump that is no point of the curve.
 */
const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
const ATA_PROGRAM = 'ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL'
const MARKER = new TextEncoder().encode('ProgramDerivedAddress')

/** The field of Ed25519, and the curve's constant d. */
const P = 2n ** 255n - 19n
const D = 37095705934669439343138083508754565189542113879843219016388785533085940283555n

/** The 32 bytes of an address. @throws RangeError */
export function decodeAddress(address: string): Uint8Array<ArrayBuffer> {
  let value = 0n
  for (const digit of address) {
    const index = ALPHABET.indexOf(digit)
    if (index < 0) throw new RangeError(`no address: ${address}`)
    value = value * 58n + BigInt(index)
  }
  if (value >= 2n ** 256n) throw new RangeError(`no address: ${address}`)
  const bytes = new Uint8Array(32)
  for (let i = 31; i >= 0; i--, value >>= 8n) bytes[i] = Number(value & 0xffn)
  if (encodeAddress(bytes) !== address) throw new RangeError(`no address: ${address}`)
  return bytes
}

export function encodeAddress(bytes: Uint8Array): string {
  let value = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n)
  let text = ''
  for (; value > 0n; value /= 58n) text = ALPHABET.charAt(Number(value % 58n)) + text
  const zeros = bytes.findIndex((byte) => byte !== 0)
  return '1'.repeat(zeros < 0 ? bytes.length : zeros) + text
}

export async function associatedAccount(owner: string, program: string, mint: string): Promise<string> {
  const seeds = [owner, program, mint].flatMap((address) => [...decodeAddress(address)])
  for (let bump = 255; bump >= 0; bump--) {
    const input = Uint8Array.from([...seeds, bump, ...decodeAddress(ATA_PROGRAM), ...MARKER])
    const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', input))
    if (!isOnCurve(hash)) return encodeAddress(hash)
  }
  throw new RangeError('no associated account')
}

/** Whether 32 bytes are a point: x² = (y² - 1) / (d y² + 1) has a root. */
function isOnCurve(bytes: Uint8Array): boolean {
  let y = 0n
  for (let i = 31; i >= 0; i--) y = (y << 8n) | BigInt(i === 31 ? (bytes[i] ?? 0) & 0x7f : (bytes[i] ?? 0))
  if (y >= P) return false
  const u = mod(y * y - 1n)
  const v = mod(D * y * y + 1n)
  const root = mod(u * power(v, 3n) * power(mod(u * power(v, 7n)), (P - 5n) / 8n))
  const square = mod(v * root * root)
  return square === u || square === mod(-u)
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n
  for (let factor = base; exponent > 0n; exponent >>= 1n, factor = mod(factor * factor))
    if (exponent & 1n) result = mod(result * factor)
  return result
}

function mod(value: bigint): bigint {
  const rest = value % P
  return rest < 0n ? rest + P : rest
}
