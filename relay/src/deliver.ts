/**
 * One event on its way to subscribers: each form is made at most once and the same bytes go to everyone who takes
 * that form (spec 1.4, 5.3). A live `aether.v2` frame names no subscription, so it is one buffer for all; in JSON and
 * in the envelope the subscription's id is spliced around the one rendering of the event.
 */
import {
  type Event,
  encodeDeliver,
  encodeEnvelope,
  encodeEvent,
  writeEvent,
  writeEventMessage,
} from '@aetherkit/core'
import { NostrEvent, writeNostrEvent } from './nostr-event.js'
import type { StoredEvent } from './store/store.js'
import { binaryFrame, textFrame } from './websocket-frame.js'

export class Delivery {
  readonly event: Event
  readonly seq: bigint
  /** Whether it answers a query or replay. */
  readonly stored: boolean
  /** Of a mailbox: how often it was delivered, this time included. */
  readonly deliveries?: number
  #plain: string | undefined | null = null
  #base64: string | undefined | null = null
  #binary: Uint8Array | undefined
  #live: Buffer | undefined
  readonly #texts = new Map<string, Buffer>()
  readonly #envelopes = new Map<string, Buffer>()
  readonly #nostr = new Map<string, Buffer>()

  constructor({ event, seq }: StoredEvent, stored: boolean, deliveries?: number) {
    this.event = event
    this.seq = seq
    this.stored = stored
    if (deliveries !== undefined) this.deliveries = deliveries
  }

  /** The `event` message for a subscription; undefined when the peer cannot take the content (spec 1.6). */
  message(subId: string, base64: boolean): string | undefined {
    const event = base64 ? this.#withBase64() : this.#withoutBase64()
    if (event === undefined) return undefined
    const message = writeEventMessage(subId, event, this)
    return NostrEvent.is(this.event) ? `${message.slice(0, -1)},"proto":"nostr"}` : message
  }

  /** The `EVENT` message of NIP-01 (spec 9) as a ready WebSocket frame; undefined for content that is no text. */
  nostr(subId: string): Buffer | undefined {
    const known = this.#nostr.get(subId)
    if (known !== undefined) return known
    const event = this.#withoutBase64()
    if (event === undefined) return undefined
    // An Aether event has its id under both names.
    const named = NostrEvent.is(this.event) ? event : `{"id":"${this.event.id}",${event.slice(1)}`
    const frame = textFrame(`["EVENT",${JSON.stringify(subId)},${named}]`)
    this.#nostr.set(subId, frame)
    return frame
  }

  /** {@link message} as a ready WebSocket frame. */
  text(subId: string, base64: boolean): Buffer | undefined {
    return this.#frame(this.#texts, subId, base64, textFrame)
  }

  /** {@link message} in a FlatBuffers envelope (spec 4.2), as a ready WebSocket frame. */
  envelope(subId: string, base64: boolean): Buffer | undefined {
    return this.#frame(this.#envelopes, subId, base64, (message) => binaryFrame(encodeEnvelope(message)))
  }

  /** The live `aether.v2` frame, the same for every recipient. */
  live(): Buffer {
    this.#live ??= binaryFrame(this.deliver([]))
    return this.#live
  }

  /** The `aether.v2` frame that answers these subscriptions; with none, the payload of {@link live}. */
  deliver(subs: readonly number[]): Uint8Array {
    this.#binary ??= encodeEvent(this.event)
    const { seq, stored, deliveries } = this
    const often = deliveries === undefined ? undefined : { deliveries }
    return encodeDeliver({ subs, seq, stored, ...often }, this.#binary)
  }

  #frame(
    frames: Map<string, Buffer>,
    subId: string,
    base64: boolean,
    make: (message: string) => Buffer,
  ): Buffer | undefined {
    // Content that is text has one rendering, whatever the peer's features.
    const key = base64 && this.#withoutBase64() === undefined ? `+${subId}` : `-${subId}`
    const known = frames.get(key)
    if (known !== undefined) return known
    const message = this.message(subId, base64)
    if (message === undefined) return undefined
    const frame = make(message)
    frames.set(key, frame)
    return frame
  }

  #withoutBase64(): string | undefined {
    if (this.#plain === null)
      this.#plain = NostrEvent.is(this.event) ? writeNostrEvent(this.event) : writeEvent(this.event)
    return this.#plain
  }

  #withBase64(): string | undefined {
    const plain = this.#withoutBase64()
    if (plain !== undefined) return plain
    if (this.#base64 === null) this.#base64 = writeEvent(this.event, { base64: true })
    return this.#base64
  }
}
