/**
 * An agent on the relays (spec a2a 5): the same dispatch as over HTTP, addressed by public key, without any open port. The
 * verified author of an event is the caller.
 */
import { createHash } from 'node:crypto'
import type { Client } from '@aetherkit/client'
import type { Dispatch } from '../dispatch.js'
import { A2A_ERRORS, A2AError } from '../errors.js'
import type { Json, JsonRecord } from '../model.js'
import { type CallLimits, DEFAULT_CALLS, type EventCall, EventCalls } from './calls.js'
import type { Frame } from './frame.js'
import { DEFAULT_STREAM, OutgoingStream, type StreamEvents, type StreamLimits } from './outgoing-stream.js'
import { joinPost, type PostOptions } from './post.js'

export interface ServeOptions extends PostOptions {
  /** Empty by default. */
  readonly tenant?: string
  readonly stream?: StreamLimits
  readonly calls?: CallLimits
}

export interface ServedOnAether {
  /** Resolves when calls reach us at every connected relay. Need not be awaited: callers repeat. */
  readonly ready: Promise<void>
  /** Takes no more calls; streams end without their end, so that callers look for the task. */
  close(): Promise<void>
}

const DEFAULT_DEADLINE_MS = 60_000
const MAX_DEADLINE_MS = 3_600_000
/** How long an answer is kept for those who did not get it, ms: no relay brings the request later. */
const KEEP_MS = 120_000

export function serveOnAether(
  dispatch: Dispatch,
  client: Client,
  options: ServeOptions = {},
): ServedOnAether {
  const { now = Date.now, onError = () => {}, tenant = '' } = options
  const streamLimits = { ...DEFAULT_STREAM, ...options.stream }
  const calls = new EventCalls({ ...DEFAULT_CALLS, ...options.calls })
  const post = joinPost(client, (frame) => receive(frame), options)

  const send = async (
    to: string,
    frame: Omit<Frame, 'from' | 'to' | 'params'> & Partial<Pick<Frame, 'params'>>,
  ) => {
    try {
      await post.send({ params: {}, ...frame, to })
    } catch (error) {
      onError(error)
      throw error
    }
  }
  const tell = (to: string, frame: Parameters<typeof send>[1]) => void send(to, frame).catch(() => {})

  const receive = (frame: Frame): void => {
    const { kind, from, id, seq } = frame
    const call = calls.find(from, id)
    if (kind === 'request') {
      if (call === undefined) void take(frame).catch(onError)
      else if (call.digest === digestOf(frame)) repeat(frame, call)
    } else if (kind === 'ack' && frame.params.sent === undefined) acknowledge(from, id, call, seq ?? 0)
    else if (kind === 'close' && call !== undefined) {
      call.abort.abort()
      call.stream?.drop()
    }
  }

  const take = async (frame: Frame): Promise<void> => {
    const { from, id, body, params } = frame
    if (body === undefined) return
    const time = now()
    const deadline = Math.min(Number(params.deadline) || DEFAULT_DEADLINE_MS, MAX_DEADLINE_MS)
    const call = calls.take(from, id, digestOf(frame), time, time + deadline + KEEP_MS)
    if (call === undefined) return tell(from, { kind: 'response', id, body: failure(body, 'RATE_LIMITED') })
    const { signal } = call.abort
    const late = setTimeout(() => call.abort.abort(), deadline)
    late.unref()
    try {
      const reply = await dispatch({
        body: JSON.stringify(body),
        version: params['a2a-version'],
        extensions: params['a2a-extensions'],
        caller: { owner: `aether:${from}`, anonymous: false },
        tenant,
        signal,
        peer: from,
        carrier: 'events',
        ...(params['last-event-id'] !== undefined && { after: Number(params['last-event-id']) }),
      })
      clearTimeout(late)
      if (reply.kind === 'stream') await stream(frame, call, reply.events)
      else await respond(frame, call, reply.envelope)
    } finally {
      clearTimeout(late)
      calls.finish(call)
      call.expiresAt = now() + KEEP_MS
    }
  }

  const respond = async (
    { from, id, body = {} }: Frame,
    call: EventCall,
    envelope: JsonRecord,
  ): Promise<void> => {
    calls.finish(call, envelope)
    try {
      await send(from, { kind: 'response', id, body: envelope })
    } catch (error) {
      if (!A2AError.is(error) || error.code !== 'TOO_LARGE') return
      const refused = failure(body, 'TOO_LARGE', 'The answer is longer than this carrier takes')
      call.response = refused
      tell(from, { kind: 'response', id, body: refused })
    }
  }

  const stream = async ({ from, id }: Frame, call: EventCall, events: StreamEvents): Promise<void> => {
    const outgoing = new OutgoingStream(
      events,
      (kind, seq, envelope, eventId) =>
        send(from, {
          kind,
          id,
          seq,
          ...(eventId !== undefined && { params: { 'event-id': String(eventId) } }),
          ...(envelope !== undefined && { body: envelope }),
        }),
      streamLimits,
      () => call.abort.abort(),
    )
    call.stream = outgoing
    if (call.abort.signal.aborted) outgoing.drop()
    await outgoing.done
  }

  const repeat = ({ from, id }: Frame, call: EventCall): void => {
    if (call.response !== undefined) tell(from, { kind: 'response', id, body: call.response })
    else tell(from, { kind: 'ack', id, params: { sent: String(call.stream?.sent ?? 0) } })
  }

  const acknowledge = (from: string, id: string, call: EventCall | undefined, seq: number): void => {
    const outgoing = call?.stream
    if (call?.response !== undefined || (call !== undefined && outgoing === undefined)) return
    outgoing?.ack(seq)
    if (outgoing === undefined || outgoing.isDropped) tell(from, { kind: 'end', id })
    else if (outgoing.end !== undefined) tell(from, { kind: 'end', id, seq: outgoing.end })
    else tell(from, { kind: 'ack', id, params: { sent: String(outgoing.sent) } })
  }

  return {
    ready: post.ready,
    async close() {
      post.close()
      const streams = [...calls.all()].flatMap(({ stream: open }) => (open === undefined ? [] : [open]))
      for (const open of streams) open.drop()
      await Promise.all(streams.map(({ done }) => done))
    },
  }
}

function digestOf({ body, params }: Frame): string {
  const { deadline: _deadline, ...meant } = params
  return createHash('sha256')
    .update(JSON.stringify([body, meant]))
    .digest('base64url')
}

function failure(request: JsonRecord, code: 'RATE_LIMITED' | 'TOO_LARGE', message?: string): JsonRecord {
  const { id } = request
  const answerable: Json = typeof id === 'string' || typeof id === 'number' ? id : null
  const error = { code: A2A_ERRORS[code].code, message: message ?? A2A_ERRORS[code].text }
  return { jsonrpc: '2.0', id: answerable, error }
}
