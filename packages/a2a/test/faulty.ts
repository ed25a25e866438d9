/** Servers that answer as a test says, and a proxy that breaks connections: what a client meets outside. */
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach } from 'vitest'
import type { ConnectOptions } from '../src/client/connect.js'
import type { JsonRecord } from '../src/model.js'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})
export const atEnd = (end: () => unknown): void => void ends.push(end)

/** Development settings, without the warning. */
export const local = (options: ConnectOptions = {}): ConnectOptions => ({
  allowPrivateNetwork: true,
  guard: { warn: () => {} },
  retry: { firstMs: 1, longestMs: 20_000 },
  ...options,
})

export interface Asked {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  /** Of a JSON body. */
  // biome-ignore lint/suspicious/noExplicitAny: what came over the wire, looked into by the test
  readonly body: any
}

export async function serve(
  answer: (asked: Asked, response: ServerResponse, url: string) => unknown,
): Promise<{ readonly url: string; readonly asked: Asked[]; close(): Promise<unknown> }> {
  const asked: Asked[] = []
  let url = ''
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    const body = text === '' ? undefined : JSON.parse(text)
    const each = { method: request.method ?? '', path: request.url ?? '', headers: request.headers, body }
    asked.push(each)
    await answer(each, response, url)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const close = (): Promise<unknown> => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  }
  atEnd(close)
  return { url, asked, close }
}

export const json = (response: ServerResponse, body: unknown, status = 200, headers = {}): void =>
  void response
    .writeHead(status, { 'content-type': 'application/json', ...headers })
    .end(JSON.stringify(body))

export const CARD_PATH = '/.well-known/agent-card.json'

/** A 1.0 card with one JSON-RPC interface, unless told otherwise. */
export const cardAt = (url: string, more: object = {}): JsonRecord => ({
  name: 'Fake',
  description: 'Answers as it is told',
  version: '1.0.0',
  supportedInterfaces: [{ url, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
  capabilities: { streaming: true },
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  skills: [{ id: 'echo', name: 'Echo', description: 'Says it again', tags: ['text'] }],
  ...more,
})

/** An agent whose card is fine and whose calls are answered by `answer`. */
export const fakeAgent = (
  answer: (asked: Asked, response: ServerResponse) => unknown,
  card: (url: string) => JsonRecord = (url) => cardAt(url),
) =>
  serve((asked, response, url) =>
    asked.path.startsWith('/.well-known/') ? json(response, card(url)) : answer(asked, response),
  )

export const taskOf = (more: object = {}) => ({
  id: 'task-1',
  contextId: 'context-1',
  status: { state: 'TASK_STATE_COMPLETED' },
  ...more,
})

/** Passes everything on to `target`; `cut` says after how many bytes, or before which text, a stream breaks off. */
export async function cuttingProxy(
  target: string,
  cut: (stream: number) => number | string | undefined,
): Promise<{ readonly url: string; readonly streams: () => number; readonly bodies: JsonRecord[] }> {
  let streams = 0
  const bodies: JsonRecord[] = []
  const port = Number(new URL(target).port)
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    if (body.length > 0) bodies.push(JSON.parse(body.toString()))
    const { host: _host, ...headers } = request.headers
    const passed = httpRequest(
      { host: '127.0.0.1', port, method: request.method, path: request.url, headers, agent: false },
      (answer) => {
        const isStream = String(answer.headers['content-type']).startsWith('text/event-stream')
        let left = isStream ? cut(streams++) : undefined
        response.writeHead(answer.statusCode ?? 500, answer.headers)
        answer.on('data', (chunk: Buffer) => {
          if (left === undefined) return void response.write(chunk)
          const at = typeof left === 'string' ? chunk.indexOf(left) : left
          response.write(chunk.subarray(0, at < 0 ? undefined : at))
          if (typeof left === 'number') left -= chunk.length
          if (at < 0 || (typeof left === 'number' && left > 0)) return
          answer.destroy()
          response.socket?.end()
          response.destroy()
        })
        answer.on('end', () => response.end())
        answer.on('error', () => {})
      },
    )
    passed.on('error', () => response.destroy())
    response.on('close', () => passed.destroy())
    passed.end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, streams: () => streams, bodies }
}
