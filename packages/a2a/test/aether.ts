/** Relays, clients and faults of one test, taken down after it. */
import type { AddressInfo } from 'node:net'
import { createConnection, createServer, type Socket } from 'node:net'
import { type Client, type ClientOptions, connect } from '@aetherkit/client'
import { createRelay, type Relay } from '@aetherkit/relay'
import { afterEach } from 'vitest'
import { A2A_KIND } from '../src/events/frame.js'

const ends: (() => Promise<unknown> | undefined)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})
export const later = (end: () => Promise<unknown> | undefined): void => void ends.push(end)

export interface Air {
  /** Where clients connect: a proxy, so that the relay behind it can be another one later. */
  readonly url: string
  /** The relay is gone, with all connections. */
  kill(): Promise<void>
  /** Another process takes its place, with nothing in memory. */
  restart(): Promise<void>
}

export async function openAir(): Promise<Air> {
  const pairs = new Set<readonly [Socket, Socket]>()
  let relay: Relay | undefined
  const start = async () => {
    relay = await createRelay({ verifyWorkers: 1, policies: [] })
  }
  await start()
  const server = createServer((client) => {
    client.on('error', () => {})
    if (relay === undefined) return void client.destroy()
    const behind = createConnection(Number(new URL(relay.url).port), '127.0.0.1')
    const pair = [client, behind] as const
    pairs.add(pair)
    const end = () => {
      pairs.delete(pair)
      client.destroy()
      behind.destroy()
    }
    behind.on('error', () => {})
    client.on('close', end)
    behind.on('close', end)
    client.pipe(behind)
    behind.pipe(client)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const kill = async () => {
    const old = relay
    relay = undefined
    for (const sockets of [...pairs]) for (const socket of sockets) socket.destroy()
    await old?.close()
  }
  later(async () => {
    await kill()
    await new Promise((resolve) => server.close(resolve))
  })
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, kill, restart: start }
}

export async function clientOf(air: Air, options: ClientOptions = {}): Promise<Client> {
  const client = await connect(air.url, { reconnect: { minMs: 20, maxMs: 100 }, ...options })
  later(() => client.close())
  return client
}

/** What becomes of one frame on its way to the relay. */
export type Fate = 'send' | 'drop' | 'twice' | 'late'

/** The same client on a bad line: `fate` is asked for each A2A event that it publishes. */
export function onBadLine(client: Client, fate: (nth: number) => Fate): Client {
  let nth = 0
  return new Proxy(client, {
    get(target, name) {
      if (name !== 'publish') {
        const value: unknown = Reflect.get(target, name, target)
        return typeof value === 'function' ? value.bind(target) : value
      }
      const publish: Client['publish'] = async (event, options) => {
        const what = event.kind === A2A_KIND ? fate(nth++) : 'send'
        if (what === 'drop') return { id: '', event: event as never, relays: {} }
        if (what === 'late') await new Promise((resolve) => setTimeout(resolve, 30))
        const published = await target.publish(event, options)
        // Other relays deliver the very same event.
        if (what === 'twice') await target.publish(published.event, options).catch(() => {})
        return published
      }
      return publish
    },
  })
}
