/** Plain HTTP servers in front of a listener: for agents that are no part of an application. */
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Listening {
  readonly url: string
  close(): Promise<void>
}

/** How long callers have to read the end of what they were sent, ms. */
const GRACE_MS = 500

export function createServers(listener: RequestListener) {
  const servers = new Set<Server>()
  const close = (server: Server): Promise<void> => {
    if (!servers.delete(server)) return Promise.resolve()
    return new Promise((resolve) => {
      const late = setTimeout(() => server.closeAllConnections(), GRACE_MS)
      server.close(() => {
        clearTimeout(late)
        resolve()
      })
      server.closeIdleConnections()
    })
  }
  return {
    async open(port: number, host: string): Promise<Listening> {
      const server = createServer(listener)
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject).listen(port, host, resolve)
      })
      servers.add(server)
      const bound = server.address() as AddressInfo
      const name = bound.family === 'IPv6' ? `[${bound.address}]` : bound.address
      return { url: `http://${name}:${bound.port}`, close: () => close(server) }
    },
    async close(): Promise<void> {
      await Promise.all([...servers].map(close))
    },
  }
}
