/**
 * `sign-in-with-x` (spec payments 13): an address that has paid for a resource enters again by a signature, without
 * paying. Nonces are good once, signatures are short-lived and bound to our domain, addresses keep their case.
 *
 *   <domain> wants you to sign in with your Solana account:\n<address>\n\n[<statement>\n\n]URI: …\nVersion: …\n
 *   Chain ID: <after solana:>\nNonce: …\nIssued At: …[\nExpiration Time: …][\nNot Before: …][\nRequest ID: …][\nResources:\n- …]
 */
import { signDigest, verifyDigest } from '@aetherkit/core'
import { decodeHeader, encodeHeader } from '../codec/header.js'
import { plainJson } from '../codec/terms.js'
import { PaymentError } from '../errors.js'
import type { GateExtension, Grant } from '../gate.js'
import type { LedgerStore } from '../ledger/store.js'
import type { Network } from '../network.js'
import { type Refusal, refuse } from '../reason.js'
import type { Json } from '../requirement.js'
import type { Paid } from '../serve.js'
import { decodeAddress, decodeBase58, encodeBase58 } from '../solana.js'
import type { GateRequest, RouteTerms } from '../terms.js'

const SIGN_IN = 'sign-in-with-x'
export const SIGN_IN_HEADER = 'SIGN-IN-WITH-X'

/** The members of a signed message, as they travel. */
interface Message {
  readonly domain: string
  readonly address: string
  readonly statement?: string
  readonly uri: string
  readonly version: string
  readonly chainId: string
  readonly nonce: string
  readonly issuedAt: string
  readonly expirationTime?: string
  readonly notBefore?: string
  readonly requestId?: string
  readonly resources?: readonly string[]
}

export interface SignInOptions {
  /** Public origin, such as `https://shop.example`: what is signed for another one is refused. */
  readonly origin: string
  readonly store: LedgerStore
  readonly networks: readonly Network[]
  readonly statement?: string
  /** How long a paid address may come again, 24 h by default. */
  readonly accessMs?: number
  /** How long a signature is good, 300 s by default. */
  readonly seconds?: number
  readonly now?: () => number
}

export interface SignIn extends GateExtension {
  /** The address behind a header, good for this one time. */
  verify(header: string, url: string): Promise<{ ok: true; address: string } | Refusal>
  /** A gate's `onSettled`: remembers who paid for what. */
  readonly remember: (paid: Paid) => Promise<void>
  /** A gate's `onRequest`: lets in who has paid before; whoever has not gets the ordinary 402. */
  readonly grant: (request: GateRequest, terms: RouteTerms) => Promise<Grant | undefined>
}

/** What clocks may differ by. */
const SKEW_MS = 60_000
const TEXT_MEMBERS = ['domain', 'address', 'uri', 'version', 'chainId', 'nonce', 'issuedAt'] as const
const OPTIONAL_MEMBERS = ['statement', 'expirationTime', 'notBefore', 'requestId'] as const
const utf8 = new TextEncoder()

/** @throws PaymentError `invalid_option` for an origin that is none */
export function createSignIn(options: SignInOptions): SignIn {
  const { store, networks, statement, accessMs = 86_400_000, seconds = 300, now = Date.now } = options
  if (!URL.canParse(options.origin) || new URL(options.origin).pathname !== '/')
    throw new PaymentError('invalid_option', `no origin: ${options.origin}`)
  const { host, origin } = new URL(options.origin)
  const accessKey = (address: string, url: string): string => `access/${address}/${url}`

  const signIn: SignIn = {
    key: SIGN_IN,
    offer(_offer, _request, terms) {
      const issued = now()
      return {
        info: {
          domain: host,
          uri: terms.resource.url,
          version: '1',
          nonce: randomNonce(),
          issuedAt: new Date(issued).toISOString(),
          expirationTime: new Date(issued + seconds * 1000).toISOString(),
          ...(statement !== undefined && { statement }),
          resources: [terms.resource.url],
        },
        supportedChains: networks.map((chainId) => ({ chainId, type: 'ed25519' })),
        schema: SCHEMA,
      }
    },
    async verify(header, url) {
      const read = readMessage(header)
      if (!read.ok) return read
      const { message, signature } = read
      const { domain, uri, chainId, address, nonce } = message
      if (domain !== host || !URL.canParse(uri) || new URL(uri).origin !== origin)
        return refuse('invalid_payload', 'signed for another place')
      if (!networks.some((network) => network === chainId)) return refuse('invalid_network')
      const time = now()
      const issued = Date.parse(message.issuedAt)
      const expires =
        message.expirationTime === undefined ? issued + seconds * 1000 : Date.parse(message.expirationTime)
      const begins = message.notBefore === undefined ? issued : Date.parse(message.notBefore)
      const isLive =
        issued <= time + SKEW_MS &&
        time < expires &&
        time < issued + seconds * 1000 &&
        begins <= time + SKEW_MS
      if (!isLive) return refuse('payment_expired')
      const key = decodeAddress(address)
      if (key === undefined || !verifyDigest(signature, utf8.encode(messageText(message)), key))
        return refuse('invalid_payload', 'signature')
      if (resourceOf(message) !== resourceOf({ uri: url })) return refuse('aetherkit_other_resource')
      const isFirst = await store.swap(`nonce/${nonce}`, undefined, address, seconds * 1000 + 2 * SKEW_MS)
      return isFirst ? { ok: true, address } : refuse('aetherkit_already_used')
    },
    async remember({ payer, resourceUrl, paymentId }) {
      const key = accessKey(payer, resourceUrl)
      while (!(await store.swap(key, await store.get(key), paymentId, accessMs))) {}
    },
    async grant(request, terms) {
      const header = request.header(SIGN_IN_HEADER.toLowerCase())
      if (header === undefined) return undefined
      const verified = await signIn.verify(header, terms.resource.url)
      if (!verified.ok) return undefined
      const paid = await store.get(accessKey(verified.address, terms.resource.url))
      return paid === undefined ? undefined : { kind: 'grant', headers: { 'Cache-Control': 'private' } }
    },
  }
  return signIn
}

/** A wallet that can sign text: a web3.js `Keypair`, or an address with a function over bytes. */
export type TextSigner =
  | { readonly publicKey: { toBase58(): string }; readonly secretKey: Uint8Array }
  | { readonly address: string; signMessageBytes(message: Uint8Array): Uint8Array | Promise<Uint8Array> }

/**
 * The value of `SIGN-IN-WITH-X` for the extension of a 402 that came from `url`, for buyers. Undefined when it is not
 * declared, not for this network, or not for that place: nothing is signed for somebody else.
 */
export async function signInHeader(
  extensions: Readonly<Record<string, Json>> | undefined,
  signer: TextSigner,
  network: Network,
  url: string,
): Promise<string | undefined> {
  const extension = extensions?.[SIGN_IN]
  if (!isMembers(extension) || !isMembers(extension.info) || !Array.isArray(extension.supportedChains))
    return undefined
  const isServed = extension.supportedChains.some(
    (chain) => isMembers(chain) && chain.chainId === network && chain.type === 'ed25519',
  )
  const { host, origin } = new URL(url)
  const { domain, uri } = extension.info
  if (
    !isServed ||
    domain !== host ||
    typeof uri !== 'string' ||
    !URL.canParse(uri) ||
    new URL(uri).origin !== origin
  )
    return undefined
  const address = 'address' in signer ? signer.address : signer.publicKey.toBase58()
  const message = toMessage({ ...extension.info, address, chainId: network })
  if (message === undefined) return undefined
  const bytes = utf8.encode(messageText(message))
  const signature =
    'secretKey' in signer
      ? signDigest(bytes, signer.secretKey.slice(0, 32))
      : await signer.signMessageBytes(bytes)
  return encodeHeader({
    ...message,
    type: 'ed25519',
    signatureScheme: 'siws',
    signature: encodeBase58(signature),
  })
}

function readMessage(header: string): { ok: true; message: Message; signature: Uint8Array } | Refusal {
  const decoded = decodeHeader(header)
  if (!decoded.ok) return decoded
  const members = plainJson(decoded.value)
  const message = isMembers(members) ? toMessage(members) : undefined
  if (
    message === undefined ||
    !isMembers(members) ||
    members.type !== 'ed25519' ||
    typeof members.signature !== 'string' ||
    members.signature.length > 100
  )
    return refuse('invalid_payload', 'no sign-in message')
  try {
    return { ok: true, message, signature: decodeBase58(members.signature) }
  } catch {
    return refuse('invalid_payload', 'signature')
  }
}

/** The members of a message, each of its kind and on one line: a line break would forge the lines after it. */
function toMessage(members: Readonly<Record<string, Json>>): Message | undefined {
  const names = [...TEXT_MEMBERS, ...OPTIONAL_MEMBERS.filter((name) => members[name] != null)]
  const resources = members.resources ?? undefined
  if (resources !== undefined && !(Array.isArray(resources) && resources.every(isLine))) return undefined
  if (!names.every((name) => isLine(members[name]))) return undefined
  if (members.version !== '1' || !/^[0-9a-zA-Z]{8,128}$/.test(String(members.nonce))) return undefined
  const picked = Object.fromEntries(names.map((name) => [name, members[name] as string]))
  return {
    ...(picked as Record<(typeof TEXT_MEMBERS)[number], string>),
    ...(resources !== undefined && { resources: resources as string[] }),
  }
}

function messageText(message: Message): string {
  const { domain, address, statement, uri, version, chainId, nonce, issuedAt } = message
  const { expirationTime, notBefore, requestId, resources } = message
  return [
    `${domain} wants you to sign in with your Solana account:`,
    address,
    '',
    ...(statement === undefined ? [] : [statement, '']),
    `URI: ${uri}`,
    `Version: ${version}`,
    `Chain ID: ${chainId.slice(chainId.indexOf(':') + 1)}`,
    `Nonce: ${nonce}`,
    `Issued At: ${issuedAt}`,
    ...(expirationTime === undefined ? [] : [`Expiration Time: ${expirationTime}`]),
    ...(notBefore === undefined ? [] : [`Not Before: ${notBefore}`]),
    ...(requestId === undefined ? [] : [`Request ID: ${requestId}`]),
    ...(resources === undefined ? [] : ['Resources:', ...resources.map((resource) => `- ${resource}`)]),
  ].join('\n')
}

const SCHEMA: Json = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: Object.fromEntries(
    [...TEXT_MEMBERS, ...OPTIONAL_MEMBERS, 'type', 'signature'].map((name) => [name, { type: 'string' }]),
  ),
  required: [...TEXT_MEMBERS, 'type', 'signature'],
}

function resourceOf({ uri }: { readonly uri: string }): string {
  const { origin, pathname, search } = new URL(uri)
  return origin + pathname + search
}

function randomNonce(): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('hex')
}

function isLine(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= 2048 && !/[\r\n]/.test(value)
}

function isMembers(value: Json | undefined): value is { readonly [member: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
