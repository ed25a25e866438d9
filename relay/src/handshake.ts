/**
 * What a hello gets (spec 4.3, 5.1, 8): a format, and noise or none. Pure: the session does the rest.
 *
 * A hello in JSON text gets a JSON welcome, and format `json` whenever it offers `json`: legacy SDKs send it as text,
 * offer both formats, and understand nothing else.
 */
import {
  type ClientMessage,
  exchangeKeys,
  LegacyNoise,
  type Reject,
  type RelayMessage,
  reject,
} from '@aetherkit/core'

export type Format = 'json' | 'flatbuffers' | 'aether.v2'
export type Hello = Extract<ClientMessage, { type: 'hello' }>

/** What every relay speaks, as the welcome and the info document list it; `nostr` is added where there is a gateway. */
export const FORMATS: readonly Format[] = ['json', 'flatbuffers', 'aether.v2']
export const FEATURES: readonly string[] = [
  'base64',
  'eose',
  'closed',
  'auth',
  'info',
  'noise-xx',
  'aether.v2',
  'mailbox',
]
export const VERSION = 1

export interface Agreement {
  readonly ok: true
  readonly format: Format
  readonly features: ReadonlySet<string>
  readonly noise: 'none' | 'xx' | LegacyNoise
  readonly welcome: RelayMessage
}

/** `inEnvelope`: it came in a FlatBuffers envelope. No format in common: `unsupported`; a useless key: `noise_error`. */
export function agree(
  hello: Hello,
  inEnvelope: boolean,
  facts: {
    readonly epoch: string
    readonly limits: Readonly<Record<string, number>>
    readonly features: readonly string[]
  },
): Agreement | Reject {
  const { required, pubkey } = hello.noise
  const xx = required && !inEnvelope && hello.features.includes('noise-xx')
  const format = chooseFormat(hello, inEnvelope, required && !xx)
  if (format === undefined) return reject('unsupported', undefined, `formats: ${FORMATS.join(', ')}`)

  let noise: Agreement['noise'] = xx ? 'xx' : 'none'
  let terms: Extract<RelayMessage, { type: 'welcome' }>['noise'] = { required: false }
  if (xx) terms = { required: true, pattern: 'xx' }
  else if (required) {
    const keys = exchangeKeys()
    const made = LegacyNoise.create({ role: 'relay', secretKey: keys.secretKey, peerPublicKey: pubkey })
    if (!made.ok) return made
    noise = made.noise
    terms = { required: true, pubkey: keys.publicKey }
  }
  const version = Math.min(hello.version, VERSION)
  return {
    ok: true,
    format,
    features: new Set(hello.features),
    noise,
    welcome: { type: 'welcome', version, format, noise: terms, ...facts },
  }
}

/** Legacy noise wraps only JSON and envelopes, so with it there is no `aether.v2` (spec 5.1). */
function chooseFormat(hello: Hello, inEnvelope: boolean, legacyNoise: boolean): Format | undefined {
  const offers = (format: Format) => hello.formats.includes(format)
  if (inEnvelope) return offers('flatbuffers') ? 'flatbuffers' : offers('json') ? 'json' : undefined
  if (offers('aether.v2') && !legacyNoise) return 'aether.v2'
  if (offers('json')) return 'json'
  return offers('flatbuffers') ? 'flatbuffers' : undefined
}
