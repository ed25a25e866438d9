/**
 * The body of a request, at most so many bytes (spec a2a 7.6). A parser of Express may have been there before: then its
 * result is taken, or the bytes it kept in `rawBody`.
 */
import type { IncomingMessage } from 'node:http'
import { A2AError } from './errors.js'

/** What Express and its parsers add to a request. */
export interface ParsedRequest extends IncomingMessage {
  body?: unknown
  rawBody?: Uint8Array
}

/** Undefined when the caller left. @throws A2AError TOO_LARGE, CONTENT_TYPE_NOT_SUPPORTED, INVALID_REQUEST */
export async function readBody(
  request: ParsedRequest,
  limit: number,
): Promise<string | Uint8Array | undefined> {
  checkHeaders(request, limit)
  if (request.rawBody instanceof Uint8Array) return bounded(request.rawBody, limit)
  const isParsed = request.body !== undefined && request.readableDidRead
  if (isParsed) return bounded(textOf(request.body), limit)
  if (request.readableEnded)
    throw new A2AError('INVALID_REQUEST', 'Invalid request: the body was read before, and not kept')
  if (request.destroyed) return undefined
  return collect(request, limit)
}

function checkHeaders({ headers }: IncomingMessage, limit: number): void {
  const type = headers['content-type']
  if (type !== undefined && !/^application\/([\w.+-]+\+)?json\s*(;|$)/i.test(type))
    throw new A2AError('CONTENT_TYPE_NOT_SUPPORTED', 'Content type not supported: send application/json')
  const charset = /;\s*charset\s*=\s*"?([\w-]+)/i.exec(type ?? '')?.[1]
  if (charset !== undefined && !/^utf-?8$/i.test(charset))
    throw new A2AError('CONTENT_TYPE_NOT_SUPPORTED', 'Content type not supported: JSON is UTF-8')
  if ((headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new A2AError('CONTENT_TYPE_NOT_SUPPORTED', 'Content encoding not supported')
  if (Number(headers['content-length'] ?? 0) > limit) throw tooLarge(limit)
}

function collect(request: IncomingMessage, limit: number): Promise<Uint8Array | undefined> {
  const chunks: Buffer[] = []
  let size = 0
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      request.off('data', take).off('end', end).off('close', leave).off('error', leave)
      finish()
    }
    const take = (chunk: Buffer) => {
      size += chunk.length
      chunks.push(chunk)
      if (size > limit) settle(() => reject(tooLarge(limit)))
    }
    const end = () => settle(() => resolve(Buffer.concat(chunks)))
    const leave = () => settle(() => resolve(undefined))
    request.on('data', take).on('end', end).on('close', leave).on('error', leave)
  })
}

function textOf(body: unknown): string | Uint8Array {
  if (typeof body === 'string' || body instanceof Uint8Array) return body
  try {
    return JSON.stringify(body)
  } catch {
    // Nested beyond what a stack takes.
    throw new A2AError('INVALID_REQUEST')
  }
}

function bounded(body: string | Uint8Array, limit: number): string | Uint8Array {
  if (Buffer.byteLength(body) > limit) throw tooLarge(limit)
  return body
}

const tooLarge = (limit: number): A2AError =>
  new A2AError('TOO_LARGE', `Request body too large: at most ${limit} bytes`)
