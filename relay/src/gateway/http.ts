/**
 * The HTTP gateway (spec 10): REST, event streams and `/v1/ws`, on Express. It translates at the edge: publishes go
 * through the pipeline of the relay, subscriptions are those of the one bus, and it stores nothing.
 */
import { reject } from '@aetherkit/core'
import type { AdminToken } from '../console/admin-token.js'
import { openConsole } from '../console/console.js'
import { authority, openPort, type PortListener } from '../listener.js'
import { answerPlainHttp } from '../plain-http.js'
import type { Gateway, GatewayHost } from './gateway.js'
import { sendReject } from './http-answer.js'
import { Feed } from './http-feed.js'
import { Health } from './http-health.js'
import { publishEvents } from './http-publish.js'
import { getEvent, getQuery, postQuery } from './http-query.js'
import { type HttpRoute, routesApp } from './http-routes.js'
import { ignoreUpgrade, serveRequests } from './http-server.js'
import { webSocketError } from './wording.js'

export interface HttpOptions {
  /** Default: the relay's. */
  readonly host?: string
  /** Default 0: a free one, see `Relay.http`. */
  readonly port?: number
  /** A port of its own for `/v1/ws`, which is on `port` too; 0 for a free one. Default: none. */
  readonly wsPort?: number
  /**
   * Values of `Origin` whose pages may read answers (CORS) and open WebSockets; `*` stands for all.
   * Default: no page of another origin may read answers, and WebSockets are let in as on the native port.
   */
  readonly origins?: readonly string[]
  /** The folder of the store's files, for `/readyz`. */
  readonly dataPath?: string
  /** Free bytes on its disk below which the relay is not ready; default 64 MiB. */
  readonly minFreeBytes?: number
  /**
   * Opens the console at `/`, and what is for the operator alone, to who shows it: 16 to 256 visible ASCII characters.
   * Default: no console, and what is for the operator is for this machine.
   */
  readonly adminToken?: string
  /** More routes, after the gateway's own. */
  readonly routes?: readonly HttpRoute[]
}

export interface HttpPorts {
  /** `http://host:port`. */
  readonly url: string
  readonly port: number
  readonly wsPort: number | undefined
  /** What is served: paths as Express has them. */
  readonly routes: readonly HttpRoute[]
}

const WS_PATH = '/v1/ws'
const MIN_FREE_BYTES = 64 * 1024 * 1024

/** @throws the error of `listen`; then nothing of it is open. */
export async function openHttpGateway(
  host: GatewayHost,
  options: Omit<HttpOptions, 'origins' | 'adminToken'> & {
    readonly host: string
    readonly admin: AdminToken
    /** As in {@link HttpOptions}; may change. */
    origins(): readonly string[] | undefined
  },
): Promise<Gateway & { readonly ports: HttpPorts }> {
  const { bus, admission, sockets } = host
  const { limits } = bus
  let draining = false
  const isDraining = () => draining
  const feed = new Feed(bus)
  const { dataPath, minFreeBytes = MIN_FREE_BYTES } = options
  const origins = () => options.origins() ?? []
  const health = new Health({ host, feed, dataPath, minFreeBytes, isDraining })
  const console = openConsole({ host, streams: feed, admin: options.admin })
  const routes = [...ownRoutes(host, feed, health), ...console.routes, ...(options.routes ?? [])]

  const common = { host: options.host, limits, admission, tls: host.tls }
  const main = await openPort({ ...common, port: options.port ?? 0, requestMs: limits.bodyMs })
  const listeners: PortListener[] = [main]
  serveRequests(main.http, routesApp({ host, routes, admin: options.admin, origins, isDraining }), limits)
  if (options.wsPort !== undefined) {
    try {
      const own = await openPort({ ...common, port: options.wsPort, requestMs: limits.headersMs })
      listeners.push(own)
      answerPlainHttp(own.http, () => bus.info())
    } catch (error) {
      main.stop()
      throw error
    }
  }
  const wsOrigins = () => (origins().includes('*') ? undefined : (options.origins() ?? host.origins()))
  for (const { http } of listeners) {
    sockets.attach(http, {
      other: (request, socket, head) => ignoreUpgrade(http, request, socket, head),
      ...{ surface: 'ws', path: WS_PATH, protocols: ['aether.v2'], origins: wsOrigins },
      onConnection: (connection) => host.serveNative(connection, webSocketError),
    })
  }
  return {
    ports: {
      url: `${host.tls === undefined ? 'http' : 'https'}://${authority(main)}`,
      ...{ port: main.port, wsPort: listeners[1]?.port, routes },
    },
    *open() {
      yield* feed
      yield* console.open
    },
    stop() {
      draining = true
      for (const listener of listeners) listener.stop()
    },
    farewell() {
      feed.farewell()
      console.close()
    },
    async close(graceMs) {
      await Promise.all(listeners.map((listener) => closed(listener, graceMs)))
    },
  }
}

function ownRoutes(host: GatewayHost, feed: Feed, health: Health): readonly HttpRoute[] {
  const { bus } = host
  return [
    { path: '/healthz', methods: { GET: (exchange) => health.healthz(exchange) } },
    { path: '/readyz', methods: { GET: (exchange) => health.readyz(exchange) } },
    { path: '/v1/info', methods: { GET: (exchange) => health.info(exchange) } },
    { path: '/v1/events', methods: { POST: (exchange) => publishEvents(bus, exchange) } },
    { path: '/v1/events/:id', methods: { GET: (exchange) => getEvent(bus, exchange) } },
    {
      path: '/v1/query',
      methods: { GET: (exchange) => getQuery(bus, exchange), POST: (exchange) => postQuery(bus, exchange) },
    },
    { path: '/v1/subscriptions', methods: { POST: (exchange) => feed.post(exchange) } },
    { path: '/v1/subscriptions/:id', methods: { DELETE: (exchange) => feed.delete(exchange) } },
    { path: '/v1/stream', methods: { GET: (exchange) => feed.stream(exchange) } },
    {
      path: WS_PATH,
      methods: {
        GET({ response }) {
          response.setHeader('upgrade', 'websocket')
          const refusal = reject('unsupported', undefined, 'this route speaks WebSocket')
          sendReject(response, refusal, { status: 426 })
        },
      },
    },
  ]
}

/** Resolves when nothing is open any more; what is not answered in time is cut. */
async function closed({ http, stop }: PortListener, graceMs: number): Promise<void> {
  stop()
  const gone = new Promise<void>((resolve) => {
    if (!http.listening) http.getConnections((_error, count) => (count === 0 ? resolve() : undefined))
    http.once('close', resolve)
  })
  const force = setTimeout(() => http.closeAllConnections(), graceMs)
  await gone
  clearTimeout(force)
}
