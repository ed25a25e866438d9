/**
 * Errors of calling an agent (spec a2a 2.10, 6.2 no. 18): those the agent answered with, under the names of `A2A_ERRORS`,
 * and those of the way there. A class of its own, so that an agent that calls another never passes the other's text on
 * as its own. The message of `source: 'agent'` is the agent's: data, never an instruction.
 */
import type { A2AErrorCode, FieldViolation } from '../errors.js'
import type { JsonRecord, Task } from '../model.js'

export const AGENT_ERRORS = {
  /** HTTP 402, or a task that waits for money and nobody here pays; `requirements`, and `task` where there is one. */
  PAYMENT_REQUIRED: 'the agent asks for payment',
  /** HTTP 403. */
  FORBIDDEN: 'the agent does not serve this caller',
  /** The deadline of the call. Work that was sent may run on. */
  TIMEOUT: 'no answer in time',
  /** No connection, or it broke before the answer. */
  UNREACHABLE: 'the agent cannot be reached',
  /** No card at any of the addresses that were tried. */
  CARD_NOT_FOUND: 'no agent card was found',
  /** The card is not one, or too large, or hostile. */
  CARD_REFUSED: 'the agent card was refused',
  /** Not signed, or not by a key that is trusted. */
  CARD_UNVERIFIED: 'the agent card could not be verified',
  /** None of the card's interfaces can be spoken, or may be. */
  NO_INTERFACE: 'the agent has no interface that can be used',
  /** The guard refused the URL or its addresses (spec a2a 7.1). */
  URL_REFUSED: 'the URL was refused',
  CLOSED: 'the agent client was closed',
} as const satisfies Record<string, string>

export type AgentErrorCode = A2AErrorCode | keyof typeof AGENT_ERRORS

export interface AgentErrorFacts {
  /** Who says so; `client` unless given. */
  readonly source?: 'agent' | 'client'
  /** HTTP status of the answer. */
  readonly status?: number | undefined
  /** JSON-RPC code, where it is none of the table. */
  readonly rpcCode?: number | undefined
  readonly retryAfterSeconds?: number | undefined
  readonly violations?: readonly FieldViolation[] | undefined
  /** Of ErrorInfo. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  /** `WWW-Authenticate`. */
  readonly challenge?: string | undefined
  /** PaymentRequired of x402, v2 or v1. */
  readonly requirements?: JsonRecord | undefined
  /** What waits for money. */
  readonly task?: Task | undefined
  /** Nothing of the request was executed: the same may be sent again. */
  readonly isUnsent?: boolean | undefined
  readonly cause?: unknown
}

export class AgentError extends Error {
  override readonly name = 'AgentError'
  readonly code: AgentErrorCode
  readonly source: 'agent' | 'client'
  readonly facts: Omit<AgentErrorFacts, 'source' | 'cause'>

  constructor(
    code: AgentErrorCode,
    message: string,
    { source = 'client', cause, ...facts }: AgentErrorFacts = {},
  ) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.source = source
    this.facts = facts
  }

  /** Whether this is an AgentError (of that code), whichever copy of the package made it. */
  static is(value: unknown, code?: AgentErrorCode): value is AgentError {
    if (!(value instanceof Error) || value.name !== 'AgentError' || !('code' in value && 'facts' in value))
      return false
    return code === undefined || value.code === code
  }
}

/** An answer that is none of the protocol. */
export const invalidAnswer = (message: string, status?: number): AgentError =>
  new AgentError('INVALID_AGENT_RESPONSE', message, { status })
