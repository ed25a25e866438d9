/** Proof that a notification is the agent's (spec a2a 2.11): a JWT over its id, task and body, by the agent's Ed25519 key. */
import { createHash } from 'node:crypto'
import { fromHex, publicKeyOf, toHex } from '@aetherkit/core'
import { importJWK, type JWK, SignJWT } from 'jose'
import type { SignedNotification } from './delivery.js'

export const NOTIFICATION_SIGNATURE_HEADER = 'A2A-Notification-Signature'

const base64url = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')

/** `publicKey` is hex. */
export const toJwk = (publicKey: string): JWK => ({
  kty: 'OKP',
  crv: 'Ed25519',
  x: base64url(fromHex(publicKey)),
})

/** For `PushOptions.sign`; `secretKey` is 32 bytes. The token is good for five minutes. */
export function notificationSigner(
  secretKey: Uint8Array,
): (notification: SignedNotification) => Promise<Record<string, string>> {
  const publicKey = publicKeyOf(secretKey)
  const key = importJWK({ ...toJwk(publicKey), d: base64url(secretKey) }, 'EdDSA')
  return async ({ id, taskId, url, body }) => {
    const jwt = await new SignJWT({ taskId, bodySha256: toHex(createHash('sha256').update(body).digest()) })
      .setProtectedHeader({ alg: 'EdDSA', kid: publicKey, typ: 'JWT' })
      .setIssuer(publicKey)
      .setAudience(url)
      .setJti(id)
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(await key)
    return { [NOTIFICATION_SIGNATURE_HEADER]: jwt }
  }
}
