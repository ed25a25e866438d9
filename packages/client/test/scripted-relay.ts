/** A relay that says what a test tells it to: hostile, weak or old. It is a peer, not a stand-in for ours. */
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'

export interface ScriptedRelay {
  readonly url: string
  /** Messages that came in, parsed. */
  readonly received: Message[]
  close(): Promise<void>
}

export type Message = Record<string, unknown> & { readonly type?: unknown }

/** `script` hears every text message; what it sends is text. */
export async function startScriptedRelay(
  script: (message: Message, send: (reply: unknown) => void, socket: WebSocket) => void,
): Promise<ScriptedRelay> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await new Promise((resolve) => server.once('listening', resolve))
  const received: Message[] = []
  server.on('connection', (socket) => {
    socket.on('error', () => {})
    socket.on('message', (data) => {
      const message: Message = JSON.parse(String(data))
      received.push(message)
      script(
        message,
        (reply) => socket.send(typeof reply === 'string' ? reply : JSON.stringify(reply)),
        socket,
      )
    })
  })
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    async close() {
      for (const socket of server.clients) socket.terminate()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** A welcome of our own relay in JSON. */
export const WELCOME = {
  type: 'welcome',
  version: 1,
  format: 'json',
  noise: { required: false },
  features: ['base64', 'eose', 'closed'],
  epoch: 'scripted00000000',
}
