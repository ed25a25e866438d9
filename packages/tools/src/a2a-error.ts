/** Errors of calling an agent as errors for a model: what the agent wrote passes in a labelled field alone. */
import { AgentError, type AgentErrorCode } from '@aetherkit/a2a/client'
import { ToolError, type ToolErrorCode } from './tool-error.js'
import { shortText } from './untrusted-text.js'

interface Known {
  readonly code: ToolErrorCode
  readonly message: string
  readonly retryable?: boolean
}

const KNOWN: Partial<Record<AgentErrorCode, Known>> = {
  TIMEOUT: { code: 'PEER_TIMEOUT', message: 'the agent did not answer in time', retryable: true },
  UNREACHABLE: { code: 'PEER_TIMEOUT', message: 'the agent could not be reached', retryable: true },
  RATE_LIMITED: { code: 'REJECTED', message: 'the agent takes no more calls for now', retryable: true },
  UNAUTHENTICATED: { code: 'REJECTED', message: 'the agent does not know this application; do not retry' },
  FORBIDDEN: { code: 'REJECTED', message: 'the agent does not serve this application; do not retry' },
  PAYMENT_REQUIRED: {
    code: 'PAYMENT_FAILED',
    message: 'the agent asks for money and this application does not pay it; do not retry',
  },
  TASK_NOT_FOUND: {
    code: 'NOT_FOUND',
    message: 'the agent has forgotten this conversation; call again and say everything it must know',
    retryable: true,
  },
  TOO_LARGE: { code: 'OVER_LIMIT', message: 'the message is too large for the agent; send less' },
  URL_REFUSED: { code: 'INVALID_ADDRESS', message: 'the address of the agent was refused' },
  CLOSED: { code: 'REJECTED', message: 'this application has closed its connection to the agent' },
}

/** ToolError for what a model can act on; everything else as it is, for `onBug`. */
export function fromAgent(cause: unknown): unknown {
  if (!AgentError.is(cause)) return cause
  const known = KNOWN[cause.code] ?? { code: 'REJECTED' as const, message: 'the agent refused the call' }
  const told = cause.source === 'agent' ? { untrusted_text: shortText(cause.message, 1_000) } : {}
  return new ToolError({ ...known, ...told, cause })
}
