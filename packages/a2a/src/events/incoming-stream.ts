/**
 * The frames of one stream as they come in (spec a2a 5, loss and flow): put in order, handed out one by one, acknowledged
 * as they are taken. A frame that stays away, or silence, ends it as `lost`.
 */
import type { JsonRecord } from '../model.js'
import type { Frame } from './frame.js'

export interface IncomingOptions {
  /** From one acknowledgement to the next, ms, at most 15 000; 5 000 by default. */
  readonly ackMs?: number
  /** How long a missing frame may come late, ms, 2 000 by default. */
  readonly gapMs?: number
  /** Frames that wait to be taken or for one before them, 1024 by default: more is `lost`. */
  readonly maxFrames?: number
}

export const DEFAULT_INCOMING: Required<IncomingOptions> = { ackMs: 5_000, gapMs: 2_000, maxFrames: 1024 }

/** Acknowledged at once when so many frames were taken since. */
const ACK_FRAMES = 16
/** Missed acknowledgements of the agent until it counts as gone. */
const SILENCE = 3

export type Received = { readonly envelope: JsonRecord; readonly eventId: string | undefined }

export class IncomingStream {
  /** How it ended, once it has. */
  outcome: 'end' | 'lost' | undefined
  readonly #options: Required<IncomingOptions>
  readonly #ack: (seq: number) => void
  readonly #late = new Map<number, Received>()
  readonly #ready: Received[] = []
  #next = 1
  #taken = 0
  #acked = 0
  #end: number | undefined
  #wake: () => void = () => {}
  #gap: ReturnType<typeof setTimeout> | undefined
  #heard = performance.now()
  readonly #pulse: ReturnType<typeof setInterval>

  /** `ack` sends the number of the last frame that was taken. */
  constructor(options: Required<IncomingOptions>, ack: (seq: number) => void) {
    this.#options = options
    this.#ack = ack
    this.#pulse = setInterval(() => this.#beat(), options.ackMs)
  }

  receive({ kind, seq, params, body }: Frame): void {
    if (this.outcome !== undefined) return
    this.#heard = performance.now()
    if (kind === 'event' && seq !== undefined && body !== undefined)
      this.#take(seq, { envelope: body, eventId: params['event-id'] })
    // The agent knows of no such stream any more.
    else if (kind === 'end' && seq === undefined) this.#finish('lost')
    else if (kind === 'end') this.#end = seq
    else if (kind === 'ack') this.#watch(Number(params.sent) >= this.#next)
    if (this.#end === this.#next) this.#finish('end')
    this.#watch(this.#end !== undefined || this.#late.size > 0)
  }

  /** The next in order; undefined behind the last. */
  async take(): Promise<Received | undefined> {
    while (true) {
      const next = this.#ready.shift()
      if (next !== undefined) {
        this.#taken += 1
        if (this.#taken - this.#acked >= ACK_FRAMES) this.#say()
        return next
      }
      if (this.outcome !== undefined) return undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Nobody takes any more. */
  close(): void {
    this.#finish('lost')
  }

  #take(seq: number, received: Received): void {
    if (seq < this.#next || this.#late.has(seq)) return
    if (this.#late.size + this.#ready.length >= this.#options.maxFrames) {
      this.#finish('lost')
      return
    }
    this.#late.set(seq, received)
    for (let next = this.#late.get(this.#next); next !== undefined; next = this.#late.get(this.#next)) {
      this.#late.delete(this.#next)
      this.#ready.push(next)
      this.#next += 1
      clearTimeout(this.#gap)
      this.#gap = undefined
    }
    this.#wake()
  }

  /** Something before what is known is missing: for a while it may be on its way. */
  #watch(isMissing: boolean): void {
    if (!isMissing || this.#gap !== undefined || this.outcome !== undefined) return
    this.#gap = setTimeout(() => this.#finish('lost'), this.#options.gapMs)
  }

  #beat(): void {
    // Until the first frame the request is repeated, and the agent may not know of it.
    if (this.#next === 1 && this.#late.size === 0) return
    if (performance.now() - this.#heard > this.#options.ackMs * SILENCE) this.#finish('lost')
    else this.#say()
  }

  #say(): void {
    this.#acked = this.#taken
    this.#ack(this.#taken)
  }

  #finish(outcome: 'end' | 'lost'): void {
    if (this.outcome !== undefined) return
    this.outcome = outcome
    clearInterval(this.#pulse)
    clearTimeout(this.#gap)
    this.#wake()
  }
}
