/**
 * A stream on its way to a caller (spec a2a 5, flow): numbered frames, a bounded window of those that are not acknowledged,
 * text coalesced while it waits, and an end when acknowledgements stop. The task knows nothing of all this.
 */
import type { DispatchReply } from '../dispatch.js'
import type { JsonRecord } from '../model.js'
import { coalesce } from './coalesce.js'

export interface StreamLimits {
  /** Frames that are not acknowledged, 64 by default. */
  readonly window?: number
  /** Bytes that wait for the window, 1 MiB by default: more ends the stream. */
  readonly maxBytes?: number
  /** Without any word of the caller for so long the stream is dropped, ms, 45 000 by default. */
  readonly ackTimeoutMs?: number
}

export const DEFAULT_STREAM: Required<StreamLimits> = {
  window: 64,
  maxBytes: 1024 * 1024,
  ackTimeoutMs: 45_000,
}

export type StreamEvents = Extract<DispatchReply, { kind: 'stream' }>['events']

/** Rejects when the frame did not get out. */
export type SendFrame = (
  kind: 'event' | 'end',
  seq: number,
  envelope: JsonRecord | undefined,
  eventId: number | undefined,
) => Promise<void>

interface Pending {
  readonly envelope: JsonRecord
  readonly eventId: number
  readonly bytes: number
}

export class OutgoingStream {
  /** Number of the last frame that was sent. */
  sent = 0
  /** Number of the end, once there is one. */
  end: number | undefined
  readonly done: Promise<void>
  readonly #events: AsyncIterator<{ readonly seq: number; readonly envelope: JsonRecord }>
  readonly #limits: Required<StreamLimits>
  readonly #send: SendFrame
  readonly #onDrop: () => void
  #pending: Pending[] = []
  #bytes = 0
  #acked = 0
  #isOver = false
  #isDropped = false
  #wake: () => void = () => {}
  #timer: ReturnType<typeof setTimeout> | undefined

  /** `onDrop` ends what a source waits for: a generator takes no `return` while it waits. */
  constructor(events: StreamEvents, send: SendFrame, limits: Required<StreamLimits>, onDrop: () => void) {
    this.#onDrop = onDrop
    this.#events = events[Symbol.asyncIterator]()
    this.#limits = limits
    this.#send = send
    this.#listen()
    this.done = Promise.all([this.#read(), this.#write()]).then(() => clearTimeout(this.#timer))
  }

  get isDropped(): boolean {
    return this.#isDropped
  }

  /** The caller has everything up to `seq`, and is there. */
  ack(seq: number): void {
    if (seq > this.#acked && seq <= this.sent) this.#acked = seq
    this.#listen()
    this.#wake()
  }

  /** The caller leaves, or stopped acknowledging, or reads too slowly. */
  drop(): void {
    if (this.#isDropped) return
    this.#isDropped = true
    this.#pending = []
    this.#wake()
    this.#onDrop()
    void this.#events.return?.()?.catch(() => {})
  }

  #listen(): void {
    clearTimeout(this.#timer)
    if (this.#isDropped || this.end !== undefined) return
    this.#timer = setTimeout(() => this.drop(), this.#limits.ackTimeoutMs)
    this.#timer.unref()
  }

  async #read(): Promise<void> {
    try {
      while (!this.#isDropped) {
        const { done, value } = await this.#events.next()
        if (done === true) break
        this.#push(value.envelope, value.seq)
      }
    } catch {
      // A broken source is a stream without an end: its caller asks for the task.
      this.drop()
    }
    this.#isOver = true
    this.#wake()
  }

  #push(envelope: JsonRecord, eventId: number): void {
    const last = this.#pending.at(-1)
    const merged = last && coalesce(last.envelope, envelope)
    if (last !== undefined && merged !== undefined) {
      this.#pending.pop()
      this.#bytes -= last.bytes
    }
    const added = merged ?? envelope
    const bytes = JSON.stringify(added).length
    this.#pending.push({ envelope: added, eventId, bytes })
    this.#bytes += bytes
    if (this.#bytes > this.#limits.maxBytes && this.#pending.length > 1) this.drop()
    this.#wake()
  }

  async #write(): Promise<void> {
    while (!this.#isDropped) {
      const isBlocked = this.sent - this.#acked >= this.#limits.window
      const next = isBlocked ? undefined : this.#pending.shift()
      if (next === undefined) {
        if (this.#isOver && this.#pending.length === 0) break
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        continue
      }
      this.#bytes -= next.bytes
      this.sent += 1
      // A frame that did not get out is a gap, which its caller mends.
      await this.#send('event', this.sent, next.envelope, next.eventId).catch(() => {})
    }
    if (this.#isDropped) return
    this.end = this.sent + 1
    await this.#send('end', this.end, undefined, undefined).catch(() => {})
  }
}
