/** A web server of a test on loopback that keeps what is posted to it. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Loose, later } from './agent.js'

export interface Posted {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly text: string
  readonly json: Loose
}

export interface Receiver {
  readonly url: string
  readonly posted: Posted[]
}

/** @param answer the status of the nth post (from 0), or a header `location` to go to; 200 unless given */
export async function openReceiver(
  answer: (post: Posted, nth: number) => number | { readonly location: string } = () => 200,
): Promise<Receiver> {
  const posted: Posted[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      const post = {
        path: request.url ?? '',
        headers: request.headers,
        text,
        json: JSON.parse(text || 'null'),
      }
      posted.push(post)
      const status = answer(post, posted.length - 1)
      if (typeof status === 'number') response.writeHead(status).end()
      else response.writeHead(307, status).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  later(() => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, posted }
}
