/** One HTTP request and what every part of the endpoint reads of it. */
import type { ServerResponse } from 'node:http'
import { type Authenticate, callerOf } from './authenticate.js'
import type { ParsedRequest } from './body.js'
import type { CardAnswer, CardRequest } from './card/serve.js'
import type { Dispatch } from './dispatch.js'
import type { Caller } from './engine.js'
import type { DispatchOptions } from './jsonrpc.js'
import { DEFAULT_LIMITS } from './limits.js'
import { compact } from './read-message.js'
import { type RequestLine, type RequestTrace, traceRequest } from './request-log.js'
import { respond } from './respond.js'
import { type SseItem, writeSse } from './sse.js'
import { VERSION_HEADER } from './version.js'

export interface EndpointOptions extends DispatchOptions {
  readonly dispatch: Dispatch
  /** Undefined while the agent has no URL yet. */
  readonly serveCard: (request: CardRequest) => Promise<CardAnswer | undefined>
  readonly authenticate?: Authenticate
  /** `WWW-Authenticate` of a 401; `Bearer` unless given. */
  readonly challenge?: string
  readonly onRequest?: (line: RequestLine) => void
}

export interface Exchange {
  readonly request: ParsedRequest
  readonly response: ServerResponse
  /** Without a trailing slash: the base is empty. */
  readonly path: string
  readonly query: URLSearchParams
  readonly trace: RequestTrace
  /** The caller is gone. */
  readonly gone: AbortSignal
  /** The agent goes. */
  readonly shutdown: AbortSignal
  header(name: string): string | undefined
}

export function openExchange(
  request: ParsedRequest,
  response: ServerResponse,
  shutdown: AbortSignal,
  onRequest: EndpointOptions['onRequest'],
): Exchange {
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  // Not `new URL`: a path that starts with two slashes would be a host.
  const [path = '', ...query] = (request.url ?? '/').split('?')
  return {
    request,
    response,
    path: path.replace(/\/+$/, ''),
    query: new URLSearchParams(query.join('?')),
    trace: traceRequest(request, response, onRequest),
    gone: gone.signal,
    shutdown,
    header: (name) => {
      const value = request.headers[name]
      return Array.isArray(value) ? value.join(', ') : value
    },
  }
}

/** True when the method is one of these; else it has answered, 204 to OPTIONS and 405 to the rest. */
export function allow({ request, response }: Exchange, methods: readonly string[]): boolean {
  if (methods.includes(request.method ?? '')) return true
  const headers = { allow: [...methods, 'OPTIONS'].join(', ') }
  if (request.method === 'OPTIONS') respond(request, response, { status: 204, headers })
  else
    respond(request, response, {
      status: 405,
      headers,
      body: { error: { code: 405, status: 'UNIMPLEMENTED', message: 'Method not allowed', details: [] } },
    })
  return false
}

export async function sendStream(
  { request, response, trace, shutdown }: Exchange,
  items: AsyncIterable<SseItem>,
  headers: Readonly<Record<string, string>>,
  { limits = DEFAULT_LIMITS }: EndpointOptions,
): Promise<void> {
  request.resume()
  const { heartbeatMs, streamStallMs: stallMs } = limits
  const outcome = await writeSse(response, items, { heartbeatMs, stallMs, shutdown, headers })
  if (outcome === 'stalled') trace.observe({ outcome })
}

/** Undefined when the caller is nobody. */
export async function authenticated(
  { request, path, header, trace }: Exchange,
  tenant: string,
  { authenticate, onError }: EndpointOptions,
): Promise<Caller | undefined> {
  const { method = '' } = request
  const caller = await callerOf(authenticate, { method, path, tenant, header, request }, onError)
  if (caller !== undefined) trace.caller(caller)
  return caller
}

/** What both bindings read of the headers. */
export function carried(exchange: Exchange) {
  const { request, header } = exchange
  const lastEventId = header('last-event-id')
  const extensions = [header('a2a-extensions'), header('x-a2a-extensions')].filter(
    (text) => text !== undefined,
  )
  const peer = 'ip' in request && typeof request.ip === 'string' ? request.ip : request.socket.remoteAddress
  return {
    version: versionOf(exchange),
    extensions: extensions.length === 0 ? undefined : extensions.join(','),
    ...compact({
      peer,
      after: lastEventId !== undefined && /^\d{1,15}$/.test(lastEventId) ? Number(lastEventId) : undefined,
    }),
  }
}

/** The header, else the query. */
export function versionOf({ query, header }: Exchange): string | undefined {
  const named = header(VERSION_HEADER.toLowerCase())
  if (named !== undefined && named.trim() !== '') return named
  return query.get(VERSION_HEADER) ?? query.get(VERSION_HEADER.toLowerCase()) ?? undefined
}
