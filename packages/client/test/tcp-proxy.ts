/** A TCP proxy in front of a relay, so that a test can cut, hold back and mute connections. */

import type { AddressInfo } from 'node:net'
import { createConnection, createServer, type Socket } from 'node:net'

export interface TcpProxy {
  readonly url: string
  /** Port behind it; a new one counts for new connections. */
  target: number
  /** While true, what the relay says does not reach the client. */
  muted: boolean
  /** While true, new connections are cut at once. */
  refusing: boolean
  /** Connections that were let through so far. */
  readonly accepted: number
  /** Cuts all connections, without a closing handshake. */
  cut(): void
  close(): Promise<void>
}

export async function startProxy(target: number): Promise<TcpProxy> {
  const pairs = new Set<readonly [Socket, Socket]>()
  let accepted = 0
  const server = createServer((client) => {
    client.on('error', () => {})
    if (proxy.refusing) {
      client.destroy()
      return
    }
    accepted++
    const relay = createConnection(proxy.target, '127.0.0.1')
    const pair = [client, relay] as const
    pairs.add(pair)
    const end = () => {
      pairs.delete(pair)
      client.destroy()
      relay.destroy()
    }
    relay.on('error', () => {})
    client.on('data', (data) => relay.write(data))
    relay.on('data', (data) => {
      if (!proxy.muted) client.write(data)
    })
    client.on('close', end)
    relay.on('close', end)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const proxy = {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    target,
    muted: false,
    refusing: false,
    get accepted() {
      return accepted
    },
    cut() {
      for (const [client, relay] of [...pairs]) {
        client.destroy()
        relay.destroy()
      }
    },
    async close() {
      proxy.cut()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return proxy
}
