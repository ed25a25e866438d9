/** Errors on their way out (spec a2a 2.10): JSON-RPC error objects, REST bodies and HTTP statuses, made in one place. */
import { randomUUID } from 'node:crypto'
import { A2A_ERRORS, A2AError } from './errors.js'
import type { JsonRecord } from './model.js'

const ERROR_INFO = 'type.googleapis.com/google.rpc.ErrorInfo'
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest'
const DOMAIN = 'a2a-protocol.org'

export type OnError = (error: unknown, errorId: string) => void

/** Anything that was thrown, as what the peer may see: an unknown error is logged under an id, and only the id goes out. */
export function toA2AError(error: unknown, onError?: OnError): A2AError {
  if (A2AError.is(error)) return error
  const errorId = randomUUID()
  onError?.(error, errorId)
  return new A2AError('INTERNAL', A2A_ERRORS.INTERNAL.text, { metadata: { errorId } })
}

/** `error` of an envelope of 1.0: `data` is an array of ProtoJSON Any. */
export function errorObject(error: A2AError): JsonRecord {
  return { code: A2A_ERRORS[error.code].code, message: error.message, data: detailsOf(error) }
}

/** `error` of an envelope of 0.3: `data` is an object, or absent. */
export function legacyErrorObject(error: A2AError): JsonRecord {
  const { violations, metadata } = error.details
  const data = {
    ...metadata,
    ...(violations && {
      fieldViolations: violations.map(({ field, description }) => ({ field, description })),
    }),
  }
  const { code } = A2A_ERRORS[error.code]
  return { code, message: error.message, ...(Object.keys(data).length > 0 && { data }) }
}

/** Body of a REST error. */
export function restError(error: A2AError): JsonRecord {
  const { http, status } = A2A_ERRORS[error.code]
  return { error: { code: http, status, message: error.message, details: detailsOf(error) } }
}

export const httpStatus = (error: A2AError): number => A2A_ERRORS[error.code].http

/** JSON-RPC errors travel on HTTP 200, but for these three. */
export function rpcStatus(error: A2AError): number {
  const { http } = A2A_ERRORS[error.code]
  return http === 401 || http === 413 || http === 429 ? http : 200
}

export function errorHeaders(error: A2AError): Record<string, string> {
  if (error.code !== 'RATE_LIMITED') return {}
  return { 'retry-after': String(Math.max(1, Math.ceil(error.details.retryAfterSeconds ?? 1))) }
}

function detailsOf(error: A2AError): readonly JsonRecord[] {
  const { violations, metadata } = error.details
  const reason = error.code === 'INTERNAL' ? 'INTERNAL_ERROR' : error.code
  const info = { '@type': ERROR_INFO, reason, domain: DOMAIN, metadata: { ...metadata } }
  if (violations === undefined) return [info]
  const fieldViolations = violations.map(({ field, description }) => ({ field, description }))
  return [info, { '@type': BAD_REQUEST, fieldViolations }]
}
