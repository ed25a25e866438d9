/**
 * TCP ports that speak HTTP (spec 7.5, 10.2, 13.1): header limits and timeouts, and the limits per address before
 * anything is parsed. What is said over them is the business of whoever asked for the port.
 */
import { createServer, type IncomingMessage, type Server, type ServerOptions } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type Admission, addressOf } from './admission.js'
import type { Limits } from './limits.js'
import { MIN_TLS_VERSION, type Tls } from './tls.js'

export interface ListenerOptions {
  readonly host: string
  /** 0 for a free one. */
  readonly port: number
  readonly limits: Limits
  readonly admission: Admission
  /** From the start of a request to the end of its body. Milliseconds. */
  readonly requestMs: number
  /** Absent: in clear. */
  readonly tls?: Tls | undefined
}

export interface PortListener {
  readonly http: Server
  readonly host: string
  readonly port: number
  /** Refuses new connections, ends idle ones; the others stay. */
  stop(): void
}

/** @throws the error of `listen` (EADDRINUSE, EACCES...). */
export async function openPort(options: ListenerOptions): Promise<PortListener> {
  const { host, limits, admission, requestMs, tls } = options
  let stopping = false
  const settings = {
    maxHeaderSize: limits.maxHeaderBytes,
    headersTimeout: limits.headersMs,
    requestTimeout: requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    connectionsCheckingInterval: Math.min(1000, limits.headersMs),
    insecureHTTPParser: false,
    // Node's own refusal has no code: see `lacksHost`.
    requireHostHeader: false,
  }
  const http = tls === undefined ? createServer(settings) : openSecure(tls, settings, limits)
  http.on('connection', (socket) => {
    const address = addressOf(socket)
    if (stopping || !admission.enter(address)) socket.destroy()
    else socket.once('close', () => admission.leave(address))
  })
  await new Promise<void>((resolve, reject) => {
    http.once('error', reject)
    http.listen(options.port, host, () => {
      http.off('error', reject)
      resolve()
    })
  })
  return {
    http,
    host,
    port: (http.address() as AddressInfo).port,
    stop() {
      stopping = true
      http.close()
      http.closeIdleConnections()
    },
  }
}

function openSecure(tls: Tls, settings: ServerOptions, { headersMs }: Limits): Server {
  const server = createSecureServer({
    ...settings,
    ...tls.credentials,
    minVersion: MIN_TLS_VERSION,
    handshakeTimeout: headersMs,
  })
  tls.serve(server)
  return server
}

/** Whether a request is to be refused for want of a `Host` (RFC 9112, 3.2). */
export function lacksHost({ httpVersion, headers }: IncomingMessage): boolean {
  return httpVersion === '1.1' && headers.host === undefined
}

/** `host:port` as it stands in a URL. */
export function authority({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}
