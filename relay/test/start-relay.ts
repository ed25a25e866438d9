/** A relay of a test's own. */
import { createRelay, type Relay, type RelayOptions } from '@aetherkit/relay'
import { onTestFinished } from 'vitest'

/** Closes by itself when the test that runs is over, after what was opened later. */
export async function startRelay(options: RelayOptions = {}): Promise<Relay> {
  const relay = await createRelay({ verifyWorkers: 1, ...options })
  onTestFinished(() => relay.close())
  return relay
}
