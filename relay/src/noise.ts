/**
 * Noise between the socket and a session (spec 8): opens what comes in, seals what goes out. Which of the two layers
 * is decided in the handshake.
 */
import {
  decodeBinary,
  encodeEnvelope,
  type LegacyNoise,
  NoiseXX,
  noiseXXPrologue,
  type Reject,
  readMessage,
  reject,
  writeNoiseFrame,
} from '@aetherkit/core'
import { binaryFrame } from './websocket-frame.js'

interface Opened {
  readonly ok: true
  /** Undefined while a handshake goes on, or when more pieces follow. */
  readonly plain?: Uint8Array
}

export interface Noise {
  /** `fatal`: the connection cannot go on after this reject. */
  open(data: Uint8Array, isBinary: boolean): Opened | (Reject & { readonly fatal?: boolean })
  /** WebSocket frames that carry the plaintext. */
  seal(plain: Uint8Array): Buffer[]
  /** Whether {@link seal} may be called. */
  readonly ready: boolean
  /** Hash of the XX handshake, hex, which AUTH events must name (spec 8.2); undefined before its end, and in the legacy layer. */
  readonly binding?: string | undefined
}

/** The legacy layer: every message is a `noise` message in JSON or in an envelope, sent as a binary frame. */
export function legacyNoise(noise: LegacyNoise, inEnvelope: boolean): Noise {
  return {
    ready: true,
    open(data, isBinary) {
      const opened = isBinary ? decodeBinary(data) : { ok: true as const, json: text(data) }
      if (!opened.ok) return reject('noise_error', 'noise expected')
      const envelope = 'type' in opened && opened.type !== undefined ? { envelope: opened.type } : {}
      const read = readMessage(opened.json, envelope)
      if (!read.ok) return read.code === 'noise_error' ? read : reject('noise_error', 'noise expected')
      if (read.message.type !== 'noise') return reject('noise_error', 'noise expected')
      return noise.open(read.message.payload)
    },
    seal(plain) {
      const message = writeNoiseFrame(noise.seal(plain))
      return [binaryFrame(inEnvelope ? encodeEnvelope(message) : Buffer.from(message))]
    },
  }
}

/** Noise XX: three handshake messages, then each WebSocket frame is one transport message. */
export function noiseXX(
  options: { readonly staticSecret: Uint8Array; readonly maxFrame: number },
  hello: Uint8Array,
  welcome: string,
  send: (frame: Buffer) => void,
): Noise {
  const prologue = noiseXXPrologue(hello, welcome)
  const handshake = new NoiseXX({ role: 'relay', prologue, ...options })
  return {
    get ready() {
      return handshake.transport !== undefined
    },
    get binding() {
      return handshake.transport?.handshakeHash
    },
    open(data, isBinary) {
      if (!isBinary) return { ...reject('noise_error', 'noise expected'), fatal: true }
      if (handshake.transport !== undefined) {
        const opened = handshake.transport.open(data)
        if (!opened.ok) return { ...opened, fatal: true }
        return opened.frame === undefined ? { ok: true } : { ok: true, plain: opened.frame }
      }
      const read = handshake.read(data)
      if (!read.ok) return { ...read, fatal: true }
      if (handshake.writes) send(binaryFrame(handshake.write()))
      return { ok: true }
    },
    seal: (plain) => handshake.transport?.seal(plain).map(binaryFrame) ?? [],
  }
}

function text(data: Uint8Array): string {
  return Buffer.from(data.buffer, data.byteOffset, data.length).toString('utf8')
}
