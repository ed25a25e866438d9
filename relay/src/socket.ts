/**
 * The WebSocket server: bytes in, bytes out (spec 4, 7.5, 13.1). The only file that knows `ws` and `node:http`.
 * Compression is off, frames are capped, header limits and limits per address hold before anything is parsed.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, isIPv6, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocket, WebSocketServer } from 'ws'
import { CLOSE, Connection, Turn } from './connection.js'
import type { Limits } from './limits.js'
import { Buckets } from './policy.js'

/** A WebSocket that knows its connection, so that its listeners are shared functions, not closures of its own. */
export class PeerSocket extends WebSocket {
  connection?: Connection
}

export interface SocketOptions {
  readonly host: string
  /** 0 for a free one. */
  readonly port: number
  readonly limits: Limits
  /** The values of `Origin` that are let in; a request without the header always is. Absent: all are. */
  readonly origins?: readonly string[] | undefined
  /** Called before anything is read; sets `connection.listener`. */
  onConnection(connection: Connection): void
  /** The info document, for HTTP GET. */
  info(): string
}

export interface SocketServer {
  readonly host: string
  readonly port: number
  readonly connections: ReadonlySet<Connection>
  /** Refuses new connections; those there stay. */
  stop(): void
  /** Closes all with 1001 and resolves when they are gone, after `graceMs` by force. */
  close(graceMs: number): Promise<void>
}

/** @throws the error of `listen` (EADDRINUSE, EACCES...). */
export async function serveSockets(options: SocketOptions): Promise<SocketServer> {
  const { host, limits } = options
  const connections = new Set<Connection>()
  const admission = new Admission(limits)
  const turn = new Turn()
  let stopping = false
  let lastId = 0
  let emptied = () => {}

  const http = createServer({
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: limits.headersMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(1000, limits.headersMs),
  })
  const sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: limits.maxFrame,
    WebSocket: PeerSocket,
    handleProtocols: (offered) => (offered.has('aether.v2') ? 'aether.v2' : false),
  })

  http.on('connection', (socket: Socket) => {
    const address = addressOf(socket)
    if (stopping || !admission.enter(address)) socket.destroy()
    else socket.once('close', () => admission.leave(address))
  })
  http.on('request', (request, response) => answer(request, response, options))
  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const refusal = stopping ? '503 Service Unavailable' : refuse(request, options)
    if (refusal !== undefined) {
      socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    const tcp = request.socket
    sockets.handleUpgrade(request, socket, head, (ws) => {
      const connection = new Connection(ws, tcp, turn, limits, {
        id: ++lastId,
        address: addressOf(tcp),
        origin: request.headers.origin,
        now: performance.now(),
      })
      ws.connection = connection
      OWNERS.set(tcp, connection)
      ws.on('message', onMessage).on('pong', onPong).on('error', onError)
      ws.on('close', () => {
        connections.delete(connection)
        connection.ended()
        if (connections.size === 0) emptied()
      })
      tcp.on('drain', onDrain)
      connections.add(connection)
      options.onConnection(connection)
    })
  })

  const shortest = Math.min(limits.firstMessageMs, limits.pingMs, limits.pongMs)
  const timer = setInterval(
    () => {
      const now = performance.now()
      for (const connection of connections) connection.sweep(now)
    },
    Math.min(1000, Math.max(10, shortest / 4)),
  )
  timer.unref()

  function stop(): void {
    stopping = true
    http.close()
    http.closeIdleConnections()
  }

  await listening(http, options.port, host)
  return {
    host,
    port: (http.address() as AddressInfo).port,
    connections,
    stop,
    async close(graceMs) {
      stop()
      clearInterval(timer)
      const gone = new Promise<void>((resolve) => {
        emptied = resolve
        if (connections.size === 0) resolve()
      })
      for (const connection of connections) connection.close(CLOSE.goingAway, 'going_away')
      const force = setTimeout(() => {
        for (const connection of connections) connection.terminate()
      }, graceMs)
      await gone
      clearTimeout(force)
      http.closeAllConnections()
    },
  }
}

/** Connections of TCP sockets, for the shared `drain` listener. */
const OWNERS = new WeakMap<Socket, Connection>()

function onMessage(this: PeerSocket, data: unknown, isBinary: boolean): void {
  if (Buffer.isBuffer(data)) this.connection?.received(data, isBinary)
}

function onPong(this: PeerSocket): void {
  this.connection?.heard()
}

/** A framing error or a lost peer: `ws` closes with the right code, nothing to add. */
function onError(this: PeerSocket): void {}

function onDrain(this: Socket): void {
  OWNERS.get(this)?.drained()
}

function addressOf(socket: Socket): string {
  const address = socket.remoteAddress ?? ''
  return address.startsWith('::ffff:') ? address.slice(7) : address
}

/** The status line of an upgrade that is not let in. */
function refuse(request: IncomingMessage, { limits, origins }: SocketOptions): string | undefined {
  if (request.rawHeaders.length > 2 * limits.maxHeaders) return '431 Request Header Fields Too Large'
  const { origin } = request.headers
  if (origin !== undefined && origins !== undefined && !origins.includes(origin)) return '403 Forbidden'
  return undefined
}

/** Plain HTTP on the WebSocket port: the info document (spec 10.6), else a word on what to do. */
function answer(request: IncomingMessage, response: ServerResponse, { info }: SocketOptions): void {
  const path = (request.url ?? '').split('?')[0]
  const asksInfo = path === '/v1/info' || request.headers.accept === 'application/nostr+json'
  if (asksInfo && (request.method === 'GET' || request.method === 'HEAD')) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(info())
    return
  }
  const body = '{"error":"not_found","message":"this port speaks WebSocket","code":"not_found"}'
  response.writeHead(404, { 'content-type': 'application/json', connection: 'close' }).end(body)
}

function listening(http: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    http.once('error', reject)
    http.listen(port, host, () => {
      http.off('error', reject)
      resolve()
    })
  })
}

/** Connections and accepts per address (spec 7.5). Memory is bounded by open connections and by the buckets. */
class Admission {
  readonly #limits: Limits
  readonly #open = new Map<string, number>()
  readonly #accepts: Buckets

  constructor(limits: Limits) {
    this.#limits = limits
    const rate = limits.acceptsPerSecondPerIp
    this.#accepts = new Buckets({ capacity: rate, perSecond: rate })
  }

  enter(address: string): boolean {
    if (this.#limits.exemptLoopback && isLoopback(address)) return true
    const open = this.#open.get(address) ?? 0
    if (open >= this.#limits.connectionsPerIp) return false
    if (this.#accepts.take(address, performance.now()) !== undefined) return false
    this.#open.set(address, open + 1)
    return true
  }

  leave(address: string): void {
    const open = this.#open.get(address) ?? 0
    if (open > 1) this.#open.set(address, open - 1)
    else this.#open.delete(address)
  }
}

function isLoopback(address: string): boolean {
  return isIPv6(address) ? address === '::1' : address.startsWith('127.')
}
