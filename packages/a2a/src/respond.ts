/** Answers that are no stream. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Json } from './model.js'

const COMMON = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' }

/** How much of a body that nobody wants is still taken, so that a caller who writes it all gets to read the answer. */
const MAX_DISCARD = 4 * 1024 * 1024

export interface Answer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** Undefined: nothing. */
  readonly body?: Json | undefined
  /** `application/json` unless given. */
  readonly type?: string
}

export function respond(
  request: IncomingMessage,
  response: ServerResponse,
  { status, headers = {}, body, type = 'application/json' }: Answer,
): void {
  if (response.headersSent || response.destroyed) {
    response.destroy()
    return
  }
  const text = body === undefined ? undefined : JSON.stringify(body)
  for (const [name, value] of Object.entries({ ...COMMON, ...headers })) response.setHeader(name, value)
  response.statusCode = status
  if (text !== undefined) {
    response.setHeader('content-type', type)
    response.setHeader('content-length', Buffer.byteLength(text))
  }
  if (!request.complete) discard(request)
  response.end(request.method === 'HEAD' ? undefined : text)
}

/** Beyond the bound the connection goes. */
function discard(request: IncomingMessage): void {
  let size = 0
  request.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > MAX_DISCARD) request.destroy()
  })
  request.on('error', () => {})
}
