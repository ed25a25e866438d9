/** One malformed HTTP request and the code of its answer. */
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { codeOfHttp } from './answer-code.mjs'

const agent = new Agent({ keepAlive: true })
/** Beyond every timeout of a relay. */
const HUNG_MS = 90_000

/** A body of the length that its head says, on a connection that is kept. */
export function askBody(port, path, body) {
  return new Promise((resolve) => {
    const headers = { 'content-type': 'application/json', 'content-length': body.length }
    const sent = request(
      { host: '127.0.0.1', port, method: 'POST', path, headers, agent, timeout: HUNG_MS },
      async (response) => {
        const chunks = []
        for await (const chunk of response) chunks.push(chunk)
        resolve(codeOfHttp(response.statusCode, Buffer.concat(chunks).toString()))
      },
    )
    sent.on('timeout', () => resolve({ code: 'hung', isKnown: false }))
    sent.on('error', () => resolve({ code: 'cut', isKnown: true }))
    sent.end(body)
  })
}

/** Bytes as they stand, then the end of what we say; the first answer counts. */
export function sendHead(port, bytes) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    const chunks = []
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', () => {})
    socket.on('end', () => socket.destroy())
    socket.setTimeout(HUNG_MS, () => {
      chunks.splice(0, chunks.length, Buffer.from('HTTP/1.1 599 hung\r\n\r\nhung'))
      socket.destroy()
    })
    socket.on('close', () => resolve(codeOfAnswer(Buffer.concat(chunks).toString('latin1'))))
    socket.end(bytes)
  })
}

function codeOfAnswer(text) {
  if (text === '') return { code: 'closed', isKnown: true }
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 599)
  const start = text.indexOf('\r\n\r\n') + 4
  const head = text.slice(0, start)
  // Node itself answers a request that names no host: in chunks, and with none.
  const length =
    /\r\ntransfer-encoding: chunked/i.test(head) && text.startsWith('0\r\n', start) ? 0 : undefined
  const announced = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? text.length)
  return codeOfHttp(status, text.slice(start, start + (length ?? announced)))
}
