/** Who we are: a public key and something that signs with it. A key in memory, or anything else that can sign. */
import { fromHex, generateSecretKey, open, publicKeyOf, seal, signDigest } from '@aetherkit/core'

export interface Signer {
  /** Ed25519, 32 bytes, lower-case hex. */
  readonly publicKey: string
  /** The Ed25519 signature, 64 bytes, of the 32 raw bytes of an event id. */
  sign(id: Uint8Array): Uint8Array | Promise<Uint8Array>
  /** Seals content for a recipient's public key, hex. Without it the client can neither call nor be called. */
  seal?(plain: Uint8Array, recipient: string): Uint8Array | Promise<Uint8Array>
  /** Opens what the sender, hex, sealed for us; undefined for anything that does not open. */
  open?(sealed: Uint8Array, sender: string): Uint8Array | undefined | Promise<Uint8Array | undefined>
}

/**
 * A signer around a secret in memory: 32 bytes, or a random one.
 * @throws TypeError unless the secret is 32 bytes.
 */
export function localSigner(secretKey: Uint8Array = generateSecretKey()): Signer {
  const secret = Uint8Array.from(secretKey)
  return {
    publicKey: publicKeyOf(secret),
    sign: (id) => signDigest(id, secret),
    seal: (plain, recipient) => seal(plain, { senderSecret: secret, recipient }),
    open: (sealed, sender) => {
      const opened = open(sealed, { recipientSecret: secret, sender })
      return opened.ok ? opened.plain : undefined
    },
  }
}

/**
 * The signer that an option names: itself, one around a secret, or a new one.
 * @throws TypeError for a public key that is not 32 bytes of lower-case hex.
 */
export function toSigner(value: Signer | Uint8Array | undefined): Signer {
  if (value === undefined || value instanceof Uint8Array) return localSigner(value)
  if (fromHex(value.publicKey).length !== 32 || value.publicKey !== value.publicKey.toLowerCase())
    throw new TypeError('signer.publicKey must be 32 bytes of lower-case hex')
  return value
}
