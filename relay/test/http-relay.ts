/** The relay with the HTTP gateway of the test that runs, and what is asked of it. */
import type { Event } from '@aetherkit/core'
import type { Relay, RelayOptions } from '@aetherkit/relay'
import { type Answer, type AskOptions, ask as askPort, EventStream } from './http-client.js'
import { createAuthor } from './signing.js'
import { startRelay } from './start-relay.js'

/** The one that was started last. */
export let relay: Relay
export const author = createAuthor()

/** Closes by itself when the test is over. */
export async function start(options: RelayOptions = {}): Promise<void> {
  relay = await startRelay({ http: {}, ...options })
}

const port = () => relay.http?.port ?? 0
export const ask = (line: string, options?: AskOptions): Promise<Answer> => askPort(port(), line, options)
export const post = (path: string, body: string | object, headers: AskOptions['headers'] = {}) =>
  ask(`POST ${path}`, { body, headers })
export const subscribe = (body: object, headers?: AskOptions['headers']) =>
  post('/v1/subscriptions', body, headers)
export const stream = (id: unknown, headers?: AskOptions['headers'], more = '') =>
  EventStream.open(port(), `/v1/stream?subscription_id=${encodeURIComponent(String(id))}${more}`, headers)

/** An event of the author's, as the library takes it. */
export async function publish(template: Parameters<typeof author.sign>[0] = {}): Promise<Event> {
  const event = author.sign(template)
  await relay.publish(event)
  return event
}
