/**
 * A2A to an agent on the relays (spec a2a 5): JSON-RPC envelopes in and out, addressed by public key. Requests are repeated
 * under one frame id until they are answered or time is up; a stream with a gap goes on with SubscribeToTask, and where
 * that is refused with the task itself.
 */
import { randomBytes } from 'node:crypto'
import { type Client, ClientError } from '@aetherkit/client'
import { parseHex } from '@aetherkit/core'
import type { JsonRecord } from '../model.js'
import { STREAM_RESUME } from '../stream-resume.js'
import type { Frame } from './frame.js'
import { DEFAULT_INCOMING, type IncomingOptions, IncomingStream } from './incoming-stream.js'
import { Pause } from './pause.js'
import { joinPost, type PostOptions } from './post.js'
import { asStreamed, isOver, recovery, taskIn, type Version } from './recovery.js'

export interface TransportOptions extends PostOptions, IncomingOptions {
  /** `1.0` by default. */
  readonly version?: Version
  /** URIs. */
  readonly extensions?: readonly string[]
  /** How long an answer, or the first frame of a stream, may take, ms; 30 000 by default. */
  readonly timeoutMs?: number
  /** From one repetition to the next, ms at most; 4 000 by default. */
  readonly retryMs?: number
}

export interface SendOptions {
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number | undefined
  readonly version?: Version | undefined
  readonly extensions?: readonly string[] | undefined
  /** `Last-Event-ID` of a stream that is resumed. */
  readonly after?: number | undefined
}

export interface EventTransport {
  /** `aether:` and the agent's public key, as its card says. */
  readonly url: string
  /**
   * The answer to one envelope.
   * @throws ClientError TIMEOUT with `acknowledged`, DISCONNECTED, REJECTED, CLOSED; A2AError TOO_LARGE; the signal's reason
   */
  call(envelope: JsonRecord, options?: SendOptions): Promise<JsonRecord>
  /**
   * The envelopes of a stream, or the one error that was the answer, all under the id of the request. After a loss the next
   * is a snapshot of the task. Leaving the loop tells the agent, and the task runs on.
   * @throws as `call`
   */
  stream(envelope: JsonRecord, options?: SendOptions): AsyncIterable<JsonRecord>
  close(): void
}

interface Waiting {
  response: JsonRecord | undefined
  stream: IncomingStream | undefined
  acknowledged: boolean
  /** The answer, or the first frame of the stream, is there. */
  readonly answered: Pause
}

const FIRST_RETRY_MS = 500

/** @throws TypeError for a public key that is not 32 bytes of hex */
export function aetherTransport(
  client: Client,
  publicKey: string,
  options: TransportOptions = {},
): EventTransport {
  const to = parseHex(publicKey, 32)
  if (to === undefined) throw new TypeError('publicKey must be 32 bytes of hex')
  const { version = '1.0', extensions = [], timeoutMs = 30_000, retryMs = 4_000 } = options
  const { ackMs = DEFAULT_INCOMING.ackMs, gapMs = DEFAULT_INCOMING.gapMs } = options
  const { maxFrames = DEFAULT_INCOMING.maxFrames } = options
  const incoming = { ackMs: Math.min(ackMs, 15_000), gapMs, maxFrames }
  const waiting = new Map<string, Waiting>()
  let isClosed = false

  const post = joinPost(
    client,
    (frame) => {
      const call = frame.from === to ? waiting.get(frame.id) : undefined
      if (call !== undefined) receive(call, frame)
    },
    options,
  )

  const receive = (call: Waiting, frame: Frame): void => {
    const { kind, body } = frame
    if (kind === 'ack') call.acknowledged = true
    if (kind === 'response' && body !== undefined && call.response === undefined) call.response = body
    if (kind === 'event' || kind === 'end' || (kind === 'ack' && frame.params.sent !== '0'))
      call.stream?.receive(frame)
    if (kind === 'response' || kind === 'event' || kind === 'end') call.answered.end()
  }

  const tell = (kind: 'ack' | 'close', id: string, seq?: number): void => {
    post.send({ kind, id, to, params: {}, ...(seq !== undefined && { seq }) }).catch(() => {})
  }

  /** Repeats the request until there is an answer or a first frame. */
  const ask = async (
    id: string,
    call: Waiting,
    envelope: JsonRecord,
    sending: SendOptions,
  ): Promise<void> => {
    const { signal, timeoutMs: patience = timeoutMs, after } = sending
    const uris = sending.extensions ?? extensions
    const end = performance.now() + patience
    const params = {
      'a2a-version': sending.version ?? version,
      ...(uris.length > 0 && { 'a2a-extensions': uris.join(', ') }),
      ...(after !== undefined && { 'last-event-id': String(after) }),
    }
    let pause = Math.min(FIRST_RETRY_MS, retryMs)
    let isSending = false
    let fatal: unknown
    const send = async (left: number): Promise<void> => {
      isSending = true
      const frame = {
        kind: 'request',
        id,
        to,
        params: { ...params, deadline: String(left) },
        body: envelope,
      } as const
      try {
        await post.send(frame, { timeoutMs: left })
      } catch (error) {
        if (!isFinal(error)) return
        fatal = error
        call.answered.poke()
      } finally {
        isSending = false
      }
    }
    while (!call.answered.isEnded) {
      signal?.throwIfAborted()
      if (isClosed) throw new ClientError('CLOSED')
      if (fatal !== undefined) throw fatal
      const left = Math.ceil(end - performance.now())
      if (left <= 0) throw late(call)
      if (!isSending) void send(left)
      await call.answered.wait(Math.min(pause, left), signal)
      pause = Math.min(pause * 2, retryMs)
    }
  }

  const late = ({ acknowledged }: Waiting): ClientError => {
    if (!acknowledged && client.connected.length === 0) return new ClientError('DISCONNECTED')
    const message = acknowledged ? 'the agent did not finish in time' : 'the agent did not answer in time'
    return new ClientError('TIMEOUT', message, { acknowledged })
  }

  const call = async (envelope: JsonRecord, sending: SendOptions = {}): Promise<JsonRecord> => {
    const id = newId()
    const entry: Waiting = {
      response: undefined,
      stream: undefined,
      acknowledged: false,
      answered: new Pause(),
    }
    waiting.set(id, entry)
    try {
      await ask(id, entry, envelope, sending)
      if (entry.response !== undefined) return entry.response
      tell('close', id)
      throw new ClientError('PEER_ERROR', 'the agent answered with a stream', {
        peerCode: 'UNEXPECTED_STREAM',
      })
    } catch (error) {
      if (entry.response === undefined) tell('close', id)
      throw error
    } finally {
      waiting.delete(id)
    }
  }

  /** One attempt; `place` is where it has come to. */
  async function* once(
    envelope: JsonRecord,
    sending: SendOptions,
    place: { eventId?: string | undefined },
  ): AsyncGenerator<JsonRecord, 'end' | 'lost' | 'single'> {
    const id = newId()
    const stream = new IncomingStream(incoming, (seq) => tell('ack', id, seq))
    const entry: Waiting = { response: undefined, stream, acknowledged: false, answered: new Pause() }
    waiting.set(id, entry)
    const leave = () => stream.close()
    sending.signal?.addEventListener('abort', leave)
    try {
      await ask(id, entry, envelope, sending)
      if (entry.response !== undefined) {
        yield entry.response
        return 'single'
      }
      for (let next = await stream.take(); next !== undefined; next = await stream.take()) {
        place.eventId = next.eventId ?? place.eventId
        yield next.envelope
      }
      sending.signal?.throwIfAborted()
      return stream.outcome === 'end' ? 'end' : 'lost'
    } finally {
      sending.signal?.removeEventListener('abort', leave)
      if (stream.outcome !== 'end' && entry.response === undefined) tell('close', id)
      stream.close()
      waiting.delete(id)
    }
  }

  async function* stream(envelope: JsonRecord, sending: SendOptions = {}): AsyncGenerator<JsonRecord, void> {
    const asked = sending.version ?? version
    const place: { eventId?: string | undefined } = {}
    const { after: _after, ...plain } = sending
    const canResume = (sending.extensions ?? extensions).includes(STREAM_RESUME)
    let again: SendOptions = plain
    let request = envelope
    let taskId: string | undefined
    let isRecovering = false
    while (true) {
      const frames = once(request, isRecovering ? again : sending, place)
      let outcome: 'end' | 'lost' | 'single' | undefined
      try {
        while (outcome === undefined) {
          const { done, value } = await frames.next()
          if (done === true) outcome = value
          else if (!isRecovering || value.error === undefined) {
            taskId = taskIn(value) ?? taskId
            yield { ...value, id: envelope.id ?? null }
            if (isOver(value)) return
          }
        }
      } finally {
        await frames.return('end')
      }
      if (outcome === 'end' || (outcome === 'single' && !isRecovering)) return
      const plan = recovery(asked, envelope, taskId)
      if (outcome === 'single' && plan.get !== undefined) {
        // It has ended meanwhile: nothing can be subscribed to, and the task has it all.
        yield { ...asStreamed(await call(plan.get, plain), asked), id: envelope.id ?? null }
        return
      }
      request = plan.subscribe
      isRecovering = true
      if (canResume && plan.get !== undefined && place.eventId !== undefined)
        again = { ...plain, after: Number(place.eventId) }
    }
  }

  return {
    url: `aether:${to}`,
    call,
    stream,
    close() {
      isClosed = true
      for (const { answered, stream: open } of waiting.values()) {
        open?.close()
        answered.poke()
      }
      post.close()
    },
  }
}

/** What another attempt cannot mend. */
function isFinal(error: unknown): boolean {
  if (!ClientError.is(error)) return true
  if (error.rejectCode === 'created_at_out_of_window') return false
  return ['REJECTED', 'TOO_LARGE', 'CANNOT_SEAL', 'CLOSED'].includes(error.code)
}

function newId(): string {
  return randomBytes(16).toString('hex')
}
