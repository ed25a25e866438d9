/** Errors of the client as errors for a model: relay texts do not pass, a peer's text passes in a labelled field. */
import { ClientError } from '@aetherkit/client'
import { ToolError, type ToolErrorCode } from './tool-error.js'
import { shortText } from './untrusted-text.js'

/** The failure to report for the client's own timeout. */
interface Late {
  readonly code: 'TIMEOUT' | 'PEER_TIMEOUT'
  readonly message: string
}

const relayLate: Late = { code: 'TIMEOUT', message: 'no relay answered in time' }

/**
 * Awaits a client call.
 * @throws ToolError for what a model can act on; everything else passes as it is, for `onBug`
 */
export async function fromClient<T>(call: Promise<T>, late: Late = relayLate): Promise<T> {
  try {
    return await call
  } catch (cause) {
    throw ClientError.is(cause) ? (toToolError(cause, late) ?? cause) : cause
  }
}

function toToolError(cause: ClientError, late: Late): ToolError | undefined {
  const failure = (code: ToolErrorCode, message: string, retryable = false) =>
    new ToolError({ code, message, retryable, cause })
  switch (cause.code) {
    case 'TIMEOUT':
      return failure(late.code, late.message, true)
    case 'DISCONNECTED':
      return failure('TIMEOUT', 'no relay is connected', true)
    case 'CLOSED':
      return failure('REJECTED', 'this agent has closed its connection')
    case 'TOO_LARGE':
      return failure('OVER_LIMIT', 'too large to be sent; send less')
    case 'QUEUE_FULL':
      return failure('OVER_LIMIT', 'too many messages are waiting to be sent', true)
    case 'REJECTED': {
      const codes = rejectCodes(cause)
      return failure('REJECTED', `no relay accepted it: ${codes.join(', ')}`, codes.includes('rate_limited'))
    }
    case 'PEER_ERROR': {
      const untrusted_text = shortText(`${cause.peerCode ?? ''} ${cause.message}`.trim(), 1_000)
      return new ToolError({
        code: 'REJECTED',
        message: 'the agent answered with an error',
        untrusted_text,
        cause,
      })
    }
    default:
      return undefined
  }
}

/** Codes of a closed table, so safe to show. */
function rejectCodes({ relays = {}, rejectCode }: ClientError): string[] {
  const codes = Object.values(relays).flatMap((verdict) => (verdict.ok ? [] : [verdict.code]))
  return [...new Set(rejectCode === undefined ? codes : [rejectCode, ...codes])]
}
