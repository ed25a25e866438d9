/**
 * The line protocol of a peer program: its settings come as JSON in `PEER`, its first line on stdout is `{ready: true}`
 * with what it offers, and it ends with its stdin. A client then reads `{id, ...}` a line and answers `{id, ...}`.
 *
 * No imports of ours and none of theirs: programs of both sides use it.
 */
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'

export const settings = JSON.parse(process.env.PEER ?? '{}')

export function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`)
}

/** Says ready, and answers each line of stdin by `answer`, concurrently; ends with stdin. */
export function serveLines(answer, ready = {}) {
  const lines = createInterface({ input: process.stdin })
  lines.on('close', () => process.exit(0))
  lines.on('line', async (line) => {
    const { id, ...request } = JSON.parse(line)
    try {
      say({ id, ...(await answer(request)) })
    } catch (error) {
      say({ id, error: String(error?.message ?? error), cause: String(error?.cause ?? '') })
    }
  })
  say({ ready: true, ...ready })
}

/**
 * Listens on a free port of loopback, says where, and ends with stdin. `listener` is an Express app or any listener, or a
 * function that makes one for its own base URL.
 */
export function serveHttp({ listener, make = () => listener, answer = () => ({}) }) {
  const server = createServer()
  server.listen(0, '127.0.0.1', async () => {
    const url = `http://127.0.0.1:${server.address().port}`
    server.on('request', await make(url))
    serveLines(answer, { url })
  })
}

/** What a client reports of a response; `milliseconds` from `started`. */
export async function reportResponse(response, started) {
  const text = await response.text()
  return {
    status: response.status,
    body: parsed(text),
    headers: Object.fromEntries(response.headers),
    receipt: receiptOf(response.headers),
    milliseconds: performance.now() - started,
  }
}

function receiptOf(headers) {
  const value = headers.get('payment-response') ?? headers.get('x-payment-response')
  return value === null ? undefined : parsed(Buffer.from(value, 'base64').toString('utf8'))
}

function parsed(text) {
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}
