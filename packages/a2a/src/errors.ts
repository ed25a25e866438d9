/**
 * The errors of A2A (spec a2a 2.10): one class, a closed table of names with their JSON-RPC code, REST status and
 * status name. Guarded by name and code, never `instanceof`. A message is written for the peer: local text of an
 * exception is never put here.
 */

export const A2A_ERRORS = {
  TASK_NOT_FOUND: { code: -32001, status: 'NOT_FOUND', http: 404, text: 'Task not found' },
  TASK_NOT_CANCELABLE: {
    code: -32002,
    status: 'FAILED_PRECONDITION',
    http: 400,
    text: 'Task cannot be canceled',
  },
  PUSH_NOTIFICATION_NOT_SUPPORTED: {
    code: -32003,
    status: 'FAILED_PRECONDITION',
    http: 400,
    text: 'Push notifications are not supported',
  },
  UNSUPPORTED_OPERATION: {
    code: -32004,
    status: 'FAILED_PRECONDITION',
    http: 400,
    text: 'This operation is not supported',
  },
  CONTENT_TYPE_NOT_SUPPORTED: {
    code: -32005,
    status: 'INVALID_ARGUMENT',
    http: 400,
    text: 'Content type not supported',
  },
  INVALID_AGENT_RESPONSE: { code: -32006, status: 'INTERNAL', http: 500, text: 'Invalid agent response' },
  EXTENDED_AGENT_CARD_NOT_CONFIGURED: {
    code: -32007,
    status: 'FAILED_PRECONDITION',
    http: 400,
    text: 'No extended agent card is configured',
  },
  EXTENSION_SUPPORT_REQUIRED: {
    code: -32008,
    status: 'FAILED_PRECONDITION',
    http: 400,
    text: 'A required extension was not requested',
  },
  VERSION_NOT_SUPPORTED: {
    code: -32009,
    status: 'FAILED_PRECONDITION',
    http: 400,
    text: 'Protocol version not supported',
  },
  PARSE_ERROR: { code: -32700, status: 'INVALID_ARGUMENT', http: 400, text: 'Parse error' },
  INVALID_REQUEST: { code: -32600, status: 'INVALID_ARGUMENT', http: 400, text: 'Invalid request' },
  METHOD_NOT_FOUND: { code: -32601, status: 'NOT_FOUND', http: 404, text: 'Method not found' },
  INVALID_PARAMS: { code: -32602, status: 'INVALID_ARGUMENT', http: 400, text: 'Invalid params' },
  INTERNAL: { code: -32603, status: 'INTERNAL', http: 500, text: 'Internal error' },
  RATE_LIMITED: { code: -32000, status: 'RESOURCE_EXHAUSTED', http: 429, text: 'Too many requests' },
  UNAUTHENTICATED: { code: -32000, status: 'UNAUTHENTICATED', http: 401, text: 'Authentication required' },
  TOO_LARGE: { code: -32600, status: 'INVALID_ARGUMENT', http: 413, text: 'Request body too large' },
} as const

export type A2AErrorCode = keyof typeof A2A_ERRORS

export interface FieldViolation {
  /** Path in the request, such as `message.parts[0].text`. */
  readonly field: string
  readonly description: string
}

export interface A2AErrorDetails {
  readonly violations?: readonly FieldViolation[]
  /** Strings only, as ErrorInfo has it. */
  readonly metadata?: Readonly<Record<string, string>>
  readonly retryAfterSeconds?: number
}

export class A2AError extends Error {
  override readonly name = 'A2AError'
  readonly code: A2AErrorCode
  readonly details: A2AErrorDetails

  constructor(code: A2AErrorCode, message: string = A2A_ERRORS[code].text, details: A2AErrorDetails = {}) {
    super(message)
    this.code = code
    this.details = details
  }

  static is(value: unknown): value is A2AError {
    return value instanceof Error && value.name === 'A2AError' && 'code' in value && 'details' in value
  }
}
