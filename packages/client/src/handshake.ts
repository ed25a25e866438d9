/**
 * From an open socket to a session: hello, welcome, and noise where it was asked for (spec 4.3, 5.1, 8.2). A welcome
 * that is weaker than the hello is refused. Pure: bytes in, bytes out.
 */
import {
  exchangeKeys,
  type NoiseTransport,
  NoiseXX,
  noiseXXPrologue,
  type RelayMessage,
  readRelayMessage,
  writeMessage,
} from '@aetherkit/core'
import { ClientError } from './errors.js'
import { createFormat, type Decoded, type Format, type FormatName, type OutFrame } from './format.js'

export interface HandshakeOptions {
  readonly relay: string
  /** In order of preference. */
  readonly formats: readonly FormatName[]
  readonly noise: 'off' | 'xx'
  /** The relay's static X25519 key, hex: with another the handshake fails. */
  readonly relayKey?: string | undefined
  /** Our static X25519 secret, 32 bytes. */
  readonly noiseSecret: Uint8Array
  /** Bytes. */
  readonly maxFrame: number
  /** Whether to be asked who we are. */
  readonly auth: boolean
}

/** What was agreed on. */
export interface Session {
  readonly format: FormatName
  readonly noise: 'off' | 'xx'
  /** Undefined for a reference relay: it has no cursors, and answers nothing that names an event. */
  readonly epoch: string | undefined
  readonly features: readonly string[]
  /** The relay's proven X25519 key with noise. */
  readonly relayKey: string | undefined
  /** What an AUTH event must name with noise, hex (spec 8.2). */
  readonly binding: string | undefined
  /** The messages that carry a frame. */
  encode(frame: OutFrame): readonly (string | Uint8Array)[]
  decode(data: string | Uint8Array): Decoded
}

/** After one message of the relay: what to send, and the session when that was the last one. */
export interface Progress {
  readonly send?: Uint8Array
  readonly session?: Session
}

type Welcome = Extract<RelayMessage, { type: 'welcome' }>

export class Handshake {
  /** The first message, text. */
  readonly hello: string
  readonly #options: HandshakeOptions
  #welcome: Welcome | undefined
  #noise: NoiseXX | undefined

  constructor(options: HandshakeOptions) {
    this.#options = options
    const required = options.noise === 'xx'
    const auth = options.auth ? ['auth'] : []
    const features = ['base64', 'eose', 'closed', 'notice', ...auth, ...(required ? ['noise-xx'] : [])]
    const noise = { required, ...(required && { pubkey: exchangeKeys(options.noiseSecret).publicKey }) }
    this.hello = writeMessage({ type: 'hello', version: 1, formats: options.formats, noise, features })
  }

  /** @throws ClientError WEAK_WELCOME or HANDSHAKE_FAILED. */
  receive(data: string | Uint8Array): Progress {
    return this.#welcome === undefined ? this.#readWelcome(data) : this.#readNoise(this.#welcome, data)
  }

  #readWelcome(data: string | Uint8Array): Progress {
    const text = typeof data === 'string' ? data : new TextDecoder().decode(data)
    const read = readRelayMessage(text)
    if (!read.ok) throw this.#failed('the first message is no welcome')
    const welcome = read.message
    if (welcome?.type === 'error') throw this.#failed(`the relay said: ${welcome.error.slice(0, 200)}`)
    if (welcome?.type !== 'welcome') throw this.#failed('the first message is no welcome')
    this.#check(welcome)
    this.#welcome = welcome
    if (this.#options.noise === 'off') return { session: this.#session(welcome, undefined) }
    const { noiseSecret, relayKey, maxFrame } = this.#options
    this.#noise = new NoiseXX({
      role: 'client',
      staticSecret: noiseSecret,
      prologue: noiseXXPrologue(this.hello, text),
      maxFrame,
      ...(relayKey !== undefined && { expectedPeer: relayKey }),
    })
    return { send: this.#noise.write() }
  }

  /** Message 2 in, message 3 out. */
  #readNoise(welcome: Welcome, data: string | Uint8Array): Progress {
    const noise = this.#noise
    if (noise === undefined || typeof data === 'string') throw this.#failed('noise expected')
    if (!noise.read(data).ok) {
      const pinned = this.#options.relayKey !== undefined
      const message = pinned ? 'noise failed, or the relay does not have the pinned key' : undefined
      throw new ClientError('WEAK_WELCOME', message, { relay: this.#options.relay })
    }
    const send = noise.write()
    return { send, session: this.#session(welcome, noise.transport) }
  }

  #check({ version, format, noise }: Welcome): void {
    const asked = this.#options.noise === 'xx'
    const weak =
      version !== 1
        ? `version ${version}`
        : !this.#options.formats.some((offered) => offered === format)
          ? `format ${JSON.stringify(format.slice(0, 40))}`
          : asked && !(noise.required && noise.pattern === 'xx')
            ? 'no noise-xx'
            : undefined
    const { relay } = this.#options
    if (weak !== undefined)
      throw new ClientError('WEAK_WELCOME', `the relay's welcome has ${weak}`, { relay })
    if (!asked && noise.required) throw this.#failed('the relay wants noise that was not asked for')
  }

  #session(welcome: Welcome, transport: NoiseTransport | undefined): Session {
    const name: FormatName = welcome.format === 'aether.v2' ? 'aether.v2' : 'json'
    const { maxFrame } = this.#options
    const format = createFormat(name, { maxFrame, base64: welcome.features.includes('base64') })
    return {
      format: name,
      noise: transport === undefined ? 'off' : 'xx',
      epoch: welcome.epoch,
      features: welcome.features,
      relayKey: transport?.peerPublicKey,
      binding: transport?.handshakeHash,
      ...(transport === undefined ? plainly(format) : throughNoise(format, transport)),
    }
  }

  #failed(message: string): ClientError {
    return new ClientError('HANDSHAKE_FAILED', message, { relay: this.#options.relay })
  }
}

function plainly(format: Format): Pick<Session, 'encode' | 'decode'> {
  return { encode: (frame) => [format.encode(frame)], decode: (data) => format.decode(data) }
}

function throughNoise(format: Format, transport: NoiseTransport): Pick<Session, 'encode' | 'decode'> {
  const utf8 = new TextEncoder()
  return {
    encode(frame) {
      const plain = format.encode(frame)
      return transport.seal(typeof plain === 'string' ? utf8.encode(plain) : plain)
    },
    decode(data) {
      const opened = transport.open(typeof data === 'string' ? utf8.encode(data) : data)
      if (!opened.ok) return opened
      return opened.frame === undefined ? { ok: true, frame: undefined } : format.decode(opened.frame)
    },
  }
}
