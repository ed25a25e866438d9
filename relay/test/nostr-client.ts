/** The published `nostr-tools` client for tests, on a real socket. */
import type { Filter } from 'nostr-tools/filter'
import {
  type Event,
  type EventTemplate,
  finalizeEvent,
  generateSecretKey,
  getPublicKey,
} from 'nostr-tools/pure'
import { Relay as NostrClient, useWebSocketImplementation } from 'nostr-tools/relay'
import { WebSocket } from 'ws'

useWebSocketImplementation(WebSocket)

/** The author of what {@link signNostr} signs. */
export const nostrKey = generateSecretKey()
export const nostrAuthor = getPublicKey(nostrKey)

/** Seconds. */
export const now = () => Math.floor(Date.now() / 1000)

export function signNostr(template: Partial<EventTemplate> = {}, by = nostrKey): Event {
  return plain(finalizeEvent({ kind: 1, content: 'x', tags: [], created_at: now(), ...template }, by))
}

/** Without the mark that the library leaves on what it has verified. */
export const plain = (event: Event): Event => JSON.parse(JSON.stringify(event))

/** Patient, for busy machines: by itself the client gives up after 4 s. */
export async function connectNostrTo(url: string): Promise<NostrClient> {
  const client = new NostrClient(url)
  client.publishTimeout = client.baseEoseTimeout = 60_000
  await client.connect()
  return client
}

/** Stored events up to EOSE, then `next` gives live ones. Rejects with the reason of CLOSED. */
export async function subscribe(client: NostrClient, ...filters: Filter[]) {
  const stored: Event[] = []
  const waiting: ((event: Event) => void)[] = []
  const live: Event[] = []
  let over = false
  await new Promise<void>((resolve, reject) => {
    client.subscribe(filters, {
      onevent(event) {
        if (!over) stored.push(event)
        else if (waiting.length > 0) waiting.shift()?.(event)
        else live.push(event)
      },
      oneose() {
        over = true
        resolve()
      },
      onclose: (reason) => reject(new Error(reason)),
    })
  })
  const next = () => {
    const event = live.shift()
    return event === undefined
      ? new Promise<Event>((resolve) => waiting.push(resolve))
      : Promise.resolve(event)
  }
  return { stored, next }
}

export const query = async (client: NostrClient, ...filters: Filter[]) =>
  (await subscribe(client, ...filters)).stored

export const ids = (events: readonly { id?: unknown }[]) => events.map(({ id }) => id)

export type { NostrClient }
