/**
 * Legacy noise (spec 8.1), in the form that is safe with unmodified SDKs. Stops passive eavesdroppers only: no side is
 * authenticated, so a man in the middle is trivial. Production uses TLS or noise-xx.
 *
 *   key        HKDF-SHA256(X25519 of two ephemeral keys, no salt, info "aether-noise"), 32 bytes, for both directions
 *   payload
 *   0   counter     8    u64 big-endian; nonce = 00000000 ‖ counter
 *   8   ciphertext  n    ChaCha20-Poly1305, no AAD
 *       tag         16
 *   frame      {"type":"noise","payload_hex": hex of the payload}
 *
 * Both directions share one key, so their counters must never meet: clients count from 0 and stay below 2^52, the relay
 * counts from 2^52 and stays below 2^53 (a legacy TypeScript client reads counters as doubles). Counters of a peer must
 * strictly rise; gaps are fine.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { type Reject, reject } from './codes.js'
import { fromHex, isHexDigits, parseHex, toHex } from './hex.js'
import { isJsonObject, type JsonValue, parseJson } from './json.js'
import { sharedSecret } from './x25519.js'

export type NoiseRole = 'client' | 'relay'

/** Below it clients count, from it the relay does. */
const RELAY_START = 2 ** 52
const COUNTER_BYTES = 8
const TAG_BYTES = 16
const INFO = new TextEncoder().encode('aether-noise')
const utf8 = new TextDecoder('utf-8', { fatal: true })

export interface LegacyNoiseOptions {
  /** Which side we are. */
  readonly role: NoiseRole
  /** Our ephemeral X25519 secret, 32 bytes, made for this connection. */
  readonly secretKey: Uint8Array
  /** The peer's X25519 public key as it came in hello or welcome: 64 hex digits, or it is refused. */
  readonly peerPublicKey: unknown
}

/** One connection's noise. After a reject the session stays usable: nothing of the refused payload counted. */
export class LegacyNoise {
  readonly #key: Uint8Array
  readonly #role: NoiseRole
  #next: number
  #lastSeen = -1n

  private constructor(key: Uint8Array, role: NoiseRole) {
    this.#key = key
    this.#role = role
    this.#next = role === 'relay' ? RELAY_START : 0
  }

  /**
   * A peer key that is not 32 bytes of hex or is of small order: `noise_error`.
   * @throws TypeError unless our secret is 32 bytes.
   */
  static create(options: LegacyNoiseOptions): { ok: true; noise: LegacyNoise } | Reject {
    const peer = parseHex(options.peerPublicKey, 32)
    if (peer === undefined) return reject('noise_error', 'noise pubkey required')
    const shared = sharedSecret(options.secretKey, fromHex(peer))
    if (shared === undefined)
      return reject('noise_error', 'noise pubkey required', 'public key of small order')
    return { ok: true, noise: new LegacyNoise(hkdf(sha256, shared, undefined, INFO, 32), options.role) }
  }

  /**
   * The payload of a frame: counter and ciphertext.
   * @throws RangeError when our 2^52 counters are used up: close the connection.
   */
  seal(plain: Uint8Array): Uint8Array {
    const end = this.#role === 'relay' ? 2 * RELAY_START : RELAY_START
    if (this.#next >= end) throw new RangeError('noise counter used up')
    const nonce = new Uint8Array(12)
    new DataView(nonce.buffer).setBigUint64(4, BigInt(this.#next++))
    const ciphertext = chacha20poly1305(this.#key, nonce).encrypt(plain)
    const payload = new Uint8Array(COUNTER_BYTES + ciphertext.length)
    payload.set(nonce.subarray(4))
    payload.set(ciphertext, COUNTER_BYTES)
    return payload
  }

  /**
   * Opens a payload of the peer. `noise_error`: too short, a counter that does not rise (`noise replay`) or is in our
   * range, a wrong tag.
   */
  open(payload: Uint8Array): { ok: true; plain: Uint8Array } | Reject {
    if (payload.length < COUNTER_BYTES + TAG_BYTES) return reject('noise_error', 'noise payload too short')
    const nonce = new Uint8Array(12)
    nonce.set(payload.subarray(0, COUNTER_BYTES), 4)
    const counter = new DataView(nonce.buffer).getBigUint64(4)
    const peerIsRelay = counter >= BigInt(RELAY_START)
    if (peerIsRelay !== (this.#role === 'client'))
      return reject('noise_error', 'noise replay', "counter outside the peer's range")
    if (counter <= this.#lastSeen) return reject('noise_error', 'noise replay')
    let plain: Uint8Array
    try {
      plain = chacha20poly1305(this.#key, nonce).decrypt(payload.subarray(COUNTER_BYTES))
    } catch {
      return reject('noise_error', 'noise expected', 'payload does not decrypt')
    }
    this.#lastSeen = counter
    return { ok: true, plain }
  }
}

/** A payload as the JSON frame that carries it. */
export function writeNoiseFrame(payload: Uint8Array): string {
  return `{"type":"noise","payload_hex":"${toHex(payload)}"}`
}

/** The payload in a JSON frame. Another type: `noise expected`; no hex in it: `noise payload missing`. */
export function readNoiseFrame(message: JsonValue): { ok: true; payload: Uint8Array } | Reject {
  if (!isJsonObject(message) || message.type !== 'noise') return reject('noise_error', 'noise expected')
  const hex = message.payload_hex
  if (typeof hex !== 'string' || hex === '' || hex.length % 2 !== 0 || !isHexDigits(hex))
    return reject('noise_error', 'noise payload missing')
  return { ok: true, payload: fromHex(hex) }
}

/**
 * The payload in the bytes of a NOISE envelope: a JSON frame when the first byte is `{`, else the raw payload. A raw
 * payload cannot start with 0x7b: that counter would be above 2^62.
 */
export function readNoisePayload(bytes: Uint8Array): { ok: true; payload: Uint8Array } | Reject {
  if (bytes[0] !== 0x7b) return { ok: true, payload: bytes }
  let text: string
  try {
    text = utf8.decode(bytes)
  } catch {
    return reject('noise_error', 'noise payload missing')
  }
  const json = parseJson(text)
  return json.ok ? readNoiseFrame(json.value) : reject('noise_error', 'noise payload missing')
}
