/**
 * The encoding checks of a strict Ed25519 verdict (spec 1.7), the same in front of every backend.
 *
 * A point is 32 bytes: y little-endian, the sign of x in the top bit. Canonical means y < p = 2^255 - 19. The points
 * of small order have y in {0, 1, p-1, and the two of order 8}; the spellings y = p and y = p+1 are not canonical.
 */
import { fromHex } from './hex.js'

const SMALL_ORDER_Y: readonly Uint8Array[] = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
].map(fromHex)

/** L = 2^252 + 27742317777372353535851937790883648493, little-endian. */
const GROUP_ORDER = fromHex('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010')

/** Lengths, canonical `S`, canonical key and `R`, neither of small order. */
export function hasStrictEncoding(signature: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== 64 || publicKey.length !== 32) return false
  const r = signature.subarray(0, 32)
  return isBelow(signature.subarray(32), GROUP_ORDER) && isStrictPoint(publicKey) && isStrictPoint(r)
}

function isStrictPoint(point: Uint8Array): boolean {
  return isCanonicalY(point) && !SMALL_ORDER_Y.some((y) => sameY(y, point))
}

/** y >= p only where every byte from 1 to 31 is full and the lowest is 0xed or more. */
function isCanonicalY(point: Uint8Array): boolean {
  if (point[0]! < 0xed || (point[31]! & 0x7f) !== 0x7f) return true
  for (let i = 1; i < 31; i++) if (point[i] !== 0xff) return true
  return false
}

function sameY(y: Uint8Array, point: Uint8Array): boolean {
  for (let i = 0; i < 31; i++) if (y[i] !== point[i]) return false
  return y[31] === (point[31]! & 0x7f)
}

function isBelow(value: Uint8Array, bound: Uint8Array): boolean {
  for (let i = 31; i >= 0; i--) if (value[i] !== bound[i]) return value[i]! < bound[i]!
  return false
}
