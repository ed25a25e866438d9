/**
 * WebSockets: bytes in, bytes out (spec 4, 7.5, 13.1). The only file that knows `ws`. Compression is off, frames are
 * capped, header limits hold before anything is parsed. One {@link Sockets} serves all ports of a relay.
 */
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocket, WebSocketServer } from 'ws'
import { addressOf } from './admission.js'
import { CLOSE, Connection } from './connection.js'
import type { Limits } from './limits.js'
import type { SocketSurface } from './surface.js'
import { Turn } from './turn.js'

/** A WebSocket that knows its connection, so that its listeners are shared functions, not closures of its own. */
export class PeerSocket extends WebSocket {
  connection?: Connection
}

export interface UpgradeOptions {
  readonly surface: SocketSurface
  /** The one path that is let in; absent: any. */
  readonly path?: string
  /** Subprotocols to agree on, the first that a peer offers too. */
  readonly protocols?: readonly string[]
  /** The values of `Origin` that are let in; a request without the header always is. Undefined: all are. */
  origins(): readonly string[] | undefined
  /** Takes what asks for another protocol than WebSocket; absent: such requests are judged like the others. */
  readonly other?: (request: IncomingMessage, socket: Duplex, head: Buffer) => void
  /** Called before anything is read; sets `connection.listener`. */
  onConnection(connection: Connection): void
}

export class Sockets {
  readonly #limits: Limits
  readonly #connections = new Set<Connection>()
  readonly #turn = new Turn()
  readonly #timer: NodeJS.Timeout
  #stopping = false
  #lastId = 0
  #emptied = () => {}

  constructor(limits: Limits) {
    this.#limits = limits
    const shortest = Math.min(limits.firstMessageMs, limits.pingMs, limits.pongMs)
    this.#timer = setInterval(
      () => {
        const now = performance.now()
        for (const connection of this.#connections) connection.sweep(now)
      },
      Math.min(1000, Math.max(10, shortest / 4)),
    )
    this.#timer.unref()
  }

  /** Those that are open, and not being closed. */
  *[Symbol.iterator](): Iterator<Connection> {
    for (const connection of this.#connections) if (connection.open) yield connection
  }

  /** For peers of any surface: unique in this relay process. */
  nextId(): number {
    return ++this.#lastId
  }

  /** Takes the upgrades of a server. */
  attach(http: Server, options: UpgradeOptions): void {
    const { protocols = [] } = options
    const server = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: this.#limits.maxFrame,
      WebSocket: PeerSocket,
      handleProtocols: (offered) => protocols.find((protocol) => offered.has(protocol)) ?? false,
    })
    http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (options.other !== undefined && request.headers.upgrade?.toLowerCase() !== 'websocket') {
        options.other(request, socket, head)
        return
      }
      const refusal = this.#stopping ? '503 Service Unavailable' : refuse(request, options, this.#limits)
      if (refusal !== undefined) {
        socket.on('error', () => {})
        socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
        return
      }
      server.handleUpgrade(request, socket, head, (ws) => this.#open(ws, request, options))
    })
  }

  /** Refuses new connections; those there stay. */
  stop(): void {
    this.#stopping = true
  }

  /** Closes all with 1001 and resolves when they are gone, after `graceMs` by force. */
  async close(graceMs: number): Promise<void> {
    this.stop()
    clearInterval(this.#timer)
    const gone = new Promise<void>((resolve) => {
      this.#emptied = resolve
      if (this.#connections.size === 0) resolve()
    })
    for (const connection of this.#connections) connection.close(CLOSE.goingAway, 'going_away')
    const force = setTimeout(() => {
      for (const connection of this.#connections) connection.terminate()
    }, graceMs)
    await gone
    clearTimeout(force)
  }

  #open(ws: PeerSocket, request: IncomingMessage, options: UpgradeOptions): void {
    const tcp = request.socket
    const connection = new Connection(ws, tcp, this.#turn, this.#limits, {
      id: this.nextId(),
      surface: options.surface,
      address: addressOf(tcp),
      origin: request.headers.origin,
      local: { address: tcp.localAddress?.replace('::ffff:', '') ?? '', port: tcp.localPort ?? 0 },
      now: performance.now(),
    })
    ws.connection = connection
    OWNERS.set(tcp, connection)
    ws.on('message', onMessage).on('pong', onPong).on('error', onError)
    ws.on('close', () => {
      this.#connections.delete(connection)
      connection.ended()
      if (this.#connections.size === 0) this.#emptied()
    })
    tcp.on('drain', onDrain)
    this.#connections.add(connection)
    options.onConnection(connection)
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

/** The status line of an upgrade that is not let in. */
function refuse(request: IncomingMessage, options: UpgradeOptions, limits: Limits): string | undefined {
  const { path } = options
  const origins = options.origins()
  if (request.rawHeaders.length > 2 * limits.maxHeaders) return '431 Request Header Fields Too Large'
  if (path !== undefined && (request.url ?? '').split('?')[0] !== path) return '404 Not Found'
  const { origin } = request.headers
  if (origin !== undefined && origins !== undefined && !origins.includes(origin)) return '403 Forbidden'
  return undefined
}
