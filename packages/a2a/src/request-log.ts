/** One line a request (spec a2a 7.11): no credentials, no payloads, no raw errors. */
import { createHash, randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Observed } from './dispatch.js'
import type { Caller } from './engine.js'

export interface RequestLine extends Observed {
  readonly requestId: string
  /** First 16 hex digits of the SHA-256 of the owner; absent when nobody was authenticated. */
  readonly owner?: string
  readonly httpMethod: string
  readonly httpStatus: number
  readonly ms: number
  /** Of the response, as the socket took them. */
  readonly bytes: number
}

export interface RequestTrace {
  observe(facts: Observed): void
  caller(caller: Caller): void
}

/** Emits when the response is over, whichever way. */
export function traceRequest(
  request: IncomingMessage,
  response: ServerResponse,
  emit: ((line: RequestLine) => void) | undefined,
): RequestTrace {
  if (emit === undefined) return { observe() {}, caller() {} }
  const started = performance.now()
  const { socket } = response
  const before = socket?.bytesWritten ?? 0
  let facts: Observed = {}
  let owner: string | undefined
  response.once('close', () => {
    emit({
      requestId: randomUUID(),
      ...facts,
      ...(owner !== undefined && { owner }),
      httpMethod: request.method ?? '',
      httpStatus: response.statusCode,
      ms: Math.round(performance.now() - started),
      bytes: (socket?.bytesWritten ?? before) - before,
    })
  })
  return {
    observe: (more) => {
      facts = { ...facts, ...more }
    },
    caller: (caller) => {
      owner = createHash('sha256').update(caller.owner).digest('hex').slice(0, 16)
    },
  }
}
