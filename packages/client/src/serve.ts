/** Being called: one handler an action, each call executed at most once, its answer kept for those who ask again. */
import { blake3, toHex, type VerifiedEvent } from '@aetherkit/core'
import { type Call, CallLedger, CLOCK_MS } from './call-ledger.js'
import { type CallReply, type CallRequest, checkCall, errorReply, type Json } from './call-message.js'
import { timerMs } from './deadline.js'
import { CallError, ClientError } from './errors.js'
import { fitsEvent, type Inbox } from './inbox.js'

export interface CallContext {
  /** The caller's public key, proven by its signature. */
  readonly from: string
  /** Names the call: a repeated request has the same. */
  readonly id: string
  /** Aborted at the caller's deadline, and when the client is closed. */
  readonly signal: AbortSignal
}

/**
 * Answers one call. What it returns is the answer; `undefined` counts as null. A {@link CallError} that it throws travels
 * with code and message; of anything else the caller learns only PEER_ERROR.
 */
export type CallHandler = (
  payload: Json,
  context: CallContext,
) => Json | undefined | Promise<Json | undefined>

/** An action that is being served. */
export interface Served {
  /**
   * Resolves when calls reach us at every connected relay. Need not be awaited: callers repeat. Rejects with CLOSED, or
   * REJECTED when no relay lets us subscribe.
   */
  readonly ready: Promise<void>
  /** Takes no more calls; those under way go on. */
  close(): void
}

/** A handler that is done sooner spares the acknowledgement: its answer says as much; ms. */
const ACK_AFTER_MS = 25
/** How long an answer may wait for a relay, ms; the caller asks again anyway. */
const REPLY_MS = 10_000
/** What a caller learns of a handler that threw. */
const FAILED = errorReply('PEER_ERROR', 'the agent failed')

export class Server {
  readonly #inbox: Inbox
  readonly #onError: (error: ClientError) => void
  readonly #handlers = new Map<string, CallHandler>()
  readonly #ledger = new CallLedger()
  readonly #running = new Set<AbortController>()
  #closed = false

  constructor(inbox: Inbox, onError: (error: ClientError) => void) {
    this.#inbox = inbox
    this.#onError = onError
  }

  /**
   * Takes calls of this action from now on.
   * @throws TypeError when the action has a handler; RangeError for a name that is not 1 to 256 characters.
   * ClientError CANNOT_SEAL or CLOSED.
   */
  serve(action: string, handler: CallHandler, canSeal: boolean): Served {
    checkCall({ id: '-', action })
    if (this.#closed) throw new ClientError('CLOSED')
    if (!canSeal) throw new ClientError('CANNOT_SEAL')
    if (this.#handlers.has(action)) throw new TypeError(`${JSON.stringify(action)} has a handler already`)
    this.#handlers.set(action, handler)
    const ready = this.#inbox.open()
    ready.catch((error: unknown) => {
      if (ClientError.is(error) && error.code !== 'CLOSED') this.#onError(error)
    })
    return {
      ready,
      close: () => {
        if (this.#handlers.get(action) === handler) this.#handlers.delete(action)
      },
    }
  }

  /** A request that came in. An agent that serves nothing does not answer at all. */
  receive(from: string, request: CallRequest, event: VerifiedEvent): void {
    if (this.#closed || this.#handlers.size === 0) return
    const now = Date.now()
    const sentAt = Number(event.createdAt / 1_000_000n)
    if (sentAt + request.deadline + CLOCK_MS < now || sentAt > now + CLOCK_MS) return
    const expires = Math.max(now, sentAt) + request.deadline + 2 * CLOCK_MS
    const digest = digestOf(request)
    const known = this.#ledger.find(from, request.id)
    if (known !== undefined) {
      known.expires = Math.max(known.expires, expires)
      this.#repeat(from, request.id, digest, known)
      return
    }
    const handler = this.#handlers.get(request.action)
    const call = handler && this.#ledger.take(from, request.id, digest, now, expires)
    if (handler === undefined) this.#reply(from, request.id, errorReply('UNKNOWN_ACTION', 'no such action'))
    else if (call === undefined) this.#reply(from, request.id, errorReply('BUSY', 'too many calls'))
    else void this.#run(from, request, handler, call)
  }

  close(): void {
    this.#closed = true
    this.#handlers.clear()
    for (const controller of this.#running) controller.abort(new ClientError('CLOSED'))
  }

  #repeat(from: string, id: string, digest: string, { digest: first, state }: Call): void {
    if (digest !== first) this.#reply(from, id, errorReply('ID_REUSED', 'the id belongs to another request'))
    else if (state === 'running') this.#acknowledge(from, id)
    else if (state === 'gone') this.#reply(from, id, errorReply('ANSWER_GONE', 'it was answered before'))
    else this.#reply(from, id, state)
  }

  /** Never rejects. */
  async #run(from: string, request: CallRequest, handler: CallHandler, call: Call): Promise<void> {
    const { id, action, payload, deadline } = request
    const controller = new AbortController()
    const finish = (reply: CallReply, send: boolean) => {
      if (call.state !== 'running') return
      clearTimeout(ack)
      clearTimeout(timer)
      this.#running.delete(controller)
      this.#ledger.answer(call, reply)
      if (send && !this.#closed) this.#reply(from, id, reply)
    }
    this.#running.add(controller)
    const ack = setTimeout(() => this.#acknowledge(from, id), ACK_AFTER_MS)
    const timer = setTimeout(() => {
      controller.abort(new ClientError('TIMEOUT', 'the deadline of the call has passed'))
      finish(errorReply('TIMEOUT', 'the agent did not finish in time'), false)
    }, timerMs(deadline))
    controller.signal.addEventListener('abort', () => {
      if (this.#closed) finish(errorReply('PEER_ERROR', 'the agent went away'), false)
    })
    try {
      const answer = await handler(payload, { from, id, signal: controller.signal })
      finish(this.#toReply(id, answer ?? null), true)
    } catch (error) {
      if (call.state === 'running' && !CallError.is(error)) this.#failed(action, error)
      finish(CallError.is(error) ? errorReply(error.code, error.message) : FAILED, true)
    }
  }

  #toReply(id: string, payload: Json): CallReply {
    const reply = { type: 'response', payload } as const
    if (fitsEvent({ ...reply, id })) return reply
    this.#onError(new ClientError('TOO_LARGE', 'the answer of a handler does not fit into an event'))
    return errorReply('RESPONSE_TOO_LARGE', 'the answer does not fit into an event')
  }

  #failed(action: string, cause: unknown): void {
    const message = `the handler of ${JSON.stringify(action)} threw`
    this.#onError(new ClientError('HANDLER_FAILED', message, { cause }))
  }

  #acknowledge(to: string, id: string): void {
    this.#send(to, { type: 'ack', id })
  }

  #reply(to: string, id: string, reply: CallReply): void {
    this.#send(to, { ...reply, id })
  }

  #send(to: string, message: Parameters<Inbox['send']>[1]): void {
    this.#inbox.send(to, message, { timeoutMs: REPLY_MS }).catch((error: unknown) => {
      if (this.#closed) return
      this.#onError(
        ClientError.is(error)
          ? error
          : new ClientError('HANDLER_FAILED', 'an answer was not sent', { cause: error }),
      )
    })
  }
}

function digestOf({ action, payload }: CallRequest): string {
  return toHex(blake3(new TextEncoder().encode(JSON.stringify([action, payload]))))
}
