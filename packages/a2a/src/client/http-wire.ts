/** JSON-RPC envelopes over HTTP: one POST a call, server-sent events for streams (spec a2a 2.6). */

import { readCapped } from '../guard.js'
import type { JsonRecord } from '../model.js'
import type { OperationName } from '../operations.js'
import { isRecord } from '../read-fields.js'
import type { CallOptions } from './binding.js'
import { AgentError, invalidAnswer } from './errors.js'
import { fetchError, type HttpLink, headOf } from './http-link.js'
import type { Envelope, Wire } from './rpc-binding.js'
import { readSse } from './sse-reader.js'

export function httpWire(link: HttpLink, url: string, headers: Readonly<Record<string, string>>): Wire {
  const post = (envelope: JsonRecord, options: CallOptions, accept: string) =>
    link.open({
      url,
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept,
        ...headers,
        ...resumeHeader(options),
        ...options.headers,
      },
      body: JSON.stringify(envelope),
      signal: options.signal,
      operation: envelope.method as OperationName,
    })
  return {
    async call(envelope, options) {
      const response = await post(envelope, options, 'application/json')
      return { envelope: await jsonOf(response, link.maxBytes, options.signal), head: headOf(response) }
    },
    async *stream(envelope, options) {
      const response = await post(envelope, options, 'text/event-stream, application/json')
      yield* readEvents(response, link.maxBytes, options)
    },
    close() {},
  }
}

/** The envelopes of a stream, or the one that was the whole answer. */
export async function* readEvents(
  response: Response,
  maxBytes: number,
  options: CallOptions,
): AsyncGenerator<Envelope & { readonly isError?: boolean }, void> {
  const { signal, heard } = options
  const head = headOf(response)
  if (!isEventStream(response)) {
    yield { envelope: await jsonOf(response, maxBytes, signal), head }
    return
  }
  if (response.body === null) throw invalidAnswer('the stream has no body', response.status)
  try {
    for await (const { data, id, type } of readSse(response.body, maxBytes, heard))
      yield { envelope: parse(data), id, head, isError: type === 'error' }
  } catch (error) {
    signal.throwIfAborted()
    if (AgentError.is(error)) throw error
    throw fetchError(error)
  }
}

const isEventStream = ({ headers }: Response): boolean =>
  /^text\/event-stream\b/i.test(headers.get('content-type') ?? '')

export function resumeHeader({ after }: CallOptions): Readonly<Record<string, string>> {
  return after === undefined ? {} : { 'last-event-id': String(after) }
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data) as unknown
  } catch {
    throw invalidAnswer('an event of the stream is no JSON')
  }
}

async function jsonOf(response: Response, maxBytes: number, signal: AbortSignal): Promise<unknown> {
  try {
    const bytes = await readCapped(response, maxBytes)
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    if (isRecord(value)) return value
  } catch (error) {
    signal.throwIfAborted()
    if (!(error instanceof SyntaxError)) throw fetchError(error)
  }
  throw invalidAnswer(`HTTP ${response.status} without a JSON object`, response.status)
}
