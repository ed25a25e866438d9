/** Signing `agent.request` without a line of ours (spec a2a 3.2): node:crypto, and RFC 8785 written down once more. */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import type { Loose } from './agent.js'

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
/** DER of an Ed25519 private key up to its seed. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex')

export function base58(bytes: Uint8Array): string {
  let value = BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`)
  let text = ''
  for (; value > 0n; value /= 58n) text = ALPHABET[Number(value % 58n)] + text
  const zeros = bytes.findIndex((byte) => byte !== 0)
  return '1'.repeat(zeros === -1 ? bytes.length : zeros) + text
}

export function unbase58(text: string): Buffer {
  let value = 0n
  for (const character of text) value = value * 58n + BigInt(ALPHABET.indexOf(character))
  const hex = value.toString(16)
  const zeros = text.length - text.replace(/^1+/, '').length
  return Buffer.concat([Buffer.alloc(zeros), Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')])
}

/** Keys sorted by UTF-16 code unit, no blanks. */
export function jcs(value: Loose): string {
  if (Array.isArray(value)) return `[${value.map(jcs).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const keys = Object.keys(value).sort()
  return `{${keys.map((key) => `${JSON.stringify(key)}:${jcs(value[key])}`).join(',')}}`
}

export interface Wallet {
  readonly seed: Uint8Array
  readonly address: string
  /** Params with `from`, a stamp of now and a signature over everything else. */
  signed(params: object): Loose
  /** Base58 of the signature over this text. */
  sign(text: string): string
}

export function walletOf(seed: Uint8Array): Wallet {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, seed]), format: 'der', type: 'pkcs8' })
  const raw = createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32)
  const address = base58(raw)
  const signText = (text: string) => base58(sign(null, Buffer.from(text), key))
  return {
    seed,
    address,
    sign: signText,
    signed(params) {
      const all = { from: address, timestamp: new Date().toISOString(), payload: {}, ...params }
      return { ...all, signature: signText(jcs(all)) }
    },
  }
}

/** The two of the golden vector (spec a2a 3.2). */
export const CALLER = walletOf(Uint8Array.from({ length: 32 }, (_, at) => at + 1))
export const AGENT = walletOf(new Uint8Array(32).fill(7))
