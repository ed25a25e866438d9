/**
 * The Nostr gateway (spec 9): NIP-01 on a port of its own. Aether events and genuine Nostr events come in and go out
 * here, each judged by the rules of its own protocol; whatever is taken goes out on every surface that may have it.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { type JsonObject, writeJson } from '@aetherkit/core'
import { openPort } from '../listener.js'
import type { Store } from '../store/store.js'
import type { Gateway, GatewayHost } from './gateway.js'
import { NostrSession } from './nostr-session.js'

export interface NostrOptions {
  /** Default: that of the relay. */
  readonly host?: string
  /** Default 0: a free one. */
  readonly port?: number
  /** Of genuine Nostr events, and of nothing else. Default: memory. The relay closes it, also when it cannot start. */
  readonly store?: Store
  /** Values of `Origin` that are let in. Default: as on the native port. */
  readonly origins?: readonly string[] | undefined
}

const NOSTR_JSON = 'application/nostr+json'

/** @throws the error of `listen`. */
export async function openNostrGateway(
  { bus, admission, sockets, tls, origins: byDefault }: GatewayHost,
  { host, port = 0, origins }: NostrOptions & { readonly host: string },
): Promise<Gateway & { readonly port: number }> {
  const { limits } = bus
  const sessions = new Set<NostrSession>()
  const listener = await openPort({ host, port, limits, admission, requestMs: limits.headersMs, tls })
  answerHttp(listener.http, () => bus.info())
  sockets.attach(listener.http, {
    surface: 'nostr',
    origins: () => origins ?? byDefault(),
    onConnection(connection) {
      const session = new NostrSession(bus, connection, (ended) => {
        sessions.delete(ended)
        bus.observe({ type: 'disconnected', peer: ended.peer, surface: 'nostr' })
      })
      connection.listener = session
      sessions.add(session)
      bus.observe({ type: 'connected', peer: session.peer, surface: 'nostr' })
    },
  })
  return {
    port: listener.port,
    stop: () => listener.stop(),
    farewell() {
      for (const session of sessions) session.farewell()
    },
    async close() {
      listener.http.closeAllConnections()
    },
  }
}

/** NIP-11: the info document, readable from any page. */
function answerHttp(http: Server, info: () => JsonObject): void {
  http.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const { method, headers } = request
    response.setHeader('access-control-allow-origin', '*')
    response.setHeader('access-control-allow-headers', '*')
    response.setHeader('access-control-allow-methods', 'GET, HEAD, OPTIONS')
    const asksInfo = headers.accept?.toLowerCase().includes(NOSTR_JSON) === true
    if (method === 'OPTIONS') response.writeHead(204).end()
    else if (asksInfo && (method === 'GET' || method === 'HEAD'))
      response.writeHead(200, { 'content-type': NOSTR_JSON }).end(writeJson(info()))
    else {
      const body =
        '{"error":"not_found","message":"this port speaks Nostr over WebSocket","code":"not_found"}'
      response.writeHead(404, { 'content-type': 'application/json', connection: 'close' }).end(body)
    }
  })
}
