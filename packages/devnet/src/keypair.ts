/** Ed25519 keys in Solana's form: 64 bytes, seed then public key. */
import { createPrivateKey, createPublicKey, randomBytes, sign } from 'node:crypto'
import { encodeBase58 } from './base58.js'

export interface Keypair {
  /** Base58. */
  readonly publicKey: string
  /** 64 bytes: seed (32), public key (32). */
  readonly secretKey: Uint8Array
}

// PKCS #8 wrapper of an Ed25519 seed
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex')

/** @throws RangeError when the seed is not 32 bytes */
export function keypairFromSeed(seed: Uint8Array): Keypair {
  if (seed.length !== 32) throw new RangeError(`seed: 32 bytes expected, got ${seed.length}`)
  const exported = createPublicKey(privateKey(seed)).export({ format: 'der', type: 'spki' })
  const publicKey = new Uint8Array(exported.subarray(-32))
  return { publicKey: encodeBase58(publicKey), secretKey: new Uint8Array([...seed, ...publicKey]) }
}

export function randomKeypair(): Keypair {
  return keypairFromSeed(randomBytes(32))
}

export function signMessage(message: Uint8Array, keypair: Keypair): Uint8Array {
  return new Uint8Array(sign(null, message, privateKey(keypair.secretKey.subarray(0, 32))))
}

function privateKey(seed: Uint8Array) {
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' })
}
