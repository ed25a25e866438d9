/**
 * Transport phase of noise-xx (Noise revision 34, section 5.1; spec 8.2): a cipher for each direction, and frames cut
 * into pieces that fit Noise messages.
 *
 *   Noise message, at most 65 535
 *   0   piece     n    encrypted
 *       tag       16
 *   piece
 *   0   mark      1    1 = more follows, 0 = last
 *   1   data      n    at most 65 518
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js'
import { concatBytes as concat } from '@noble/hashes/utils.js'
import { type Reject, reject } from './codes.js'

/** Bytes of a Noise message, the bytes its tag takes, and what is left of a piece. */
export const MAX_NOISE_MESSAGE = 65_535
export const NOISE_TAG = 16
const MAX_PIECE_DATA = MAX_NOISE_MESSAGE - NOISE_TAG - 1

/** One key and its counter (CipherState). The nonce is 4 zero bytes, then the counter, u64 little-endian. */
export class NoiseCipher {
  readonly #key: Uint8Array
  #counter = 0

  constructor(key: Uint8Array) {
    this.#key = key
  }

  encrypt(plain: Uint8Array, ad?: Uint8Array): Uint8Array {
    return chacha20poly1305(this.#key, this.#nonce(), ad).encrypt(plain)
  }

  /** Undefined when the tag is wrong. The counter moves on only with a good message. */
  decrypt(message: Uint8Array, ad?: Uint8Array): Uint8Array | undefined {
    const before = this.#counter
    try {
      return chacha20poly1305(this.#key, this.#nonce(), ad).decrypt(message)
    } catch {
      this.#counter = before
      return undefined
    }
  }

  /** Noise allows 2^64 - 1 messages; a double counts to 2^53. */
  #nonce(): Uint8Array {
    if (this.#counter >= Number.MAX_SAFE_INTEGER) throw new RangeError('noise counter used up')
    const nonce = new Uint8Array(12)
    new DataView(nonce.buffer).setBigUint64(4, BigInt(this.#counter++), true)
    return nonce
  }
}

export interface NoiseTransportOptions {
  readonly sending: NoiseCipher
  readonly receiving: NoiseCipher
  /** 32 bytes, hex: names this very handshake, for the tag `binding` of AUTH events. */
  readonly handshakeHash: string
  /** The peer's proven static X25519 key, hex. */
  readonly peerPublicKey: string
  /** Joined pieces may have this many bytes; default 1 MiB. */
  readonly maxFrame?: number
}

/** What a finished handshake gives. The first reject ends it: every later message is refused too. */
export class NoiseTransport {
  readonly handshakeHash: string
  readonly peerPublicKey: string
  readonly #sending: NoiseCipher
  readonly #receiving: NoiseCipher
  readonly #maxFrame: number
  #pieces: Uint8Array[] = []
  #joined = 0
  #failure: Reject | undefined

  constructor(options: NoiseTransportOptions) {
    this.handshakeHash = options.handshakeHash
    this.peerPublicKey = options.peerPublicKey
    this.#sending = options.sending
    this.#receiving = options.receiving
    this.#maxFrame = options.maxFrame ?? 1_048_576
  }

  /** One frame as the Noise messages to send, in this order. */
  seal(frame: Uint8Array): Uint8Array[] {
    const messages: Uint8Array[] = []
    let at = 0
    do {
      const end = Math.min(at + MAX_PIECE_DATA, frame.length)
      const mark = Uint8Array.of(end < frame.length ? 1 : 0)
      messages.push(this.sealMessage(concat(mark, frame.subarray(at, end))))
      at = end
    } while (at < frame.length)
    return messages
  }

  /**
   * Takes one Noise message; `frame` is there when it held the last piece of one. Too long, a wrong tag or mark, or a
   * piece that promises more and brings nothing: `noise_error`. A frame beyond the limit: `too_large`.
   */
  open(message: Uint8Array): { ok: true; frame?: Uint8Array } | Reject {
    const opened = this.openMessage(message)
    if (!opened.ok) return opened
    const mark = opened.plain[0]
    const data = opened.plain.subarray(1)
    if (mark === undefined || mark > 1) return this.#fail(noiseError('piece without a mark'))
    if (mark === 1 && data.length === 0) return this.#fail(noiseError('empty piece'))
    this.#joined += data.length
    if (this.#joined > this.#maxFrame)
      return this.#fail(reject('too_large', undefined, `frame above ${this.#maxFrame} bytes`))
    this.#pieces.push(data)
    if (mark === 1) return { ok: true }
    const frame = concat(...this.#pieces)
    this.#pieces = []
    this.#joined = 0
    return { ok: true, frame }
  }

  /**
   * One bare Noise message without piece marks: what the published vectors speak; peers use {@link seal}.
   * @throws RangeError above 65 519 bytes.
   */
  sealMessage(plain: Uint8Array): Uint8Array {
    if (plain.length > MAX_NOISE_MESSAGE - NOISE_TAG)
      throw new RangeError(
        `a noise message holds ${MAX_NOISE_MESSAGE - NOISE_TAG} bytes, got ${plain.length}`,
      )
    return this.#sending.encrypt(plain)
  }

  /** The counterpart of {@link sealMessage}. */
  openMessage(message: Uint8Array): { ok: true; plain: Uint8Array } | Reject {
    if (this.#failure !== undefined) return this.#failure
    if (message.length > MAX_NOISE_MESSAGE) return this.#fail(noiseError('message too long'))
    if (message.length < NOISE_TAG) return this.#fail(reject('noise_error', 'noise payload too short'))
    const plain = this.#receiving.decrypt(message)
    return plain === undefined ? this.#fail(noiseError('message does not decrypt')) : { ok: true, plain }
  }

  #fail(failure: Reject): Reject {
    this.#failure = failure
    this.#pieces = []
    return failure
  }
}

function noiseError(detail: string): Reject {
  return reject('noise_error', 'noise expected', detail)
}
