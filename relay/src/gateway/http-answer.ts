/** JSON answers of the HTTP gateway (spec 10.1), and how a reject becomes one. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { REJECTS, type Reject, reject, writeJson } from '@aetherkit/core'
import { StoreError } from '../store/store.js'
import { errorWord } from './wording.js'

/** How long what is left of a body is read, and thrown away, after the answer. */
const LINGER_MS = 1000

/** Of `Authorization`, see `http-auth.ts`. */
const AUTH_SCHEME = 'Aether'

export const JSON_TYPE = 'application/json'
export const NDJSON_TYPE = 'application/x-ndjson'

/** Thrown by a handler whose request is refused; the routes answer it. */
export class Refused extends Error {
  override readonly name = 'Refused'
  readonly reject: Reject
  /** Absent: that of the table. */
  readonly status: number | undefined

  constructor(refusal: Reject, status?: number) {
    super(refusal.code)
    this.reject = refusal
    this.status = status
  }
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  sendText(response, status, typeof body === 'string' ? body : writeJson(body))
}

/** Text that is JSON already. */
function sendText(response: ServerResponse, status: number, text: string): void {
  response.statusCode = status
  // Who did not say another scheme asks for a proof, see `http-auth.ts` (RFC 9110, 11.6.1).
  if (status === 401 && !response.hasHeader('www-authenticate'))
    response.setHeader('www-authenticate', AUTH_SCHEME)
  response.setHeader('content-type', JSON_TYPE)
  response.setHeader('content-length', Buffer.byteLength(text))
  if (leavesBody(response.req)) linger(response, text)
  else response.end(text)
}

/** Whether there is a body that nobody has read to its end. */
function leavesBody({ headers, complete }: IncomingMessage): boolean {
  if (complete) return false
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

/** Answers, and closes a moment later: closed at once, the answer could be lost on a client that is still sending. */
function linger(response: ServerResponse, text: string): void {
  const { req: request } = response
  response.setHeader('connection', 'close')
  response.write(text)
  const end = () => {
    clearTimeout(timer)
    response.end()
  }
  const timer = setTimeout(end, LINGER_MS)
  request.once('end', end).once('close', end).resume()
}

/** The error body `{error, message, code}` with the status of the table; `members` are added. */
export function sendReject(
  response: ServerResponse,
  refusal: Reject,
  { status = REJECTS[refusal.code].http, ...members }: RejectMembers = {},
): void {
  const { code, error: message, detail, retryAfterMs } = refusal
  setRetryAfter(response, retryAfterMs)
  const error = errorWord(code, status)
  sendJson(response, status, { error, message, code, detail, retry_after_ms: retryAfterMs, ...members })
}

interface RejectMembers {
  readonly status?: number | undefined
  readonly [member: string]: unknown
}

/** `Retry-After` is in whole seconds (RFC 9110, 10.2.3). */
export function setRetryAfter(response: ServerResponse, retryAfterMs: number | undefined): void {
  if (retryAfterMs !== undefined)
    response.setHeader('retry-after', Math.max(1, Math.ceil(retryAfterMs / 1000)))
}

/** What an exception tells the client: nothing of its text. */
export function rejectOf(error: unknown): Reject {
  if (error instanceof Refused) return error.reject
  if (error instanceof StoreError) return { ...reject('unavailable'), retryAfterMs: 1000 }
  return reject('internal')
}
