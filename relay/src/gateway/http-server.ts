/**
 * What `node:http` leaves to its user (spec 10.2): answers to requests that are no HTTP or come too slowly, and
 * `Expect: 100-continue`, which is not granted to a body over the cap.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type Reject, reject, writeJson } from '@aetherkit/core'
import type { Limits } from '../limits.js'
import { announcesTooMuch } from './http-body.js'
import { errorWord } from './wording.js'

type App = (request: IncomingMessage, response: ServerResponse) => void

export function serveRequests(http: Server, app: App, limits: Limits): void {
  const underWay = new WeakMap<object, ServerResponse>()
  const run = (request: IncomingMessage, response: ServerResponse) => {
    const before = underWay.get(request.socket)
    underWay.set(request.socket, response)
    response.once('close', () => {
      if (underWay.get(request.socket) === response) underWay.delete(request.socket)
    })
    // A reader that goes away while it is written to is nobody's fault.
    response.on('error', () => {})
    // Requests in one go are served one a turn: others have theirs between them.
    if (before === undefined) app(request, response)
    else before.once('close', () => setImmediate(app, request, response))
  }
  http.on('request', run)
  http.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    if (!announcesTooMuch(request, limits)) response.writeContinue()
    run(request, response)
  })
  http.on('clientError', (error: NodeJS.ErrnoException, duplex) => {
    const socket = duplex as Socket
    const begun = underWay.get(socket)?.headersSent === true
    if (socket.writable && !begun && error.code !== 'ECONNRESET') socket.end(rawAnswer(refusalOf(error.code)))
    else socket.destroy()
  })
}

interface Refusal {
  readonly status: string
  readonly refusal: Reject
}

/** By the codes of the parser in Node. */
function refusalOf(code: string | undefined): Refusal {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return { status: '408 Request Timeout', refusal: reject('timeout') }
  if (code === 'HPE_HEADER_OVERFLOW' || code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW')
    return {
      status: '431 Request Header Fields Too Large',
      refusal: reject('too_large', undefined, 'headers'),
    }
  return { status: '400 Bad Request', refusal: reject('invalid_message', 'bad request line') }
}

function rawAnswer({ status, refusal: { code, error: message } }: Refusal): string {
  const body = writeJson({ error: errorWord(code, Number(status.slice(0, 3))), message, code })
  const head = ['Content-Type: application/json', `Content-Length: ${body.length}`, 'Connection: close']
  return [`HTTP/1.1 ${status}`, ...head, '', body].join('\r\n')
}

/**
 * An upgrade that is not ours to grant is to be ignored (RFC 9110, 7.8): clients that would rather speak HTTP/2 ask for
 * `h2c` with every first request. `node:http` has let go of the socket by then, so the request is put back without it.
 */
export function ignoreUpgrade(http: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const { method, url, httpVersion, rawHeaders } = request
  const lines = [`${method} ${url} HTTP/${httpVersion}`]
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const [name = '', value = ''] = rawHeaders.slice(i, i + 2)
    if (!UPGRADE_HEADERS.has(name.toLowerCase())) lines.push(`${name}: ${value}`)
  }
  const text = Buffer.from(`${[...lines, '', ''].join('\r\n')}`, 'latin1')
  socket.unshift(Buffer.concat([text, head]))
  http.emit('encrypted' in socket ? 'secureConnection' : 'connection', socket)
}

/** `Connection` goes with them: it names them. */
const UPGRADE_HEADERS: ReadonlySet<string> = new Set(['upgrade', 'http2-settings', 'connection'])
