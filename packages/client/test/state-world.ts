/** A state on a relay of its own, and what tests do with states. */
import type { VerifiedEvent } from '@aetherkit/core'
import type { Client } from '../src/client.js'
import { localSigner, type Signer } from '../src/signer.js'
import { openState, type State, type StateEntry, type StateOptions } from '../src/state.js'
import { STATE_KIND } from '../src/state-names.js'
import { client, relay } from './world.js'

export interface StateWorld {
  readonly signer: Signer
  readonly client: Client
  readonly state: State
  readonly url: string
}

export async function stateWorld(options: Partial<StateOptions> = {}): Promise<StateWorld> {
  const { url } = await relay()
  const signer = localSigner()
  const owner = await client(url, { signer })
  return { signer, client: owner, url, state: openState(owner, { signer, ...options }) }
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

export async function text(entry: StateEntry | undefined): Promise<string | undefined> {
  const value = await entry?.read()
  return value === undefined ? undefined : new TextDecoder().decode(value)
}

/** Paths below a prefix, as text, sorted. */
export async function paths(state: State, prefix: readonly string[] = []): Promise<string[]> {
  const all: string[] = []
  for await (const { path } of state.list(prefix)) all.push(path.join('/'))
  return all.sort()
}

/** What the relay has of the owner. */
export function stored(owner: Client): Promise<VerifiedEvent[]> {
  return owner.query({ kinds: [STATE_KIND], authors: [owner.publicKey], limit: 5000 })
}
