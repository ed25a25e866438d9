/**
 * What goes out to one peer, in its format and through its noise (spec 4.2, 5.3, 8). Frames that are the same for
 * many peers come ready from the delivery.
 */
import { encodeEnvelope } from '@aetherkit/core'
import type { Connection } from './connection.js'
import type { Delivery } from './deliver.js'
import type { Format } from './handshake.js'
import type { Noise } from './noise.js'
import { type ErrorWording, type Reply, replyFrame, replyJson, type SubId } from './replies.js'
import { binaryFrame, textFrame } from './websocket-frame.js'

/** Messages without an envelope id that only peers get who listed them as features (spec 4.2). */
const BY_FEATURE: ReadonlySet<string> = new Set(['eose', 'closed', 'auth', 'info'])
/** Live frames remembered while a replay of the same connection runs. */
const MAX_SENT = 65_536
const NONE: ReadonlySet<string> = new Set()

export class Writer {
  readonly #connection: Connection
  readonly #epoch: string
  readonly #wording: ErrorWording | undefined
  format: Format
  features = NONE
  noise: Noise | undefined
  /** Seq of the last live `aether.v2` frame: an event crosses a connection once (spec 5.3). */
  #lastLive = 0n
  #sent: Set<bigint> | undefined

  /** `wording`: how the surface says errors in JSON; default: as native messages do. */
  constructor(connection: Connection, epoch: string, format: Format, wording?: ErrorWording) {
    this.#connection = connection
    this.#epoch = epoch
    this.#wording = wording
    this.format = format
  }

  say(reply: Reply): void {
    if (this.format !== 'aether.v2') this.json(reply.type, replyJson(reply, this.#epoch, this.#wording))
    else {
      const frame = replyFrame(reply)
      if (frame !== undefined) this.bytes(frame)
    }
  }

  /** A JSON message of this type, in the session's format. */
  json(type: string, message: string): void {
    if (this.format === 'flatbuffers') {
      if (!BY_FEATURE.has(type) || this.features.has(type)) this.bytes(encodeEnvelope(message))
    } else if (this.noise !== undefined) this.bytes(Buffer.from(message))
    else this.#connection.send(textFrame(message))
  }

  /** One binary message, or the plaintext of one. */
  bytes(plain: Uint8Array): void {
    if (this.noise === undefined) this.#connection.send(binaryFrame(plain))
    else for (const frame of this.noise.seal(plain)) this.#connection.send(frame)
  }

  /**
   * An event for a subscription; false when the peer's format cannot hold it (spec 1.6). `replaying`: a replay of this
   * connection is under way; live frames name no subscription, so one must not be sent again when it catches up.
   */
  event(sub: SubId, delivery: Delivery, replaying: boolean): boolean {
    if (typeof sub === 'string') return this.#jsonEvent(sub, delivery)
    if (delivery.stored) this.bytes(delivery.deliver([sub]))
    else if (this.#isNewHere(delivery.seq, replaying)) {
      if (this.noise === undefined) this.#connection.send(delivery.live())
      else this.bytes(delivery.deliver([]))
    }
    return true
  }

  #jsonEvent(subId: string, delivery: Delivery): boolean {
    const base64 = this.features.has('base64')
    if (this.noise !== undefined) {
      const message = delivery.message(subId, base64)
      if (message !== undefined) this.json('event', message)
      return message !== undefined
    }
    const inEnvelope = this.format === 'flatbuffers'
    const frame = inEnvelope ? delivery.envelope(subId, base64) : delivery.text(subId, base64)
    if (frame !== undefined) this.#connection.send(frame)
    return frame !== undefined
  }

  #isNewHere(seq: bigint, replaying: boolean): boolean {
    if (seq === this.#lastLive || this.#sent?.has(seq) === true) return false
    this.#lastLive = seq
    if (!replaying) this.#sent = undefined
    else {
      this.#sent ??= new Set()
      this.#sent.add(seq)
      if (this.#sent.size > MAX_SENT) this.#sent.delete(this.#sent.values().next().value ?? 0n)
    }
    return true
  }
}
