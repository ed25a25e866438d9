/** HTTP+JSON over HTTP: finds the route, reads the body, writes the answer (spec a2a 2.1, 2.10). */
import { readBody } from './body.js'
import { A2AError } from './errors.js'
import { allow, authenticated, carried, type EndpointOptions, type Exchange, sendStream } from './exchange.js'
import { parseBody } from './json-text.js'
import { DEFAULT_LIMITS } from './limits.js'
import type { Json } from './model.js'
import type { OperationName } from './operations.js'
import { respond } from './respond.js'
import { answerRest, type RestReply, restRefusal } from './rest.js'
import { findRoute, type Route, type Verb } from './rest-routes.js'

/** False when the path is none of ours. */
export async function answerRestOverHttp(exchange: Exchange, options: EndpointOptions): Promise<boolean> {
  const { request, response, trace } = exchange
  let route: Route | undefined
  let reply: RestReply | undefined
  try {
    route = findRoute(exchange.path, options.tenants)
    if (route === undefined) return false
    const operation = operationOf(exchange, route)
    if (operation === undefined) {
      allow(exchange, Object.keys(route.verbs))
      return true
    }
    reply = await replyTo(exchange, route, operation, options)
  } catch (error) {
    reply = restRefusal(error, route?.version ?? '1.0', trace.observe, options.onError)
  }
  if (reply?.kind === 'stream') await sendStream(exchange, reply.items, reply.headers, options)
  else if (reply !== undefined) {
    const { status, headers, body } = reply
    const challenge = status === 401 ? { 'www-authenticate': options.challenge ?? 'Bearer' } : {}
    const type = route?.version === '0.3' ? 'application/json' : 'application/a2a+json'
    respond(request, response, { status, headers: { ...headers, ...challenge }, body, type })
  }
  return true
}

/** HEAD is GET without a body; a stream has nothing but its body. */
function operationOf({ request }: Exchange, { verbs }: Route): OperationName | undefined {
  if (request.method !== 'HEAD') return verbs[request.method as Verb]
  return verbs.GET === 'SubscribeToTask' ? undefined : verbs.GET
}

/** Undefined when the caller left. */
async function replyTo(
  exchange: Exchange,
  route: Route,
  operation: OperationName,
  options: EndpointOptions,
): Promise<RestReply | undefined> {
  const { request, query, header, gone: signal, trace } = exchange
  const caller = await authenticated(exchange, route.tenant, options)
  if (caller === undefined) throw new A2AError('UNAUTHENTICATED')
  let body: Json = {}
  if (request.method === 'POST') {
    const { limits = DEFAULT_LIMITS } = options
    const read = await readBody(request, limits.bodyBytes)
    if (read === undefined) return undefined
    // Cancel and subscribe need no body.
    if (read.length > 0) body = parseBody(read)
  }
  const { observe } = trace
  const call = { ...carried(exchange), route, operation, query, body, caller, header, signal, observe }
  return answerRest(call, options)
}
