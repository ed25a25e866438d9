/**
 * One WebSocket: its outbox and its liveness (spec 7.3, 7.5). Data frames go straight to the TCP socket, all that one
 * turn of the event loop brought in one write. `ws` writes pongs, pings and closes to the same socket. Every write
 * holds whole frames, so they never interleave.
 */
import type { Socket } from 'node:net'
import { Doubt } from './doubt.js'
import type { Limits } from './limits.js'
import type { Chain } from './outbox.js'
import type { PeerSocket } from './socket.js'
import type { SocketSurface } from './surface.js'
import type { Speaker, Turn } from './turn.js'

/** Who listens to a connection: a session. */
export interface Listener {
  receive(data: Buffer, isBinary: boolean): void
  /** After a write with little left to send: replay may go on. */
  relieved(): void
  /** Once, as soon as a close is under way; `code` when it was the relay that closed. */
  closed(code?: number): void
}

/** WebSocket close codes the relay sends (RFC 6455, 7.4.1). */
export const CLOSE = { goingAway: 1001, badData: 1007, policy: 1008, slowConsumer: 1013 } as const

/** Above it replay waits. Well below the cap, so that live events find room meanwhile. */
const CONGESTED_BYTES = 256 * 1024
/** A turn that brings more than this to a connection does not wait for its end, so that no burst fills the outbox. */
const BURST_BYTES = 128 * 1024
const BURST_MESSAGES = 512
/** `readyState` of a WebSocket that may send. */
const OPEN = 1

export interface ConnectionFacts {
  /** Unique in this relay process. */
  readonly id: number
  readonly surface: SocketSurface
  /** Remote IP address. */
  readonly address: string
  readonly origin: string | undefined
  /** Where the connection came in. */
  readonly local: { readonly address: string; readonly port: number }
  /** Milliseconds of the clock that {@link Connection.sweep} is called with. */
  readonly now: number
}

export class Connection implements Speaker {
  readonly facts: ConnectionFacts
  listener: Listener | undefined
  readonly #ws: PeerSocket
  readonly #socket: Socket
  readonly #turn: Turn
  readonly #limits: Limits
  #tail: Chain | undefined
  /** Messages handed to the socket that the kernel has not taken yet. */
  #stuck = 0
  #queued = false
  #open = true
  #spoke = false
  #pingAt: number
  #pingUnderWay = false
  /** Messages that wait for the next turn, and whether a turn knows of them. */
  #held: { readonly data: Buffer; readonly isBinary: boolean }[] = []
  #isHeld = false
  /** Whether the listener wants nothing more. */
  #paused = false
  readonly #doubt = new Doubt()

  constructor(ws: PeerSocket, socket: Socket, turn: Turn, limits: Limits, facts: ConnectionFacts) {
    this.#ws = ws
    this.#socket = socket
    this.#turn = turn
    this.#limits = limits
    this.#pingAt = facts.now
    this.facts = facts
  }

  get surface(): SocketSurface {
    return this.facts.surface
  }

  /** False from the moment a close is under way. */
  get open(): boolean {
    return this.#open
  }

  /** The subprotocol agreed on, or the empty string. */
  get protocol(): string {
    return this.#ws.protocol
  }

  /** Whether what the peer says is mostly refused: then it waits for what others say. */
  get isDoubtful(): boolean {
    return this.#doubt.isDoubtful
  }

  /** Called by the listener: a message of so many bytes was refused. */
  refused(bytes: number): void {
    this.#doubt.wrong(bytes)
  }

  /** Whether replay should wait for {@link Listener.relieved}. */
  get congested(): boolean {
    return this.backlog > CONGESTED_BYTES
  }

  /** Queues one ready frame. Over the cap the connection is cut (spec 7.3): nothing is left out silently. */
  send(frame: Buffer): void {
    if (!this.#open) return
    this.#tail = (this.#tail ?? this.#turn.start).append(frame)
    const { outboxBytes, outboxMessages } = this.#limits
    if (this.backlog > outboxBytes || this.#tail.count + this.#stuck > outboxMessages) {
      this.#tail = undefined
      this.close(CLOSE.slowConsumer, 'slow_consumer')
    } else if (this.#stuck === 0 && (this.#tail.bytes >= BURST_BYTES || this.#tail.count >= BURST_MESSAGES))
      this.#write()
    else this.#queue()
  }

  /** Called when the turn ends. */
  flush(): void {
    this.#queued = false
    this.#write()
    if (this.#open && this.#stuck === 0) this.#relieve()
  }

  /** Stops reading: what the peer sends waits in the kernel's buffers. */
  pause(): void {
    this.#paused = true
    this.#ws.pause()
  }

  resume(): void {
    this.#paused = false
    if (this.#held.length === 0) this.#ws.resume()
    else this.#hold()
  }

  /** What is queued goes first, then the close frame. The listener is told at once, not when the peer agrees. */
  close(code: number, reason: string): void {
    if (!this.#open) return
    if (this.#tail !== undefined && this.#ws.readyState === OPEN) this.#socket.write(this.#tail.join())
    this.#ws.resume()
    this.#ws.close(code, reason)
    this.ended(code)
  }

  terminate(): void {
    this.#ws.terminate()
    this.ended()
  }

  /** One look of the shared timer: first message, ping, pong (spec 7.5). `now` in milliseconds. */
  sweep(now: number): void {
    const { firstMessageMs, pingMs, pongMs } = this.#limits
    if (!this.#open) return
    if (!this.#spoke && now - this.facts.now >= firstMessageMs) this.close(CLOSE.policy, 'timeout')
    else if (this.#pingUnderWay) {
      if (now - this.#pingAt >= pongMs && !this.#ws.isPaused) this.terminate()
    } else if (now - this.#pingAt >= pingMs) {
      this.#pingAt = now
      this.#pingUnderWay = true
      this.#ws.ping()
    }
  }

  /** Called by the socket's listeners: a pong, or any message. */
  heard(): void {
    this.#pingUnderWay = false
  }

  /** Called by the socket's listeners. */
  received(data: Buffer, isBinary: boolean): void {
    this.#spoke = true
    this.#pingUnderWay = false
    if (!this.#open) return
    if (this.#held.length === 0 && !this.#turn.isSpent && !this.isDoubtful) {
      this.#handle(data, isBinary)
      return
    }
    this.#held.push({ data, isBinary })
    this.#ws.pause()
    this.#hold()
  }

  /** Called by the turn: one message at least, more while there is time. */
  proceed(): void {
    this.#isHeld = false
    while (this.#open && !this.#paused) {
      const next = this.#held.shift()
      if (next === undefined) break
      this.#handle(next.data, next.isBinary)
      if (this.#turn.isSpent) break
    }
    if (!this.#open || this.#paused) return
    if (this.#held.length === 0) this.#ws.resume()
    else this.#hold()
  }

  /** Called by the socket's listeners: the kernel has taken all of the last write. */
  drained(): void {
    if (this.#stuck > 0) this.#relieve()
  }

  /** Called by the socket's listeners: closed by whoever, however. What the peer said before is heard. */
  ended(code?: number): void {
    if (!this.#open) return
    const held = this.#held
    this.#held = []
    for (const { data, isBinary } of code === undefined ? held : []) {
      this.listener?.receive(data, isBinary)
      if (!this.#open) return
    }
    this.#open = false
    this.#tail = undefined
    this.listener?.closed(code)
  }

  /** Bytes that the peer has not taken yet. */
  get backlog(): number {
    return (this.#tail?.bytes ?? 0) + this.#socket.writableLength
  }

  /** Writes what is queued, unless the last write is still under way. */
  #write(): void {
    const tail = this.#tail
    if (tail === undefined || this.#stuck > 0 || this.#ws.readyState !== OPEN) return
    this.#tail = undefined
    if (!this.#socket.write(tail.join()) && this.#socket.writableLength > 0) this.#stuck = tail.count
  }

  #handle(data: Buffer, isBinary: boolean): void {
    this.#doubt.right(data.length)
    this.#turn.spend(() => this.listener?.receive(data, isBinary))
  }

  #hold(): void {
    if (this.#isHeld) return
    this.#isHeld = true
    this.#turn.hold(this)
  }

  #queue(): void {
    if (this.#queued) return
    this.#queued = true
    this.#turn.add(this)
  }

  #relieve(): void {
    this.#stuck = 0
    if (this.#tail !== undefined) this.#queue()
    if (this.#open && this.backlog <= CONGESTED_BYTES / 2) this.listener?.relieved()
  }
}
