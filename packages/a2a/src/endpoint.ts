/**
 * The agent over HTTP (spec a2a 1, layer 1): a listener for node:http, and for Express as `(request, response, next)`.
 * Paths are below the agent's base: the base itself is JSON-RPC, below it are REST and the card.
 */
import type { ServerResponse } from 'node:http'
import type { ParsedRequest } from './body.js'
import { CARD_PATHS } from './card/serve.js'
import { A2AError } from './errors.js'
import { allow, type EndpointOptions, type Exchange, openExchange, versionOf } from './exchange.js'
import { answerRestOverHttp } from './http-rest.js'
import { answerRpcOverHttp } from './http-rpc.js'
import { respond } from './respond.js'
import { restError, toA2AError } from './wire-error.js'

export type Listener = (
  request: ParsedRequest,
  response: ServerResponse,
  next?: (error?: unknown) => void,
) => void

export interface Endpoint {
  readonly listener: Listener
  /** Ends all streams; their readers subscribe again elsewhere. */
  close(): void
}

export function createEndpoint(options: EndpointOptions): Endpoint {
  const shutdown = new AbortController()
  const listener: Listener = (request, response, next) => {
    const exchange = openExchange(request, response, shutdown.signal, options.onRequest)
    answer(exchange, options, next).catch((error) => {
      const body = restError(toA2AError(error, options.onError))
      respond(request, response, { status: 500, body })
    })
  }
  return { listener, close: () => shutdown.abort() }
}

async function answer(
  exchange: Exchange,
  options: EndpointOptions,
  next: ((error?: unknown) => void) | undefined,
): Promise<void> {
  const { request, response, path, trace } = exchange
  if (CARD_PATHS.includes(path)) {
    if (allow(exchange, ['GET', 'HEAD'])) await sendCard(exchange, options)
    return
  }
  const tenant = path === '' ? '' : rpcTenant(path, options)
  if (tenant !== undefined) {
    // At the root of an application, what is not a call belongs to the application.
    if (request.method !== 'POST' && next !== undefined && !isMounted(request)) next()
    else if (allow(exchange, ['POST'])) await answerRpcOverHttp(exchange, tenant, options)
    return
  }
  if (await answerRestOverHttp(exchange, options)) return
  if (next !== undefined) return next()
  trace.observe({ outcome: 'METHOD_NOT_FOUND' })
  respond(request, response, {
    status: 404,
    body: restError(new A2AError('METHOD_NOT_FOUND', 'No such path')),
  })
}

/** A tenant's own JSON-RPC address, when it is no path of REST. */
function rpcTenant(path: string, { tenants }: EndpointOptions): string | undefined {
  const [, tenant] = /^\/([^/:%]+)$/.exec(path) ?? []
  return tenant !== undefined && tenants?.has(tenant) === true ? tenant : undefined
}

const isMounted = (request: ParsedRequest): boolean =>
  'baseUrl' in request && typeof request.baseUrl === 'string' && request.baseUrl !== ''

async function sendCard(exchange: Exchange, options: EndpointOptions): Promise<void> {
  const { request, response, trace } = exchange
  const answer = await options.serveCard({
    version: versionOf(exchange),
    ifNoneMatch: exchange.header('if-none-match'),
    ifModifiedSince: exchange.header('if-modified-since'),
  })
  trace.observe({ method: 'GetAgentCard', outcome: answer === undefined ? 'UNAVAILABLE' : 'ok' })
  if (answer === undefined) {
    const error = { code: 503, status: 'UNAVAILABLE', message: 'The agent has no URL yet', details: [] }
    respond(request, response, { status: 503, body: { error } })
    return
  }
  response.writeHead(answer.status, { ...answer.headers })
  response.end(request.method === 'HEAD' ? undefined : answer.body)
}
