/**
 * JSON-RPC over HTTP and websocket, bound to 127.0.0.1 alone. Both are served on the port and on the port above it:
 * web3.js opens its websocket there, every other client on the same port (spec solana 10.1).
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { DevnetError } from './errors.js'
import { answer, type RpcContext, type RpcMethods } from './rpc.js'
import { createSubscriptions } from './subscriptions.js'

export const HOST = '127.0.0.1'
const MAX_BODY = 1 << 20
/** Longer than any client keeps an idle connection, so that none is closed under a request. */
const KEEP_ALIVE_MS = 120_000
const PORT_TRIES = 50

export interface RpcServer {
  readonly port: number
  close(): Promise<void>
}

/** Port 0 takes any port whose neighbour above is free too. @throws DevnetError `port_in_use` */
export async function startServer(
  port: number,
  methods: RpcMethods,
  context: RpcContext,
): Promise<RpcServer> {
  const subscriptions = createSubscriptions(context.chain)
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_BODY })
  sockets.on('connection', (socket: WebSocket) => {
    const peer = { send: (text: string) => socket.send(text) }
    socket.on('message', (data) => subscriptions.receive(peer, String(data)))
    socket.on('close', () => subscriptions.forget(peer))
    socket.on('error', () => socket.terminate())
  })
  const create = (): Server => {
    const server = createServer((request, response) => void serve(request, response, methods, context))
    server.keepAliveTimeout = KEEP_ALIVE_MS
    server.on('upgrade', (request, socket, head) => {
      sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened, request))
    })
    return server
  }
  const servers = await listenPair(port, create)
  return {
    port: portOf(servers[0]),
    async close() {
      subscriptions.close()
      for (const socket of sockets.clients) socket.terminate()
      await Promise.all(servers.map(closeServer))
    },
  }
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  methods: RpcMethods,
  context: RpcContext,
): Promise<void> {
  response.setHeader('access-control-allow-origin', '*')
  if (request.method === 'OPTIONS') {
    response.setHeader('access-control-allow-methods', 'POST, GET, OPTIONS')
    // `*` does not cover every header in every browser: name what was asked for
    response.setHeader(
      'access-control-allow-headers',
      request.headers['access-control-request-headers'] ?? '*',
    )
    response.setHeader('access-control-max-age', '86400')
    response.writeHead(204).end()
    return
  }
  if (request.method === 'GET' && request.url === '/health') {
    response.setHeader('content-type', 'text/plain')
    response.end('ok')
    return
  }
  if (request.method !== 'POST') {
    response
      .writeHead(405, { allow: 'POST, OPTIONS' })
      .end('Used HTTP Method is not allowed. POST or OPTIONS is required')
    return
  }
  try {
    const body = await readBody(request)
    if (body === undefined) {
      response.writeHead(413, { connection: 'close' }).end('request body too large')
      return
    }
    const text = await answer(body, methods, context)
    response.setHeader('content-type', 'application/json; charset=utf-8')
    response.end(text ?? '')
  } catch {
    // the client went away while it was sending
    response.destroy()
  }
}

/** Undefined when it is too large. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request) {
    length += chunk.length
    if (length > MAX_BODY) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

async function listenPair(port: number, create: () => Server): Promise<readonly [Server, Server]> {
  for (let left = port === 0 ? PORT_TRIES : 1; left > 0; left--) {
    const first = await listen(create(), port)
    const next = first && portOf(first) + 1
    const second = next === undefined || next > 65_535 ? undefined : await listen(create(), next)
    if (first !== undefined && second !== undefined) return [first, second]
    if (first !== undefined) await closeServer(first)
  }
  const ports = port === 0 ? 'two ports in a row' : `ports ${port} and ${port + 1}`
  throw new DevnetError('port_in_use', `${ports} on ${HOST} must be free, and are not`)
}

/** Undefined when the port is taken. */
function listen(server: Server, port: number): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(undefined)
      else reject(error)
    })
    server.listen(port, HOST, () => resolve(server))
  })
}

function portOf(server: Server): number {
  const address: AddressInfo | string | null = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
