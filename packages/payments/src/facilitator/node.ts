/** A facilitator as a listener of `node:http`: `createServer(facilitatorListener(facilitator))`. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Facilitator } from './server.js'

/** Bytes of a request body that are read at all; longer ones are cut and then refused. */
const MAX_BODY = 128 * 1024

export function facilitatorListener(
  facilitator: Facilitator,
): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    void answer(facilitator, request, response).catch(() => response.destroy())
  }
}

async function answer(
  facilitator: Facilitator,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { method = 'GET', url = '/', headers, socket } = request
  const body = method === 'POST' ? await readBody(request) : null
  const forwarded = new Headers()
  for (const [name, value] of Object.entries(headers)) {
    if (typeof value === 'string' && !name.startsWith(':')) forwarded.set(name, value)
  }
  const asked = new Request(new URL(url, 'http://facilitator.invalid'), { method, headers: forwarded, body })
  const answered = await facilitator.handle(asked, socket.remoteAddress)
  response.writeHead(answered.status, Object.fromEntries(answered.headers))
  response.end(await answered.text())
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length <= MAX_BODY) chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
