/**
 * Handshake Noise_XX_25519_ChaChaPoly_SHA256 (Noise revision 34; spec 8.2). The client initiates, the relay responds:
 *
 *   1  client   e                32 ‖ payload
 *   2  relay    e, ee, s, es     32 ‖ 48 ‖ payload and tag
 *   3  client   s, se            48 ‖ payload and tag
 *
 * Both end with the same handshake hash, the peer's proven static key, and a key for each direction.
 */
import { hkdf } from '@noble/hashes/hkdf.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes as concat } from '@noble/hashes/utils.js'
import { type Reject, reject } from './codes.js'
import { fromHex, parseHex, toHex } from './hex.js'
import type { NoiseRole } from './noise-legacy.js'
import { MAX_NOISE_MESSAGE, NOISE_TAG, NoiseCipher, NoiseTransport } from './noise-transport.js'
import { type ExchangeKeys, exchangeKeys, sharedSecret } from './x25519.js'

const utf8 = new TextEncoder()
/** 32 bytes of ASCII, so it is the first hash as it stands. */
const PROTOCOL = utf8.encode('Noise_XX_25519_ChaChaPoly_SHA256')
const PROLOGUE = utf8.encode('aether-noise-xx-1')
const NOTHING = new Uint8Array()
const KEY_BYTES = 32
/** What the longest message, the second, adds to its payload. */
const OVERHEAD = 2 * KEY_BYTES + 2 * NOISE_TAG

export interface NoiseXXOptions {
  readonly role: NoiseRole
  /** Our static X25519 secret, 32 bytes: what the peer pins. */
  readonly staticSecret: Uint8Array
  /** See {@link noiseXXPrologue}; both sides must have the same bytes. */
  readonly prologue: Uint8Array
  /** The only static key of the peer to accept, hex (a pinned relay). */
  readonly expectedPeer?: string
  /** Limit of a joined frame, default 1 MiB. */
  readonly maxFrame?: number
  /** 32 bytes; random unless a test needs it known. Never use one twice. */
  readonly ephemeralSecret?: Uint8Array
}

/** `aether-noise-xx-1`, then hello and welcome exactly as sent, each after its length as u32 big-endian. */
export function noiseXXPrologue(hello: Uint8Array | string, welcome: Uint8Array | string): Uint8Array {
  const parts: Uint8Array[] = [PROLOGUE]
  for (const sent of [hello, welcome]) {
    const bytes = typeof sent === 'string' ? utf8.encode(sent) : sent
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, bytes.length)
    parts.push(length, bytes)
  }
  return concat(...parts)
}

/**
 * The handshake as a state machine: call `write` and `read` in turn until `transport` is there. A refused message ends
 * it: close the connection.
 */
export class NoiseXX {
  readonly #options: NoiseXXOptions
  readonly #static: ExchangeKeys
  readonly #ephemeral: ExchangeKeys
  readonly #symmetric = new Symmetric()
  #peerEphemeral: Uint8Array = NOTHING
  #peerStatic: Uint8Array = NOTHING
  #step: 1 | 2 | 3 | 4 | 'failed' = 1
  #transport: NoiseTransport | undefined

  /** @throws TypeError unless every secret is 32 bytes and a pinned key 32 bytes of hex. */
  constructor(options: NoiseXXOptions) {
    if (options.expectedPeer !== undefined && parseHex(options.expectedPeer, KEY_BYTES) === undefined)
      throw new TypeError('expectedPeer must be 32 bytes of hex')
    this.#options = options
    this.#static = exchangeKeys(options.staticSecret)
    this.#ephemeral = exchangeKeys(options.ephemeralSecret)
    this.#symmetric.mixHash(options.prologue)
  }

  /** There after the third message. */
  get transport(): NoiseTransport | undefined {
    return this.#transport
  }

  /** Whether the next move is ours. */
  get writes(): boolean {
    return this.#step !== 'failed' && this.#step < 4 && (this.#step % 2 === 1) === this.#isClient
  }

  /**
   * Our next handshake message. A payload in message 1 travels in clear; in message 2 the client is not yet proven.
   * @throws TypeError when it is not our turn; RangeError for a payload above 65 439 bytes.
   */
  write(payload: Uint8Array = NOTHING): Uint8Array {
    if (!this.writes) throw new TypeError('noise-xx: not our turn to write')
    if (payload.length > MAX_NOISE_MESSAGE - OVERHEAD) throw new RangeError('noise-xx: payload too long')
    const s = this.#symmetric
    const parts: Uint8Array[] = []
    if (this.#step !== 3) {
      const e = fromHex(this.#ephemeral.publicKey)
      s.mixHash(e)
      parts.push(e)
    }
    // The peer's ephemeral key shared a secret with ours when it was read, so `mix` has nothing left to refuse.
    if (this.#step === 2) this.#mix(this.#ephemeral, this.#peerEphemeral)
    if (this.#step !== 1) {
      parts.push(s.encryptAndHash(fromHex(this.#static.publicKey)))
      this.#mix(this.#static, this.#peerEphemeral)
    }
    parts.push(s.encryptAndHash(payload))
    this.#advance()
    return concat(...parts)
  }

  /**
   * The peer's next handshake message. Out of turn, of a wrong length, tampered with, a key of small order, or not the
   * pinned peer: `noise_error`.
   */
  read(message: Uint8Array): { ok: true; payload: Uint8Array } | Reject {
    const payload = this.writes || this.#transport !== undefined ? undefined : this.#read(message)
    if (payload === undefined) {
      this.#step = 'failed'
      return reject('noise_error', 'noise expected', 'handshake failed')
    }
    this.#advance()
    return { ok: true, payload }
  }

  get #isClient(): boolean {
    return this.#options.role === 'client'
  }

  #read(message: Uint8Array): Uint8Array | undefined {
    if (this.#step === 'failed' || message.length > MAX_NOISE_MESSAGE) return undefined
    const s = this.#symmetric
    let at = 0
    if (this.#step !== 3) {
      if (message.length < KEY_BYTES) return undefined
      this.#peerEphemeral = message.slice(0, KEY_BYTES)
      at = KEY_BYTES
      s.mixHash(this.#peerEphemeral)
      if (this.#step === 1) {
        if (sharedSecret(this.#ephemeral.secretKey, this.#peerEphemeral) === undefined) return undefined
      } else if (!this.#mix(this.#ephemeral, this.#peerEphemeral)) return undefined
    }
    if (this.#step !== 1) {
      const end = at + KEY_BYTES + NOISE_TAG
      const peerStatic = s.decryptAndHash(message.subarray(at, end))
      if (peerStatic === undefined || peerStatic.length !== KEY_BYTES) return undefined
      this.#peerStatic = peerStatic
      at = end
      const { expectedPeer } = this.#options
      if (expectedPeer !== undefined && expectedPeer.toLowerCase() !== toHex(peerStatic)) return undefined
      if (!this.#mix(this.#ephemeral, peerStatic)) return undefined
    }
    return s.decryptAndHash(message.subarray(at))
  }

  #mix(own: ExchangeKeys, peer: Uint8Array): boolean {
    const shared = sharedSecret(own.secretKey, peer)
    if (shared !== undefined) this.#symmetric.mixKey(shared)
    return shared !== undefined
  }

  #advance(): void {
    if (this.#step === 1) this.#step = 2
    else if (this.#step === 2) this.#step = 3
    else if (this.#step === 3) {
      this.#step = 4
      const [toRelay, toClient] = this.#symmetric.split()
      const { maxFrame } = this.#options
      this.#transport = new NoiseTransport({
        sending: this.#isClient ? toRelay : toClient,
        receiving: this.#isClient ? toClient : toRelay,
        handshakeHash: toHex(this.#symmetric.hash),
        peerPublicKey: toHex(this.#peerStatic),
        ...(maxFrame !== undefined && { maxFrame }),
      })
    }
  }
}

/** SymmetricState of the Noise specification, section 5.2. */
class Symmetric {
  hash: Uint8Array = PROTOCOL
  #chainingKey: Uint8Array = PROTOCOL
  #cipher: NoiseCipher | undefined

  mixHash(data: Uint8Array): void {
    this.hash = sha256(concat(this.hash, data))
  }

  mixKey(secret: Uint8Array): void {
    const [chainingKey, key] = halves(hkdf(sha256, secret, this.#chainingKey, undefined, 64))
    this.#chainingKey = chainingKey
    this.#cipher = new NoiseCipher(key)
  }

  encryptAndHash(plain: Uint8Array): Uint8Array {
    const sent = this.#cipher === undefined ? plain : this.#cipher.encrypt(plain, this.hash)
    this.mixHash(sent)
    return sent
  }

  decryptAndHash(received: Uint8Array): Uint8Array | undefined {
    const plain = this.#cipher === undefined ? received : this.#cipher.decrypt(received, this.hash)
    if (plain !== undefined) this.mixHash(received)
    return plain
  }

  /** The ciphers of the initiator's and of the responder's messages. */
  split(): [NoiseCipher, NoiseCipher] {
    const [first, second] = halves(hkdf(sha256, NOTHING, this.#chainingKey, undefined, 64))
    return [new NoiseCipher(first), new NoiseCipher(second)]
  }
}

function halves(bytes: Uint8Array): [Uint8Array, Uint8Array] {
  return [bytes.slice(0, 32), bytes.slice(32, 64)]
}
