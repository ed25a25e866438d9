/** Connections of one subscription that resumes behind a cursor (spec 7.4, 10.4). */
import { isJsonObject, type JsonObject, parseJson } from '@aetherkit/core'
import { EventStream } from '../../relay/test/http-client.js'
import { RawPeer } from '../../relay/test/raw-peer.js'
import { within } from './patience.js'
import type { StartedRelay } from './workplace.js'

export interface Got {
  readonly id: string
  readonly seq: bigint
}

/** One connection. */
export interface Line {
  /** The next event, or that what lies between is gone; undefined when the relay ended it. */
  next(): Promise<Got | 'gap' | undefined>
  /** Ends it without a word, whatever is on its way. */
  cut(): void
}

/** Of everything that the filter matches. */
export async function overWebSocket({ ports }: StartedRelay, after: string, filter = {}): Promise<Line> {
  const peer = await RawPeer.connect(ports.native)
  peer.say({ type: 'subscribe', sub_id: 's', filters: [filter], after })
  return {
    async next() {
      for (;;) {
        const message = await within(peer.hearJson(), 'event over ws')
        if (message.type === 'subscribed' && message.gap === true) return 'gap'
        if (message.type === 'event') return gotOf(message)
        if (message.type === 'closed' || message.type === 'error')
          throw new Error(`${message.type} ${message.code}`)
      }
    },
    cut: () => peer.socket.destroy(),
  }
}

/** Of a subscription that was made before. */
export async function overStream({ ports }: StartedRelay, after: string, subscription = 's'): Promise<Line> {
  const path = `/v1/stream?subscription_id=${subscription}`
  const stream = await EventStream.open(ports.http, path, { 'last-event-id': after })
  return {
    async next() {
      for (;;) {
        const block = await within(stream.next(), 'event over SSE')
        if (block === undefined || block.event === 'closed') return undefined
        if (block.event === 'gap') return 'gap'
        const data = parseJson(block.data ?? 'null')
        if (block.event === 'event' && data.ok && isJsonObject(data.value)) return gotOf(data.value)
      }
    },
    cut: () => stream.close(),
  }
}

function gotOf({ event, seq }: JsonObject): Got {
  if (event === undefined || !isJsonObject(event)) throw new Error('an event without an event')
  return { id: String(event.event_id), seq: BigInt(Number(seq)) }
}
