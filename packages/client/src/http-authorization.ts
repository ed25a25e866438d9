/**
 * Who asks a relay over HTTP: the value of an `Authorization` header that proves a key for one request, in the manner
 * of NIP-98. The relay's side is `gateway/http-auth.ts` of the relay.
 */
import {
  blake3,
  canonicalBytes,
  completeTemplate,
  createClock,
  type Tag,
  toHex,
  writeEvent,
} from '@aetherkit/core'
import { type Signer, toSigner } from './signer.js'

/** Never stored, never forwarded: a proof goes to one relay, in the header alone. */
const HTTP_AUTH_KIND = 27235

export interface HttpAuthorizationOptions {
  /** More tags, such as `["capability", <token as JSON>, …]`. */
  readonly tags?: readonly Tag[]
  /** Unix time in nanoseconds; default: now. */
  readonly createdAt?: bigint
}

const clock = createClock()

/**
 * `Aether <base64>`, good once and for a minute.
 *
 *   const authorization = await httpAuthorization(signer, url, 'POST', body)
 *   await fetch(url, { method: 'POST', body, headers: { authorization } })
 *
 * `signer`: or its 32 bytes of secret. `url`: absolute, as the relay is known, with the query. `method`: default GET.
 * `body`: exactly what will be sent; text is sent as UTF-8.
 * @throws TypeError for a URL that is not absolute http or https.
 */
export async function httpAuthorization(
  signer: Signer | Uint8Array,
  url: string | URL,
  method = 'GET',
  body?: string | Uint8Array,
  { tags = [], createdAt = clock() }: HttpAuthorizationOptions = {},
): Promise<string> {
  const target = URL.canParse(url) ? new URL(url) : undefined
  if (target === undefined || !/^https?:$/.test(target.protocol))
    throw new TypeError(`url must be absolute, http or https, got ${JSON.stringify(String(url))}`)
  target.hash = ''
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : (body ?? new Uint8Array())
  const payload: readonly Tag[] = bytes.length === 0 ? [] : [['payload', toHex(blake3(bytes))]]
  const own = toSigner(signer)
  const proof: readonly Tag[] = [['u', target.href], ['method', method.toUpperCase()], ...payload, ...tags]
  const unsigned = completeTemplate({ kind: HTTP_AUTH_KIND, createdAt, tags: proof }, own.publicKey)
  const id = blake3(canonicalBytes(unsigned))
  const sig = await own.sign(id)
  const json = writeEvent({ ...unsigned, id: toHex(id), sig: toHex(sig) }) ?? ''
  return `Aether ${toBase64(new TextEncoder().encode(json))}`
}

function toBase64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''))
}
