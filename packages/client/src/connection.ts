/**
 * One relay (spec 12): the only file that opens a WebSocket. Hello and welcome, frames in and out, heartbeats, and one
 * jittered reconnect timer, exponential up to a minute, reset after a good session.
 */
import { openSocket } from '#websocket'
import { type BackoffOptions, backoffMs } from './backoff.js'
import { ClientError } from './errors.js'
import type { InFrame, OutFrame } from './format.js'
import { Handshake, type HandshakeOptions, type Session } from './handshake.js'
import type { Prove } from './proof.js'
import type { Socket } from './websocket.js'

/** From the start of an attempt to the end of the handshake, ms (spec 7.5). */
const HANDSHAKE_MS = 8_000
/** A session this long, ms, is a good one. */
const GOOD_SESSION_MS = 10_000
/** How long the closing handshake may take, ms. */
const CLOSE_MS = 1_000
/** How long a relay that will ask who we are may take to ask, and to take our answer, ms; then it goes on without. */
const PROOF_MS = 5_000
/** How often a relay is told in one session. */
const MAX_PROOFS = 8
/** A session that brings more broken messages than this is ended. */
const MAX_BROKEN = 16

export interface ConnectionListener {
  /** A session begins. */
  up(connection: Connection): void
  /** Never before `up` nor after `down`. */
  frame(connection: Connection, frame: InFrame): void
  /** The session ended, or an attempt failed. */
  down(connection: Connection, cause: ClientError): void
  /** In a session that is up the relay asked who we are, and has heard it, whatever it made of it. */
  proven(connection: Connection): void
  /** Something to tell the application, nothing to act on. */
  trouble(error: ClientError): void
}

export interface ConnectionOptions extends Omit<HandshakeOptions, 'relay' | 'auth'> {
  /** Absent: relays that ask who we are get no answer. */
  readonly prove?: Prove | undefined
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
  /** Of the handshake; it is up when the relay knows who we are, or will not. */
  #agreed: Session | undefined
  #session: Session | undefined
  /** Id of the event that says who we are, while it is without an answer; empty while it is being signed. */
  #proof: string | undefined
  #proofs = 0
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

  /** How often the relay has heard who we are in this session. What was asked before that may be asked again. */
  get proofs(): number {
    return this.#proofs
  }

  /**
   * What to do about a refusal for want of a proven key, of something that was asked after so many {@link proofs}: ask
   * `later`, when {@link ConnectionListener.proven} says so, ask again `now`, or `never`.
   */
  again(proofs: number): 'later' | 'now' | 'never' {
    if (this.#proof !== undefined) return 'later'
    return this.#proofs > proofs ? 'now' : 'never'
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
    if (this.#agreed === undefined) socket.terminate()
    else socket.close()
    const force = setTimeout(() => socket.terminate(), CLOSE_MS)
    await closed
    clearTimeout(force)
  }

  #open(): void {
    this.#timer = setTimeout(() => this.#drop(this.#failed('no welcome in time')), HANDSHAKE_MS)
    const { prove } = this.#options
    this.#handshake = new Handshake({ ...this.#options, auth: prove !== undefined, relay: this.url })
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
    if (this.#agreed === undefined) this.#shakeHands(data)
    else {
      const decoded = this.#agreed.decode(data)
      if (!decoded.ok) this.#refuse(decoded.detail ?? decoded.error)
      else if (decoded.frame !== undefined) this.#frame(decoded.frame)
    }
  }

  #frame(frame: InFrame): void {
    if (frame.type === 'challenge') void this.#answer(frame.challenge)
    else if ((frame.type === 'accepted' || frame.type === 'rejected') && this.#isProof(frame.id))
      this.#proven()
    else if (this.#session !== undefined) this.#listener.frame(this, frame)
  }

  #shakeHands(data: string | Uint8Array): void {
    try {
      const progress = this.#handshake?.receive(data)
      if (progress?.send !== undefined) this.#socket?.send(progress.send)
      if (progress?.session === undefined) return
      this.#agreed = progress.session
    } catch (error) {
      this.#drop(ClientError.is(error) ? error : this.#failed('not a welcome', error))
      return
    }
    this.#handshake = undefined
    clearTimeout(this.#timer)
    this.#since = performance.now()
    this.#heartbeat = setInterval(() => this.#beat(), this.#options.heartbeatMs)
    // Before anything is asked: what only some may see is left out for others without a word.
    const isAsked = this.#options.prove !== undefined && this.#agreed.features.includes('auth')
    if (isAsked && this.#agreed.epoch !== undefined) this.#timer = setTimeout(() => this.#begin(), PROOF_MS)
    else this.#begin()
  }

  #begin(): void {
    clearTimeout(this.#timer)
    if (this.#agreed === undefined || this.#session !== undefined) return
    this.#session = this.#agreed
    this.#listener.up(this)
  }

  async #answer(challenge: string): Promise<void> {
    const { prove } = this.#options
    const session = this.#agreed
    if (prove === undefined || session === undefined || this.#proof !== undefined) return
    if (this.#proofs >= MAX_PROOFS) return
    this.#proof = ''
    try {
      const event = await prove({ relay: this.url, challenge, binding: session.binding })
      if (session !== this.#agreed) return
      this.#proof = event.id
      for (const message of session.encode({ type: 'auth', event })) this.#socket?.send(message)
    } catch (cause) {
      if (session !== this.#agreed) return
      const { url: relay } = this
      this.#listener.trouble(new ClientError('HANDLER_FAILED', 'the signer failed', { relay, cause }))
      this.#proven()
    }
  }

  #isProof(id: string | undefined): boolean {
    return id !== undefined && id === this.#proof
  }

  #proven(): void {
    this.#proof = undefined
    this.#proofs++
    if (this.#session === undefined) this.#begin()
    else this.#listener.proven(this)
  }

  #refuse(detail: string): void {
    const { url } = this
    const error = new ClientError('INVALID_FRAME', `a relay sent an invalid frame: ${detail}`, { relay: url })
    if (++this.#broken > MAX_BROKEN || this.#agreed?.noise === 'xx') this.#drop(error)
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
    this.#socket = this.#session = this.#agreed = this.#handshake = this.#cause = this.#proof = undefined
    this.#proofs = 0
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
