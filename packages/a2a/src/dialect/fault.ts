/**
 * The errors of `agent.request` (spec a2a 3.4), exactly: `data` is an object, unlike the array of A2A 1.0.
 *
 *   missing or ill-typed param, bad envelope            -32600   {reason}
 *   stale or future stamp, wrong `to`, signature, replay  -32600   {reason, code}
 *   unknown action                                      -32601   {reason}
 *   payload fails the action's schema                   -32602   {reason, issues}
 *   handler threw                                       -32603   nothing
 *   limited                                             -32000   {reason, code}, HTTP 429
 *   payment that is not decided, or used elsewhere      -32000   {reason, code}
 */
import type { Json, JsonRecord } from '../model.js'

export interface DialectFault {
  readonly code: number
  readonly message: string
  readonly data?: JsonRecord
  /** HTTP status where the carrier has one, 200 by default. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
}

/** One place in a payload that its schema refuses. */
export interface Issue {
  readonly message: string
  readonly path: readonly (string | number)[]
}

export type RefusalCode = 'TIMESTAMP_OUT_OF_WINDOW' | 'WRONG_RECIPIENT' | 'INVALID_SIGNATURE' | 'REPLAYED'

const invalidRequest = (data: JsonRecord): DialectFault => ({
  code: -32600,
  message: 'Invalid request',
  data,
})

export const missing = (name: string): DialectFault =>
  invalidRequest({ reason: `Missing required parameter: ${name}` })

export const malformed = (reason: string): DialectFault => invalidRequest({ reason })

const REASONS: Readonly<Record<RefusalCode, string>> = {
  TIMESTAMP_OUT_OF_WINDOW: 'The timestamp is outside of the accepted window',
  WRONG_RECIPIENT: 'The request is not addressed to this agent',
  INVALID_SIGNATURE: 'The signature does not verify',
  REPLAYED: 'The request was received before',
}

export const refused = (code: RefusalCode): DialectFault => invalidRequest({ reason: REASONS[code], code })

export const unknownAction = (action: string): DialectFault => ({
  code: -32601,
  message: 'Method not found',
  data: { reason: `Unknown action: ${action}` },
})

export const invalidPayload = (issues: readonly Issue[]): DialectFault => ({
  code: -32602,
  message: 'Invalid params',
  data: {
    reason: 'The payload does not fit the action',
    issues: issues.map(({ message, path }): Json => ({ message, path })),
  },
})

export const INTERNAL: DialectFault = { code: -32603, message: 'Internal error' }

export const limited = (retryAfterSeconds: number): DialectFault => ({
  code: -32000,
  message: 'Too many requests',
  data: { reason: 'Too many requests', code: 'RATE_LIMITED' },
  status: 429,
  headers: { 'Retry-After': String(Math.max(1, Math.ceil(retryAfterSeconds))) },
})

/** The payment bought something that is not kept any more. */
export const usedUp = (): DialectFault => ({
  code: -32000,
  message: 'Payment not accepted',
  data: { reason: 'aetherkit_already_used', code: 'PAYMENT_CONFLICT' },
})
