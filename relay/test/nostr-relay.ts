/** A relay with the Nostr gateway and published clients on it, all closed when the test that runs is over. */
import type { Relay, RelayOptions } from '@aetherkit/relay'
import { onTestFinished } from 'vitest'
import { connectNostrTo, type NostrClient } from './nostr-client.js'
import { startRelay } from './start-relay.js'

export const startNostr = (options: RelayOptions = {}) => startRelay({ nostr: {}, ...options })

export async function connectNostr(relay: Relay): Promise<NostrClient> {
  const client = await connectNostrTo(relay.nostr?.url ?? '')
  onTestFinished(() => client.close())
  return client
}
