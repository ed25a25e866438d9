/** Who is called: a public key, or an A2A agent by URL or by key; and how far its address may be trusted. */
import { isIPv4 } from 'node:net'
import type { RemoteAgent } from '@aetherkit/a2a/client'
import type { Client } from '@aetherkit/client'
import { parseHex } from '@aetherkit/core'
import { agentFailure } from './agent-failure.js'
import { CommandError, usage } from './exit.js'
import { publicKeyOf } from './filter-flags.js'
import { readSecretFile } from './key-file.js'
import type { Session } from './session.js'

export type AgentTarget =
  | { readonly kind: 'url'; readonly url: URL }
  | { readonly kind: 'key'; readonly publicKey: string; readonly isA2A: boolean }

export interface AgentFlags {
  readonly allowOrigin?: readonly string[]
  readonly allowPrivateNetwork?: boolean
  readonly tokenFile?: string
}

export interface OpenHow {
  /** Connected to relays, for an agent that is known by its key. */
  readonly client?: Client | undefined
  /** Ed25519 seed, for what is to be signed. */
  readonly key?: Uint8Array | undefined
  /** ms */
  readonly timeoutMs: number
  /** Nothing is said to the agent: its card alone is wanted. */
  readonly cardOnly?: boolean
}

/** A token is a line; bytes. */
const MAX_TOKEN = 16_384

/** `https://...`, `aether:<key>`, or a public key. @throws CommandError usage */
export function targetOf(text: string, isA2A = false): AgentTarget {
  if (text.startsWith('aether:')) {
    const publicKey = parseHex(text.slice('aether:'.length).replace(/^\/\//, ''), 32)
    if (publicKey === undefined) throw usage('aether: is followed by a public key of 64 hex digits')
    return { kind: 'key', publicKey, isA2A: true }
  }
  if (!isUrl(text)) return { kind: 'key', publicKey: publicKeyOf(text), isA2A }
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined) throw usage(`${JSON.stringify(text)} is no URL`)
  if (url.username !== '' || url.password !== '')
    throw usage('the URL of an agent has no user and no password: use --token-file')
  return { kind: 'url', url }
}

export const isUrl = (text: string): boolean => /^https?:/i.test(text)

/**
 * The agent, with its card read. Of HTTP only the origin of the URL is ever asked, and those of `--allow-origin`. Public
 * addresses over https are free to go; private ones need `--allow-private-network`, except this machine when the user
 * wrote it as an address or as `localhost`: whoever types that means it, and no name can lead there.
 * @throws CommandError
 */
export async function openAgent(
  session: Session,
  target: AgentTarget,
  flags: AgentFlags,
  { client, key, timeoutMs, cardOnly = false }: OpenHow,
): Promise<RemoteAgent> {
  const { allowOrigin = [], tokenFile } = flags
  const token = tokenFile === undefined ? undefined : readSecretFile(tokenFile, MAX_TOKEN).trim()
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token)) throw usage(`${tokenFile} holds no bearer token`)
  const origins = new Set(allowOrigin.map(originOf))
  const isHere = target.kind === 'url' && isThisMachine(target.url)
  // Not before it is needed: it takes a sixth of a second.
  const { connectAgent } = await import('@aetherkit/a2a/client')
  const late = AbortSignal.timeout(timeoutMs)
  try {
    return await connectAgent(target.kind === 'url' ? target.url : `aether:${target.publicKey}`, {
      signal: AbortSignal.any([session.signal, late]),
      allowPrivateNetwork: flags.allowPrivateNetwork === true || isHere,
      // Whoever names a URL names its port. A flag is said on purpose: no warning.
      guard: { ports: 'any', warn: () => {} },
      approveInterface: ({ url }) => cardOnly || origins.has(interfaceOrigin(url)),
      ...(client !== undefined && { client }),
      ...(key !== undefined && { key }),
      ...(token !== undefined && { auth: { bearer: token } }),
    })
  } catch (error) {
    session.signal.throwIfAborted()
    if (late.aborted) throw new CommandError('timeout', 'no agent card in time')
    throw await agentFailure(error)
  }
}

/** Whether `request` would speak to that interface without `--allow-origin`. */
export function isOfCard(url: string, cardUrl: string | undefined): boolean {
  return cardUrl === undefined || interfaceOrigin(url) === interfaceOrigin(cardUrl)
}

function originOf(text: string): string {
  const url = isUrl(text) && URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined)
    throw usage(`--allow-origin takes an origin as https://host, got ${JSON.stringify(text)}`)
  return url.origin
}

const interfaceOrigin = (url: string): string => (isUrl(url) && URL.canParse(url) ? new URL(url).origin : url)

function isThisMachine({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.'))
}
