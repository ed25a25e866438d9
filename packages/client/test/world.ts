/** Relays, proxies and clients of one test, taken down after it. */
import type { VerifiedEvent } from '@aetherkit/core'
import { createRelay, type Relay, type RelayOptions } from '@aetherkit/relay'
import { afterEach } from 'vitest'
import { type Client, connect } from '../src/client.js'
import type { ClientOptions } from '../src/client-options.js'
import type { ClientError } from '../src/errors.js'
import { type ScriptedRelay, startScriptedRelay } from './scripted-relay.js'
import { startProxy, type TcpProxy } from './tcp-proxy.js'

const ends: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

export async function relay(options: RelayOptions = {}): Promise<Relay> {
  const started = await createRelay({ verifyWorkers: 1, ...options })
  ends.push(() => started.close())
  return started
}

export async function proxy(target: number): Promise<TcpProxy> {
  const started = await startProxy(target)
  ends.push(() => started.close())
  return started
}

export async function scripted(script: Parameters<typeof startScriptedRelay>[0]): Promise<ScriptedRelay> {
  const started = await startScriptedRelay(script)
  ends.push(() => started.close())
  return started
}

/** A client that reconnects fast, and the errors it heard of. */
export async function client(
  relays: string | readonly string[],
  options: ClientOptions = {},
): Promise<Client & { readonly errors: ClientError[] }> {
  const errors: ClientError[] = []
  const connected = await connect(relays, {
    reconnect: { minMs: 20, maxMs: 100 },
    onError: (error) => errors.push(error),
    ...options,
  })
  ends.push(() => connected.close())
  return Object.assign(connected, { errors })
}

/** Resolves once `condition` holds; looks again after every few turns of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** What the promise rejects with. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it did not reject')
}

/** A URL nobody listens at: the port was free a moment ago and is closed again. */
export async function deadUrl(): Promise<string> {
  const started = await startProxy(9)
  await started.close()
  return started.url
}

/** Reads `count` events, or as many as there are. */
export async function take(
  subscription: AsyncIterable<VerifiedEvent>,
  count: number,
): Promise<VerifiedEvent[]> {
  const iterator = subscription[Symbol.asyncIterator]()
  const events: VerifiedEvent[] = []
  while (events.length < count) {
    const result = await iterator.next()
    if (result.done === true) break
    events.push(result.value)
  }
  return events
}

export const texts = (events: readonly VerifiedEvent[]): string[] => events.map(({ text }) => text)
