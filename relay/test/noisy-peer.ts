/** A peer for tests with legacy noise up, as the reference SDKs do it (spec 8.1). */
import {
  decodeEnvelope,
  encodeEnvelope,
  exchangeKeys,
  isJsonObject,
  type JsonObject,
  LegacyNoise,
  parseHex,
  parseJson,
  readNoisePayload,
  writeNoiseFrame,
} from '@aetherkit/core'
import { type Heard, RawPeer } from './raw-peer.js'

/** What both reference SDKs say: JSON text that offers both formats. */
export const LEGACY_HELLO = {
  type: 'hello',
  version: 1,
  formats: ['flatbuffers', 'json'],
  noise: { required: false, pubkey: '' },
}

export class NoisyPeer {
  readonly peer: RawPeer
  /** Counters of the relay's frames, and the size of its largest. */
  readonly counters: bigint[] = []
  largest = 0
  readonly #noise: LegacyNoise
  readonly #inEnvelope: boolean
  #sent = 0

  constructor(peer: RawPeer, noise: LegacyNoise, inEnvelope: boolean) {
    this.peer = peer
    this.#noise = noise
    this.#inEnvelope = inEnvelope
  }

  static async connect(port: number, inEnvelope = false): Promise<NoisyPeer> {
    const peer = await RawPeer.connect(port)
    const keys = exchangeKeys()
    const formats = inEnvelope ? ['flatbuffers'] : ['flatbuffers', 'json']
    const welcome = await peer.ask({
      ...LEGACY_HELLO,
      formats,
      noise: { required: true, pubkey: keys.publicKey },
    })
    const terms = welcome.noise
    if (!isJsonObject(terms) || parseHex(terms.pubkey, 32) === undefined)
      throw new Error('no noise in the welcome')
    const made = LegacyNoise.create({
      role: 'client',
      secretKey: keys.secretKey,
      peerPublicKey: terms.pubkey,
    })
    if (!made.ok) throw new Error(made.error)
    return new NoisyPeer(peer, made.noise, inEnvelope)
  }

  seal(text: string): string {
    return writeNoiseFrame(this.#noise.seal(Buffer.from(text)))
  }

  say(text: string): void {
    const frame = this.seal(text)
    if (!this.#inEnvelope) this.peer.say(frame)
    else if (this.#sent++ % 2 === 0) this.peer.sayBytes(encodeEnvelope(frame))
    else {
      const message = jsonOf(Buffer.from(frame))
      this.peer.sayBytes(rawNoiseEnvelope(Buffer.from(String(message.payload_hex), 'hex')))
    }
  }

  async hear(): Promise<JsonObject> {
    const heard = await this.peer.hear()
    this.largest = Math.max(this.largest, heard.payload.length)
    const json = this.#inEnvelope ? Buffer.from(openEnvelope(heard).json) : heard.payload
    const read = readNoisePayload(json)
    if (!read.ok) throw new Error(`in clear: ${heard.payload}`)
    this.counters.push(Buffer.from(read.payload).readBigUInt64BE(0))
    const opened = this.#noise.open(read.payload)
    if (!opened.ok) throw new Error(opened.error)
    if (!this.#inEnvelope) return jsonOf(opened.plain)
    return openEnvelope({ opcode: 2, payload: Buffer.from(opened.plain) }).message
  }
}

/** The bytes as a JSON object. */
export function jsonOf(bytes: Uint8Array): JsonObject {
  const parsed = parseJson(Buffer.from(bytes).toString())
  if (!parsed.ok || !isJsonObject(parsed.value)) throw new Error('JSON object expected')
  return parsed.value
}

/** A message that must be an envelope. */
export function openEnvelope({ opcode, payload }: Heard): {
  type: number
  json: string
  message: JsonObject
} {
  if (opcode !== 2) throw new Error('binary frame expected')
  const opened = decodeEnvelope(payload)
  if (!opened.ok) throw new Error(opened.error)
  return { type: opened.type, json: opened.json, message: jsonOf(Buffer.from(opened.json)) }
}

/** A NOISE envelope whose payload is raw bytes, as the reference's documents have it. */
function rawNoiseEnvelope(payload: Uint8Array): Uint8Array {
  const envelope = Buffer.from(encodeEnvelope(`{"type":"noise","x":"${'.'.repeat(payload.length)}"}`))
  const bytes = Buffer.concat([envelope.subarray(0, 28), payload])
  bytes.writeUInt32LE(payload.length, 24)
  return bytes
}
