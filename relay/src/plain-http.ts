/** Plain HTTP on a port for WebSockets: the info document (spec 10.6), else a word on what to do. */
import type { Server } from 'node:http'
import { type JsonObject, writeJson } from '@aetherkit/core'

export function answerPlainHttp(http: Server, info: () => JsonObject): void {
  http.on('request', (request, response) => {
    const path = (request.url ?? '').split('?')[0]
    const asksInfo = path === '/v1/info' || request.headers.accept === 'application/nostr+json'
    if (asksInfo && (request.method === 'GET' || request.method === 'HEAD')) {
      response.writeHead(200, { 'content-type': 'application/json' }).end(writeJson(info()))
      return
    }
    const body = '{"error":"not_found","message":"this port speaks WebSocket","code":"not_found"}'
    response.writeHead(404, { 'content-type': 'application/json', connection: 'close' }).end(body)
  })
}
