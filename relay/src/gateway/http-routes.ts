/**
 * The routes of the HTTP gateway as a table, and Express around it (spec 10.1, 10.2): HEAD where GET is, OPTIONS
 * everywhere, 405 with `Allow`, CORS by allow-list, limits per address, and errors that say nothing of our insides.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { reject } from '@aetherkit/core'
import express, { type Express, type NextFunction, type Request, type Response } from 'express'
import { addressOf } from '../admission.js'
import type { AdminToken } from '../console/admin-token.js'
import { lacksHost } from '../listener.js'
import type { Peer } from '../policy.js'
import type { GatewayHost } from './gateway.js'
import { Refused, rejectOf, sendJson, sendReject } from './http-answer.js'
import { HttpAuth, type Proven } from './http-auth.js'
import { assertOperator } from './http-operator.js'

/** One request and its answer. `peer`: who asks, one for each TCP connection, with the key that this request proves. */
export interface Exchange extends Proven {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The query string. */
  readonly search: URLSearchParams
  /** The parts of the path that its pattern names, decoded. */
  readonly parameters: Readonly<Record<string, string>>
}

export type Method = 'GET' | 'POST' | 'DELETE'
/** A rejection becomes a 500 that says `internal`, and a fault for the observer. */
export type Handler = (exchange: Exchange) => void | Promise<void>

export interface HttpRoute {
  /** As Express has it: `/v1/events/:id`. */
  readonly path: string
  readonly methods: Readonly<Partial<Record<Method, Handler>>>
  /** For the operator alone, see `http-operator.ts`; default: for everybody. */
  readonly operatorOnly?: boolean
}

export interface RoutesOptions {
  readonly host: GatewayHost
  readonly routes: readonly HttpRoute[]
  readonly admin: AdminToken
  /** Values of `Origin` whose pages may read answers; `*` stands for all. */
  origins(): readonly string[]
  isDraining(): boolean
}

const ALLOWED_HEADERS = 'accept, authorization, content-type, last-event-id'
const EXPOSED_HEADERS = 'allow, retry-after, www-authenticate'
const PREFLIGHT_SECONDS = 600

export function routesApp(options: RoutesOptions): Express {
  const { routes, host, admin } = options
  const { urls } = host.bus
  const auth = new HttpAuth(host.bus)
  const app = express()
  app.disable('x-powered-by').disable('etag').enable('strict routing').enable('case sensitive routing')
  app.set('query parser', false)
  app.use((request, response, next) => guard(request, response, next, options))
  for (const { path, methods, operatorOnly = false } of routes) {
    const route = app.route(path)
    const run = (handler: Handler) => async (request: Request, response: Response) => {
      if (operatorOnly) assertOperator({ request, response }, { admin, urls })
      const proven = await auth.prove(request, peerOf(request, host))
      await handler(exchangeOf(request, response, proven))
    }
    if (methods.GET !== undefined) route.get(run(methods.GET))
    if (methods.POST !== undefined) route.post(run(methods.POST))
    if (methods.DELETE !== undefined) route.delete(run(methods.DELETE))
    const allow = allowed(methods)
    route.options((request, response) => preflight(request, response, allow))
    route.all((_request, response) => {
      response.setHeader('allow', allow)
      sendReject(response, reject('method_not_allowed'))
    })
  }
  app.use((request: Request, response: Response) => {
    if (request.method === 'OPTIONS' && request.url === '*')
      preflight(request, response, 'GET, HEAD, OPTIONS, POST, DELETE')
    else sendReject(response, reject('not_found'))
  })
  // Express tells an error handler by its four parameters.
  app.use((error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    fail(error, response, host)
  })
  return app
}

/** Whether the client names this media type in `Accept`. */
export function wants({ headers }: IncomingMessage, type: string): boolean {
  return (headers.accept ?? '')
    .toLowerCase()
    .split(',')
    .some((range) => range.split(';')[0]?.trim() === type)
}

/** The features a client lists in `?features=a,b` (spec, words). */
export function featuresOf(search: URLSearchParams): ReadonlySet<string> {
  return new Set(search.getAll('features').flatMap((text) => text.split(',')))
}

function exchangeOf(request: Request, response: Response, proven: Proven): Exchange {
  const parameters: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.params)) parameters[name] = String(value)
  return { request, response, parameters, search: searchOf(request), ...proven }
}

function searchOf({ url = '' }: IncomingMessage): URLSearchParams {
  const start = url.indexOf('?')
  return new URLSearchParams(start === -1 ? '' : url.slice(start + 1))
}

const PEERS = new WeakMap<object, Peer>()

function peerOf({ socket }: IncomingMessage, { sockets }: GatewayHost): Peer {
  const known = PEERS.get(socket)
  if (known !== undefined) return known
  const peer = { id: sockets.nextId(), address: addressOf(socket) }
  PEERS.set(socket, peer)
  return peer
}

/** What holds for every request, before anything of it is read. */
function guard(request: Request, response: Response, next: NextFunction, options: RoutesOptions): void {
  const { bus, admission } = options.host
  allowOrigin(request, response, options.origins())
  if (options.isDraining()) response.setHeader('connection', 'close')
  // HTTP/0.9 has no headers, so nothing of what is said here holds for it.
  if (request.httpVersionMajor === 0 || lacksHost(request)) {
    response.setHeader('connection', 'close')
    sendReject(response, reject('invalid_message', 'bad request line'))
    return
  }
  if (request.rawHeaders.length > 2 * bus.limits.maxHeaders) {
    response.setHeader('connection', 'close')
    sendReject(response, reject('too_large', undefined, `at most ${bus.limits.maxHeaders} headers`), {
      status: 431,
    })
    return
  }
  const wait = admission.request(addressOf(request.socket))
  if (wait === undefined) next()
  else sendReject(response, { ...reject('rate_limited'), retryAfterMs: wait })
}

function allowOrigin({ headers }: Request, response: Response, origins: readonly string[]): void {
  response.setHeader('vary', 'origin')
  const { origin } = headers
  if (origin === undefined || !(origins.includes(origin) || origins.includes('*'))) return
  response.setHeader('access-control-allow-origin', origin)
  response.setHeader('access-control-expose-headers', EXPOSED_HEADERS)
}

function preflight({ headers }: Request, response: Response, allow: string): void {
  response.setHeader('allow', allow)
  const isAllowed = response.hasHeader('access-control-allow-origin')
  if (isAllowed && headers['access-control-request-method'] !== undefined) {
    response.setHeader('access-control-allow-methods', allow)
    response.setHeader('access-control-allow-headers', ALLOWED_HEADERS)
    response.setHeader('access-control-max-age', PREFLIGHT_SECONDS)
  }
  response.statusCode = 204
  response.end()
}

function allowed(methods: HttpRoute['methods']): string {
  const names = Object.keys(methods)
  return [...names, ...('GET' in methods ? ['HEAD'] : []), 'OPTIONS'].join(', ')
}

function fail(error: unknown, response: Response, host: GatewayHost): void {
  const { bus } = host
  // A path whose percent signs cannot be decoded: the router throws it with its status.
  const isBadPath = error instanceof URIError
  const refusal = isBadPath ? reject('invalid_message', 'bad request line') : rejectOf(error)
  if (refusal.code === 'internal' || refusal.code === 'unavailable') bus.observe({ type: 'fault', error })
  else bus.observe({ type: 'rejected', peer: peerOf(response.req, host), code: refusal.code })
  if (response.headersSent) response.destroy()
  else if (refusal.code === 'internal')
    sendJson(response, 500, { error: 'internal', message: 'internal error', code: 'internal' })
  else sendReject(response, refusal, { status: error instanceof Refused ? error.status : undefined })
}
