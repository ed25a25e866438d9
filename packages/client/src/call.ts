/** Calling an agent by its public key: sealed, correlated, repeated under one id until it answers or time is up. */
import { parseHex, toHex } from '@aetherkit/core'
import { type CallMessage, type CallRequest, checkCall, type Json, MAX_DEADLINE_MS } from './call-message.js'
import { checkTimeout, type Deferred, deferred, timerMs, within } from './deadline.js'
import { ClientError, type ClientErrorCode } from './errors.js'
import { fitsEvent, type Inbox } from './inbox.js'

export interface RequestOptions {
  readonly signal?: AbortSignal | undefined
  /** Milliseconds, default 10 000, at most an hour. The agent is told, and stops then too. */
  readonly timeoutMs?: number | undefined
  /** 1 to 128 characters, random by default. A second request under the same id is answered, not executed again. */
  readonly id?: string | undefined
}

/** How long one event may wait for a relay before a new one is made, ms: relays take no old ephemeral ones. */
const SEND_MS = 6_000
/** The first repetition comes after this, ms, for an agent that was just about to listen; then twice that, and so on. */
const FIRST_RETRY_MS = 500
/** What another attempt cannot mend. */
const FINAL: ReadonlySet<ClientErrorCode> = new Set(['REJECTED', 'TOO_LARGE', 'CANNOT_SEAL', 'CLOSED'])

interface Waiting {
  readonly answer: Deferred<Json>
  acknowledged: boolean
}

export class Caller {
  readonly #inbox: Inbox
  readonly #retryMs: number
  readonly #waiting = new Map<string, Set<Waiting>>()

  /** `retryMs`: from one attempt to the next, at most. */
  constructor(inbox: Inbox, retryMs: number) {
    this.#inbox = inbox
    this.#retryMs = retryMs
  }

  /**
   * Resolves with what the agent's handler returned.
   * @throws ClientError PEER_ERROR with `peerCode`, TIMEOUT with `acknowledged`, DISCONNECTED, REJECTED, TOO_LARGE,
   * CANNOT_SEAL, CLOSED; the signal's reason; TypeError or RangeError for arguments that make no request.
   */
  async request(
    publicKey: string,
    action: string,
    payload: Json,
    options: RequestOptions = {},
  ): Promise<Json> {
    const { signal, timeoutMs = 10_000, id = randomId() } = options
    const to = parseHex(publicKey, 32)
    if (to === undefined) throw new TypeError('publicKey must be 32 bytes of hex')
    checkCall({ id, action })
    if (checkTimeout(timeoutMs) > MAX_DEADLINE_MS)
      throw new RangeError(`timeoutMs is at most ${MAX_DEADLINE_MS}, got ${timeoutMs}`)
    if (payload === undefined) throw new TypeError('payload must be JSON, got undefined')
    const request: CallRequest = { type: 'request', id, action, payload, deadline: timeoutMs }
    if (!fitsEvent(request)) throw new ClientError('TOO_LARGE', 'the request does not fit into an event')
    signal?.throwIfAborted()
    return this.#call(to, request, { signal, timeoutMs })
  }

  /** An answer, or the word that the agent is at work. */
  receive(from: string, message: Exclude<CallMessage, CallRequest>): void {
    for (const waiting of this.#waiting.get(`${from}${message.id}`) ?? []) {
      if (message.type === 'ack') waiting.acknowledged = true
      else if (message.type === 'response') waiting.answer.resolve(message.payload)
      else waiting.answer.reject(new ClientError('PEER_ERROR', message.message, { peerCode: message.code }))
    }
  }

  close(): void {
    for (const all of this.#waiting.values()) {
      for (const { answer } of all) answer.reject(new ClientError('CLOSED'))
    }
  }

  async #call(
    to: string,
    request: CallRequest,
    limits: { readonly signal: AbortSignal | undefined; readonly timeoutMs: number },
  ): Promise<Json> {
    const waiting: Waiting = { answer: deferred(), acknowledged: false }
    const key = `${to}${request.id}`
    const all = this.#waiting.get(key) ?? new Set()
    this.#waiting.set(key, all.add(waiting))
    const stop = new AbortController()
    const fail = (error: unknown) => waiting.answer.reject(error)
    this.#inbox.open().catch(fail)
    this.#attempt(to, request, stop.signal).catch(fail)
    try {
      return await within(waiting.answer.promise, limits, () => {
        throw this.#late(waiting)
      })
    } finally {
      stop.abort()
      all.delete(waiting)
      if (all.size === 0) this.#waiting.delete(key)
    }
  }

  /** Sends the request again and again until stopped; throws what cannot be mended. */
  async #attempt(to: string, request: CallRequest, stop: AbortSignal): Promise<void> {
    const end = performance.now() + request.deadline
    for (let wait = FIRST_RETRY_MS; !stop.aborted; wait *= 2) {
      const deadline = Math.max(1, Math.ceil(end - performance.now()))
      const timeoutMs = Math.min(SEND_MS, deadline)
      try {
        await this.#inbox.send(to, { ...request, deadline }, { signal: stop, timeoutMs })
      } catch (error) {
        if (stop.aborted) return
        const mends =
          ClientError.is(error) && (!FINAL.has(error.code) || error.rejectCode === 'created_at_out_of_window')
        if (!mends) throw error
      }
      await pause(Math.min(wait, this.#retryMs), stop)
    }
  }

  #late({ acknowledged }: Waiting): ClientError {
    if (!acknowledged && !this.#inbox.connected) return new ClientError('DISCONNECTED')
    const message = acknowledged ? 'the agent did not finish in time' : 'the agent did not answer in time'
    return new ClientError('TIMEOUT', message, { acknowledged })
  }
}

function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) {
      resolve()
      return
    }
    const done = () => {
      clearTimeout(timer)
      stop.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, timerMs(ms))
    stop.addEventListener('abort', done)
  })
}

/** `crypto.randomUUID` is not there on pages without TLS. */
function randomId(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(16)))
}
