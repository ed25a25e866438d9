/** JSON-RPC over HTTP (spec a2a 2.10): always 200, but for 401, 413 and 429, and for what an extension answers. */
import { ANONYMOUS } from './authenticate.js'
import { readBody } from './body.js'
import type { DispatchReply } from './dispatch.js'
import { authenticated, carried, type EndpointOptions, type Exchange, sendStream } from './exchange.js'
import { decodeText } from './json-text.js'
import { DEFAULT_LIMITS } from './limits.js'
import { respond } from './respond.js'
import type { SseItem } from './sse.js'
import { errorHeaders, errorObject, rpcStatus, toA2AError } from './wire-error.js'

export async function answerRpcOverHttp(
  exchange: Exchange,
  tenant: string,
  options: EndpointOptions,
): Promise<void> {
  const { request, response } = exchange
  const reply = await replyTo(exchange, tenant, options)
  if (reply === undefined) return
  if (reply.kind === 'stream') {
    const items = itemsOf(reply.events, reply.numbered === true)
    return sendStream(exchange, items, reply.headers, options)
  }
  const { status, envelope, headers } = reply
  const challenge = status === 401 ? { 'www-authenticate': options.challenge ?? 'Bearer' } : {}
  respond(request, response, { status, headers: { ...headers, ...challenge }, body: envelope })
}

/** Undefined when the caller left. */
async function replyTo(
  exchange: Exchange,
  tenant: string,
  options: EndpointOptions,
): Promise<DispatchReply | undefined> {
  const { limits = DEFAULT_LIMITS, onError, dispatch } = options
  const { request, trace, header, gone: signal } = exchange
  try {
    const body = await readBody(request, limits.bodyBytes)
    if (body === undefined) return undefined
    const caller = await authenticated(exchange, tenant, options)
    return await dispatch({
      ...carried(exchange),
      body: typeof body === 'string' ? body : decodeText(body),
      caller: caller ?? ANONYMOUS,
      tenant,
      header,
      signal,
      carrier: 'jsonrpc',
      observe: trace.observe,
      // A signed call is let in: it says itself who it is from.
      ...(caller === undefined && { unauthenticated: true }),
    })
  } catch (error) {
    const known = toA2AError(error, onError)
    trace.observe({ outcome: known.code })
    const envelope = { jsonrpc: '2.0', id: null, error: errorObject(known) }
    return { kind: 'single', status: rpcStatus(known), envelope, headers: errorHeaders(known) }
  }
}

async function* itemsOf(
  events: (DispatchReply & { kind: 'stream' })['events'],
  numbered: boolean,
): AsyncGenerator<SseItem> {
  for await (const { seq, envelope } of events) {
    const error = envelope.error !== undefined
    yield { data: JSON.stringify(envelope), error, ...(numbered && !error && { id: seq }) }
  }
}
