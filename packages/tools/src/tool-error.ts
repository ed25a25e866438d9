/**
 * Errors a model can act on (spec frameworks 4). The codes are stable; the text is ours, never an exception's.
 * Text that another agent wrote travels in `untrusted_text` alone.
 */
export type ToolErrorCode =
  | 'INVALID_ADDRESS'
  | 'NOT_FOUND'
  | 'PEER_TIMEOUT'
  | 'TIMEOUT'
  | 'REJECTED'
  | 'OVER_LIMIT'
  | 'NEEDS_APPROVAL'
  | 'PAYMENT_FAILED'
  | 'PAYMENT_UNKNOWN'
  | 'INTERNAL'

export interface ToolFailure {
  readonly code: ToolErrorCode
  readonly message: string
  readonly retryable: boolean
  readonly paid?: boolean | 'unknown'
  readonly untrusted_text?: string
}

/** The result of `runTool`. */
export type Outcome<T> =
  | { readonly ok: true; readonly output: T }
  | { readonly ok: false; readonly error: ToolFailure }

const BRAND = 'aetherkit.tool-error'

export class ToolError extends Error {
  /** A string and not a class check: two copies of this package in one process must understand each other. */
  readonly brand: string = BRAND
  readonly code: ToolErrorCode
  readonly retryable: boolean
  readonly paid?: boolean | 'unknown'
  readonly untrusted_text?: string

  constructor(failure: {
    readonly code: ToolErrorCode
    readonly message: string
    readonly retryable?: boolean
    readonly paid?: boolean | 'unknown'
    readonly untrusted_text?: string
    readonly cause?: unknown
  }) {
    super(failure.message, failure.cause === undefined ? undefined : { cause: failure.cause })
    this.name = 'ToolError'
    this.code = failure.code
    this.retryable = failure.retryable ?? false
    if (failure.paid !== undefined) this.paid = failure.paid
    if (failure.untrusted_text !== undefined) this.untrusted_text = failure.untrusted_text
  }

  static is(error: unknown): error is ToolError {
    return typeof error === 'object' && error !== null && 'brand' in error && error.brand === BRAND
  }
}

/** The plain fields of an error, as they stand in `Outcome`. */
export function toFailure(error: ToolError): ToolFailure {
  return {
    code: error.code,
    message: error.message,
    retryable: error.retryable,
    ...(error.paid === undefined ? {} : { paid: error.paid }),
    ...(error.untrusted_text === undefined ? {} : { untrusted_text: error.untrusted_text }),
  }
}

/** What the model reads of a failure, in every framework: `{"error":"PEER_TIMEOUT","message":"...","retryable":true}`. */
export function errorText(failure: ToolFailure): string {
  const { code, ...rest } = failure
  return JSON.stringify({ error: code, ...rest })
}
