/** From flags and environment to a connected client. */
import { type Client, type ClientError, connect } from '@aetherkit/client'
import { usage } from './exit.js'
import type { RelayFlags } from './flags.js'
import { findKey } from './key-file.js'
import type { Session } from './session.js'
import { visible } from './visible.js'

const DEFAULT_RELAY = 'ws://127.0.0.1:9000'
const MAX_RELAYS = 16
/** A relay that is there answers at once; one that is not is not waited for as long as an answer; ms. */
const CONNECT_MS = 5_000

export interface ConnectHow {
  /** Whose key it is matters: there must be one. */
  readonly needsKey?: boolean
  /** What is done has to do with one relay only. */
  readonly single?: boolean
}

/**
 * Connects to the relays that are named, as who is named; without a key as a new random one.
 * @throws CommandError usage; ClientError as `connect`
 */
export async function connectTo(session: Session, flags: RelayFlags, how: ConnectHow = {}): Promise<Client> {
  const relays = relaysOf(flags)
  if (how.single === true && relays.length !== 1)
    throw usage('one relay expected: this is about what it stores')
  if (flags.relayKey !== undefined && (flags.noise === undefined || relays.length !== 1))
    throw usage('--relay-key needs --noise xx and one relay')
  const signer = findKey(flags.key)
  if (signer === undefined && how.needsKey === true)
    throw usage('a key is needed: make one with aether keygen, then --key <file> or AETHER_SECRET_KEY')
  let connected = false
  const said = new Map<string | undefined, string>()
  const client = await connect(relays, {
    signer,
    signal: session.signal,
    timeoutMs: Math.min(flags.timeout, CONNECT_MS),
    maxRelays: MAX_RELAYS,
    noise: flags.noise,
    ...(flags.relayKey !== undefined && { relayKeys: { [relays[0] ?? '']: flags.relayKey } }),
    onError: (error) => {
      if (!connected || session.signal.aborted || said.get(error.relay) === error.message) return
      // What the only relay refuses, whoever asked hears.
      if (error.code === 'REJECTED' && relays.length === 1) return
      said.set(error.relay, error.message)
      session.note(troubleLine(error))
    },
    onNotice: ({ relay, message }) => session.note(`${relay} says: ${visible(message)}`),
  })
  connected = true
  return client
}

/** @throws CommandError usage */
export function relaysOf({ relay }: Pick<RelayFlags, 'relay'>, env = process.env): string[] {
  const named = relay ?? (env.AETHER_RELAY ?? '').split(/[\s,]+/).filter((url) => url !== '')
  const relays = [...new Set(named.length === 0 ? [DEFAULT_RELAY] : named)]
  if (relays.length > MAX_RELAYS) throw usage(`at most ${MAX_RELAYS} relays`)
  for (const url of relays) {
    const parsed = URL.canParse(url) ? new URL(url) : undefined
    if (parsed === undefined || !['ws:', 'wss:'].includes(parsed.protocol))
      throw usage(`a relay is a URL as ws://host:port or wss://host, got ${JSON.stringify(url)}`)
    if (parsed.username !== '' || parsed.password !== '' || parsed.hash !== '')
      throw usage('the URL of a relay has no user, password or fragment')
  }
  return relays
}

function troubleLine({ relay, message, cause }: ClientError): string {
  const why = cause instanceof Error ? `: ${cause.message}` : ''
  return visible(`${relay === undefined ? '' : `${relay}: `}${message}${why}`)
}
