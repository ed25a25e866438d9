/**
 * HTTP to an agent: through the guard, with credentials and service parameters (spec a2a 2.3, 7.1), and every failure
 * as an AgentError.
 */
import { GuardError, readCapped } from '../guard.js'
import type { OperationName } from '../operations.js'
import { AgentError, invalidAnswer } from './errors.js'
import { type Head, readHttpError } from './read-error.js'

export type Fetch = (input: string, init?: RequestInit) => Promise<Response>

/** Why credentials are asked for. */
export interface AuthRequest {
  /** Those of before were refused; once a call. */
  readonly isRetry: boolean
  /** `WWW-Authenticate` of the refusal. */
  readonly challenge: string | undefined
}

/** Headers that say who calls. They go to the agent's interface alone, never along with a card request. */
export type Auth =
  | { readonly bearer: string | ((request: AuthRequest) => string | Promise<string>) }
  | {
      readonly headers:
        | Readonly<Record<string, string>>
        | ((
            request: AuthRequest,
          ) => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>)
    }

export interface HttpLinkOptions {
  readonly fetch: Fetch
  readonly auth: Auth | undefined
  readonly maxBytes: number
}

export interface HttpCall {
  readonly url: string
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal: AbortSignal
  readonly operation?: OperationName
}

export interface HttpLink {
  /** The answer of a call that was taken. @throws AgentError */
  open(call: HttpCall): Promise<Response>
  /** Its JSON; undefined for an empty body. @throws AgentError */
  json(call: HttpCall): Promise<unknown>
  readonly maxBytes: number
}

export function createHttpLink({ fetch, auth, maxBytes }: HttpLinkOptions): HttpLink {
  const ask = async (call: HttpCall, request: AuthRequest): Promise<Response> => {
    const { url, method, headers, body, signal } = call
    const all = { ...headers, ...(await credentials(auth, request)) }
    try {
      return await fetch(url, { method, headers: all, signal, ...(body !== undefined && { body }) })
    } catch (error) {
      signal.throwIfAborted()
      throw fetchError(error)
    }
  }
  const open = async (call: HttpCall): Promise<Response> => {
    let response = await ask(call, { isRetry: false, challenge: undefined })
    if (response.status === 401 && isRenewable(auth)) {
      await response.body?.cancel().catch(() => {})
      const challenge = response.headers.get('www-authenticate') ?? undefined
      response = await ask(call, { isRetry: true, challenge })
    }
    if (response.ok) return response
    const body = await readJson(response, maxBytes, call.signal).catch(() => undefined)
    call.signal.throwIfAborted()
    throw readHttpError(body, headOf(response), call.operation)
  }
  return {
    open,
    maxBytes,
    json: async (call) => readJson(await open(call), maxBytes, call.signal),
  }
}

export const headOf = ({ status, headers }: Response): Head => ({
  status,
  header: (name) => headers.get(name) ?? undefined,
})

/** What fetch rejected with; refusals of the guard under a code of their own. */
export function fetchError(error: unknown): unknown {
  for (
    let cause: unknown = error, depth = 0;
    cause instanceof Error && depth < 4;
    cause = cause.cause, depth += 1
  ) {
    if (GuardError.is(cause)) return guardError(cause)
    if (AgentError.is(cause)) return cause
  }
  // What a paying fetch, or who approves there, threw is no failure of the way.
  if (!isOfNetwork(error)) return error
  const isUnsent = UNSENT.includes(String(codeOf(error)))
  return new AgentError('UNREACHABLE', 'the agent cannot be reached', { isUnsent, cause: error })
}

function guardError(cause: GuardError): AgentError {
  if (cause.code === 'TOO_LARGE') return invalidAnswer(cause.message)
  return new AgentError('URL_REFUSED', cause.message, { isUnsent: cause.code !== 'REDIRECT_REFUSED', cause })
}

/** Failures before a byte of the request was written. */
const UNSENT = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]

function isOfNetwork(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const hasCode = 'code' in error && /^(E[A-Z_]+|UND_\w+)$/.test(String(error.code))
  return (
    error instanceof TypeError || error instanceof DOMException || error instanceof AggregateError || hasCode
  )
}

function codeOf(error: unknown): unknown {
  if (!(error instanceof Error)) return undefined
  if (error instanceof AggregateError) return codeOf(error.errors[0])
  return 'code' in error ? error.code : codeOf(error.cause)
}

async function readJson(response: Response, maxBytes: number, signal: AbortSignal): Promise<unknown> {
  let bytes: Uint8Array
  try {
    bytes = await readCapped(response, maxBytes)
  } catch (error) {
    signal.throwIfAborted()
    if (GuardError.is(error)) throw invalidAnswer(error.message, response.status)
    throw fetchError(error)
  }
  if (bytes.length === 0) return undefined
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as unknown
  } catch {
    throw invalidAnswer(`HTTP ${response.status} without JSON`, response.status)
  }
}

const isRenewable = (auth: Auth | undefined): boolean =>
  auth !== undefined && typeof ('bearer' in auth ? auth.bearer : auth.headers) === 'function'

export async function credentials(
  auth: Auth | undefined,
  request: AuthRequest,
): Promise<Readonly<Record<string, string>>> {
  if (auth === undefined) return {}
  if ('headers' in auth) return typeof auth.headers === 'function' ? auth.headers(request) : auth.headers
  const token = typeof auth.bearer === 'function' ? await auth.bearer(request) : auth.bearer
  return { authorization: `Bearer ${token}` }
}
