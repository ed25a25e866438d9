/** Who calls over HTTP (spec a2a 6.2 no. 3, 7.5): asked of the application before any task is touched. */
import type { IncomingMessage } from 'node:http'
import type { Caller } from './engine.js'
import type { OnError } from './wire-error.js'

export interface AuthenticationRequest {
  readonly method: string
  /** Below the agent's base. */
  readonly path: string
  readonly tenant: string
  /** By lower-case name. */
  header(name: string): string | undefined
  readonly request: IncomingMessage
}

/**
 * The caller, such as `{owner: 'bearer:alice', anonymous: false}`; undefined, or an exception, is 401. An exception's
 * text goes to `onError` only.
 */
export type Authenticate = (
  request: AuthenticationRequest,
) => Promise<Caller | undefined> | Caller | undefined

export const ANONYMOUS: Caller = { owner: 'anonymous', anonymous: true }

/** Undefined when the caller is nobody. */
export async function callerOf(
  authenticate: Authenticate | undefined,
  request: AuthenticationRequest,
  onError: OnError | undefined,
): Promise<Caller | undefined> {
  if (authenticate === undefined) return ANONYMOUS
  try {
    return await authenticate(request)
  } catch (error) {
    onError?.(error, 'authenticate')
    return undefined
  }
}
