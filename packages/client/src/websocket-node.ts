/**
 * WebSocket on Node, by `ws`: Node 20 has none of its own, and the one of later versions can neither ping, nor pause
 * reading, nor drop a dead connection.
 */
import { WebSocket } from 'ws'
import type { OpenSocket } from './websocket.js'

/** Milliseconds from the start of the connection to the end of the upgrade. */
const UPGRADE_MS = 8_000

export const openSocket: OpenSocket = (url, listener, maxFrame) => {
  const ws = new WebSocket(url, {
    perMessageDeflate: false,
    maxPayload: maxFrame,
    handshakeTimeout: UPGRADE_MS,
  })
  let reason = ''
  ws.on('open', () => listener.opened())
  ws.on('message', (data, isBinary) => {
    if (Buffer.isBuffer(data)) listener.received(isBinary ? data : data.toString('utf8'))
  })
  ws.on('ping', () => listener.alive())
  ws.on('pong', () => listener.alive())
  ws.on('error', (error) => {
    reason = error.message
  })
  ws.on('close', (code, text) => listener.closed(code, text.toString('utf8') || reason))
  return {
    send: (data) => ws.send(data),
    close: () => ws.close(1000),
    terminate: () => ws.terminate(),
    ping: () => ws.ping(),
    pause: () => ws.pause(),
    resume: () => ws.resume(),
  }
}
