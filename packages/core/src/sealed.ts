/**
 * Sealed content, format 1: private content from one Ed25519 identity to another, end to end.
 *
 *   0   version      1    0x01
 *   1   ephemeral    32   X25519 public key, a fresh one for every message
 *   33  ciphertext   n    ChaCha20-Poly1305 of the padded plaintext
 *       tag          16
 *   padded plaintext
 *   0   length       4    u32 big-endian, of the plaintext
 *   4   plaintext    length
 *       zeros             up to bucket(4 + length)
 *
 *   bucket(n) = 128 up to 128, else n rounded up to an eighth of the next power of two: adds at most 25 %
 *   context   = version ‖ sender Ed25519 key ‖ recipient Ed25519 key ‖ ephemeral     97 bytes, AAD and HKDF info
 *   secret    = X25519(ephemeral, recipient) ‖ X25519(sender, recipient)             64 bytes
 *   key ‖ nonce = HKDF-SHA256(secret, salt "aether-sealed-1", info context)           32 ‖ 12 bytes
 *
 * Identities become X25519 keys by the birational map: secret = clamped SHA-512 half of the seed, public
 * u = (1 + y) / (1 - y). Keys that are not canonical, not on the curve or of small order are refused; a torsion part is
 * not, since clamped scalars clear it and the context binds the very bytes of both identities.
 *
 * What it gives: only the recipient reads, and knows that the sender (or itself) wrote. Whoever steals the sender's
 * secret later cannot read what was sent. What it does not give: secrecy once the recipient's secret is stolen, proof
 * for third parties (the event's signature gives that), protection from replay (the event id does), hiding of who
 * talks to whom.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { ed25519 } from '@noble/curves/ed25519.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes as concat } from '@noble/hashes/utils.js'
import { type Reject, reject } from './codes.js'
import { fromHex, parseHex } from './hex.js'
import { publicKeyOf } from './sign.js'
import { exchangeKeys, randomBytes, sharedSecret } from './x25519.js'

const VERSION = 1
const HEADER_BYTES = 33
const LENGTH_BYTES = 4
const TAG_BYTES = 16
const MIN_BUCKET = 128
const MAX_PLAIN = 2 ** 30
const SALT = new TextEncoder().encode('aether-sealed-1')

export interface SealOptions {
  /** The sender's Ed25519 seed, 32 bytes. */
  readonly senderSecret: Uint8Array
  /** The recipient's Ed25519 public key, hex. */
  readonly recipient: string
  /** Random bytes for the ephemeral key; the platform's secure source by default. */
  readonly random?: (length: number) => Uint8Array
}

export interface OpenOptions {
  /** The recipient's Ed25519 seed, 32 bytes. */
  readonly recipientSecret: Uint8Array
  /** The Ed25519 public key of the claimed sender, hex: the author of the event that carried it. */
  readonly sender: string
}

/**
 * Seals a plaintext for one recipient.
 * @throws TypeError for a seed that is not 32 bytes or a recipient that is no usable Ed25519 key; RangeError above
 * 2^30 bytes.
 */
export function seal(plain: Uint8Array, options: SealOptions): Uint8Array {
  const { senderSecret, recipient, random = randomBytes } = options
  if (plain.length > MAX_PLAIN) throw new RangeError(`at most ${MAX_PLAIN} bytes can be sealed`)
  const sender = fromHex(publicKeyOf(senderSecret))
  const recipientKey = readIdentity(recipient)
  if (recipientKey === undefined) throw new TypeError('recipient must be a valid Ed25519 public key in hex')
  const ephemeral = exchangeKeys(random(32))
  const header = concat(Uint8Array.of(VERSION), fromHex(ephemeral.publicKey))
  const context = concat(header.subarray(0, 1), sender, recipientKey.identity, header.subarray(1))
  const cipher = deriveCipher(
    sharedSecret(ephemeral.secretKey, recipientKey.exchange),
    sharedSecret(exchangeSecret(senderSecret), recipientKey.exchange),
    context,
  )
  if (cipher === undefined) throw new TypeError('recipient must be a valid Ed25519 public key in hex')
  return concat(header, cipher.encrypt(pad(plain)))
}

/**
 * Opens what `sender` sealed for us. Anything else, for whatever reason: one and the same `invalid_message`.
 * @throws TypeError unless our seed is 32 bytes.
 */
export function open(sealed: Uint8Array, options: OpenOptions): { ok: true; plain: Uint8Array } | Reject {
  const { recipientSecret, sender } = options
  const recipient = fromHex(publicKeyOf(recipientSecret))
  const senderKey = readIdentity(sender)
  if (sealed.length < HEADER_BYTES + MIN_BUCKET + TAG_BYTES || sealed[0] !== VERSION) return refused()
  if (senderKey === undefined) return refused()
  const ephemeral = sealed.subarray(1, HEADER_BYTES)
  const secret = exchangeSecret(recipientSecret)
  const cipher = deriveCipher(
    sharedSecret(secret, ephemeral),
    sharedSecret(secret, senderKey.exchange),
    concat(sealed.subarray(0, 1), senderKey.identity, recipient, ephemeral),
  )
  if (cipher === undefined) return refused()
  let padded: Uint8Array
  try {
    padded = cipher.decrypt(sealed.subarray(HEADER_BYTES))
  } catch {
    return refused()
  }
  const plain = unpad(padded)
  return plain === undefined ? refused() : { ok: true, plain }
}

/** How long content of this many bytes gets when sealed. */
export function sealedLength(plainLength: number): number {
  return HEADER_BYTES + bucket(LENGTH_BYTES + plainLength) + TAG_BYTES
}

function refused(): Reject {
  return reject('invalid_message', undefined, 'sealed content does not open')
}

/** The identity's bytes and its X25519 image; undefined for a key nobody can own. */
function readIdentity(publicKey: string): { identity: Uint8Array; exchange: Uint8Array } | undefined {
  const hex = parseHex(publicKey, 32)
  if (hex === undefined) return undefined
  const identity = fromHex(hex)
  try {
    const point = ed25519.Point.fromBytes(identity, false)
    if (point.isSmallOrder()) return undefined
    const { Fp } = ed25519.Point
    const { y } = point.toAffine()
    return { identity, exchange: Fp.toBytes(Fp.div(Fp.add(Fp.ONE, y), Fp.sub(Fp.ONE, y))) }
  } catch {
    return undefined
  }
}

function exchangeSecret(seed: Uint8Array): Uint8Array {
  return ed25519.utils.toMontgomerySecret(seed)
}

function deriveCipher(
  ephemeralStatic: Uint8Array | undefined,
  staticStatic: Uint8Array | undefined,
  context: Uint8Array,
): ReturnType<typeof chacha20poly1305> | undefined {
  if (ephemeralStatic === undefined || staticStatic === undefined) return undefined
  const derived = hkdf(sha256, concat(ephemeralStatic, staticStatic), SALT, context, 44)
  return chacha20poly1305(derived.subarray(0, 32), derived.subarray(32), context)
}

function bucket(length: number): number {
  if (length <= MIN_BUCKET) return MIN_BUCKET
  const step = 2 ** (32 - Math.clz32(length - 1)) / 8
  return Math.ceil(length / step) * step
}

function pad(plain: Uint8Array): Uint8Array {
  const padded = new Uint8Array(bucket(LENGTH_BYTES + plain.length))
  new DataView(padded.buffer).setUint32(0, plain.length)
  padded.set(plain, LENGTH_BYTES)
  return padded
}

/** The whole padding is read whatever the plaintext's length. */
function unpad(padded: Uint8Array): Uint8Array | undefined {
  if (padded.length < MIN_BUCKET) return undefined
  const length = new DataView(padded.buffer, padded.byteOffset).getUint32(0)
  const end = LENGTH_BYTES + length
  if (end > padded.length || padded.length !== bucket(end)) return undefined
  let rest = 0
  for (let i = end; i < padded.length; i++) rest |= padded[i]!
  return rest === 0 ? padded.slice(LENGTH_BYTES, end) : undefined
}
