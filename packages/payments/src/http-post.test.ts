import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { createPost } from './http-post.js'
import { createRpc } from './rpc.js'

const servers: Server[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

async function listen(answer: Parameters<typeof createServer>[1]): Promise<string> {
  const server = createServer(answer)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/rpc?key=1`
}

test('the body arrives as JSON at the path and query of the address, and the answer comes back whole', async () => {
  const asked: unknown[] = []
  const url = await listen(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    asked.push([request.method, request.url, request.headers['content-type'], body])
    response.statusCode = 429
    response.write('ä')
    response.end(body)
  })
  expect(await createPost(url)('{"ö":1}', 5_000)).toEqual({ status: 429, text: 'ä{"ö":1}' })
  expect(asked).toEqual([['POST', '/rpc?key=1', 'application/json', '{"ö":1}']])
})

test('a kept connection that the server has closed is replaced', async () => {
  let connections = 0
  let requests = 0
  const url = await listen((request, response) => {
    // The second request of a connection finds it closed.
    if (++requests === 2) return void request.socket.destroy()
    response.end('ok')
  })
  servers[0]?.on('connection', () => connections++)
  const post = createPost(url)
  for (let i = 0; i < 2; i++) expect(await post('{}', 5_000)).toEqual({ status: 200, text: 'ok' })
  expect([connections, requests]).toEqual([2, 3])
})

test('an answer that does not come, that breaks off, and a server that is away are rpc_failed', async () => {
  const silent = await listen(() => {})
  const broken = await listen((_request, response) => {
    response.writeHead(200, { 'content-length': 100 }).write('{')
    setImmediate(() => response.destroy())
  })
  const away = await listen(() => {})
  await new Promise((resolve) => servers.pop()?.close(resolve))
  for (const url of [silent, broken, away, 'ftp://127.0.0.1', 'nonsense']) {
    const call = createRpc(url, { timeoutMs: 100 }).call('getSlot', [])
    await expect(call).rejects.toMatchObject({ code: 'rpc_failed' })
  }
})
