/**
 * One relay (spec 12): the only file that opens a WebSocket. Hello and welcome, frames in and out, heartbeats, and one
 * jittered reconnect timer, exponential up to a minute, reset after a good session.
 */
import { openSocket } from '#websocket'
import { type BackoffOptions, backoffMs } from './backoff.js'
import { ClientError } from './errors.js'
import type { InFrame, OutFrame } from './format.js'
import { Handshake, type HandshakeOptions, type Session } from './handshake.js'
import type { Socket } from './websocket.js'

/** From the start of an attempt to the end of the handshake, ms (spec 7.5). */
const HANDSHAKE_MS = 8_000
/** A session this long, ms, is a good one. */
const GOOD_SESSION_MS = 10_000
/** How long the closing handshake may take, ms. */
const CLOSE_MS = 1_000
/** A session that brings more broken messages than this is ended. */
const MAX_BROKEN = 16

export interface ConnectionListener {
  /** A session begins. */
  up(connection: Connection): void
  /** Never before `up` nor after `down`. */
  frame(connection: Connection, frame: InFrame): void
  /** The session ended, or an attempt failed. */
  down(connection: Connection, cause: ClientError): void
  /** Something to tell the application, nothing to act on. */
  trouble(error: ClientError): void
}

export interface ConnectionOptions extends Omit<HandshakeOptions, 'relay'> {
  readonly reconnect: BackoffOptions
  /** A relay that shows no life between two beats is dropped; ms. */
  readonly heartbeatMs: number
}

export class Connection {
  readonly url: string
  readonly #options: ConnectionOptions
  readonly #listener: ConnectionListener
  #socket: Socket | undefined
  #handshake: Handshake | undefined
  #session: Session | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #heartbeat: ReturnType<typeof setInterval> | undefined
  #alive = true
  #paused = false
  #broken = 0
  #failures = 0
  #since = 0
  #cause: ClientError | undefined
  #closing: (() => void) | undefined
  #closed = false

  /** Connects at once, and again after every loss, until {@link close}. */
  constructor(url: string, options: ConnectionOptions, listener: ConnectionListener) {
    this.url = url
    this.#options = options
    this.#listener = listener
    this.#open()
  }

  /** What was agreed on with the relay; undefined while there is no session. */
  get session(): Session | undefined {
    return this.#session
  }

  /**
   * Sends a frame; false when there is no session.
   * @throws TypeError for an event that this session cannot carry.
   */
  send(frame: OutFrame): boolean {
    if (this.#session === undefined || this.#socket === undefined) return false
    for (const message of this.#session.encode(frame)) this.#socket.send(message)
    return true
  }

  /** Stops reading, where the platform can. */
  pause(): void {
    this.#paused = true
    this.#socket?.pause?.()
  }

  resume(): void {
    this.#paused = false
    this.#alive = true
    this.#socket?.resume?.()
  }

  /** Ends the session, if there is one; another follows. */
  restart(cause: ClientError): void {
    if (this.#session !== undefined) this.#drop(cause)
  }

  /** Resolves when no timer and no socket is left. */
  async close(): Promise<void> {
    this.#closed = true
    this.#clearTimers()
    const socket = this.#socket
    if (socket === undefined) return
    const closed = new Promise<void>((resolve) => {
      this.#closing = resolve
    })
    socket.resume?.()
    if (this.#session === undefined) socket.terminate()
    else socket.close()
    const force = setTimeout(() => socket.terminate(), CLOSE_MS)
    await closed
    clearTimeout(force)
  }

  #open(): void {
    this.#timer = setTimeout(() => this.#drop(this.#failed('no welcome in time')), HANDSHAKE_MS)
    this.#handshake = new Handshake({ ...this.#options, relay: this.url })
    this.#alive = true
    this.#paused = false
    this.#broken = 0
    const { hello } = this.#handshake
    let socket: Socket | undefined
    const mine = () => socket !== undefined && socket === this.#socket
    socket = openSocket(
      this.url,
      {
        opened: () => {
          if (mine()) socket?.send(hello)
        },
        received: (data) => {
          if (mine()) this.#received(data)
        },
        alive: () => {
          if (mine()) this.#alive = true
        },
        closed: (code, reason) => {
          if (mine()) this.#ended(code, reason)
        },
      },
      this.#options.maxFrame,
    )
    this.#socket = socket
  }

  #received(data: string | Uint8Array): void {
    this.#alive = true
    if (this.#closed || this.#cause !== undefined) return
    if (this.#session === undefined) this.#shakeHands(data)
    else {
      const decoded = this.#session.decode(data)
      if (!decoded.ok) this.#refuse(decoded.detail ?? decoded.error)
      else if (decoded.frame !== undefined) this.#listener.frame(this, decoded.frame)
    }
  }

  #shakeHands(data: string | Uint8Array): void {
    try {
      const progress = this.#handshake?.receive(data)
      if (progress?.send !== undefined) this.#socket?.send(progress.send)
      if (progress?.session === undefined) return
      this.#session = progress.session
    } catch (error) {
      this.#drop(ClientError.is(error) ? error : this.#failed('not a welcome', error))
      return
    }
    this.#handshake = undefined
    clearTimeout(this.#timer)
    this.#since = performance.now()
    this.#heartbeat = setInterval(() => this.#beat(), this.#options.heartbeatMs)
    this.#listener.up(this)
  }

  #refuse(detail: string): void {
    const { url } = this
    const error = new ClientError('INVALID_FRAME', `a relay sent an invalid frame: ${detail}`, { relay: url })
    if (++this.#broken > MAX_BROKEN || this.#session?.noise === 'xx') this.#drop(error)
    this.#listener.trouble(error)
  }

  #beat(): void {
    if (this.#socket?.ping === undefined || this.#paused) return
    if (!this.#alive) {
      this.#drop(new ClientError('DISCONNECTED', 'the relay shows no sign of life', { relay: this.url }))
      return
    }
    this.#alive = false
    this.#socket.ping()
  }

  #drop(cause: ClientError): void {
    this.#cause = cause
    this.#socket?.terminate()
  }

  #ended(code: number, reason: string): void {
    const had = this.#session !== undefined
    const message = `${had ? 'the relay closed the connection' : 'cannot connect'} (${reason || code})`
    const cause = this.#cause ?? new ClientError('DISCONNECTED', message, { relay: this.url })
    if (had && performance.now() - this.#since >= GOOD_SESSION_MS) this.#failures = 0
    this.#failures++
    this.#clearTimers()
    this.#socket = this.#session = this.#handshake = this.#cause = undefined
    if (!this.#closed) this.#timer = setTimeout(() => this.#open(), this.#delay(cause))
    this.#listener.down(this, cause)
    this.#closing?.()
  }

  /** A relay that offered too little will hardly offer more in a second: the longest wait. */
  #delay(cause: ClientError): number {
    const { reconnect } = this.#options
    return backoffMs(cause.code === 'WEAK_WELCOME' ? 32 : this.#failures, reconnect)
  }

  #clearTimers(): void {
    clearTimeout(this.#timer)
    clearInterval(this.#heartbeat)
  }

  #failed(message: string, cause?: unknown): ClientError {
    return new ClientError('HANDSHAKE_FAILED', message, { relay: this.url, cause })
  }
}
