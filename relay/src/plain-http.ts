/** Plain HTTP on a port for WebSockets: the info document (spec 10.6), else a word on what to do. */
import type { Server } from 'node:http'
import { type JsonObject, writeJson } from '@aetherkit/core'
import { lacksHost } from './listener.js'

const BAD_REQUEST = '{"error":"invalid_message","message":"bad request line","code":"invalid_message"}'
const NOT_FOUND = '{"error":"not_found","message":"this port speaks WebSocket","code":"not_found"}'

export function answerPlainHttp(http: Server, info: () => JsonObject): void {
  http.on('request', (request, response) => {
    const path = (request.url ?? '').split('?')[0]
    const asksInfo = path === '/v1/info' || request.headers.accept === 'application/nostr+json'
    const isBad = lacksHost(request)
    if (!isBad && asksInfo && (request.method === 'GET' || request.method === 'HEAD')) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(writeJson(info()))
      return
    }
    const body = isBad ? BAD_REQUEST : NOT_FOUND
    const headers = { 'content-type': 'application/json', 'content-length': body.length, connection: 'close' }
    response.writeHead(isBad ? 400 : 404, headers).end(body)
  })
}
