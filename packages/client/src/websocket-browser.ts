/** WebSocket where the platform has one: browsers, workers, Deno. Pings are the platform's business there. */
import type { OpenSocket } from './websocket.js'

export const openSocket: OpenSocket = (url, listener, maxFrame) => {
  const ws = new WebSocket(url)
  ws.binaryType = 'arraybuffer'
  let closed = false
  const end = (code: number, reason: string) => {
    if (closed) return
    closed = true
    ws.onopen = ws.onmessage = ws.onclose = null
    listener.closed(code, reason)
  }
  const terminate = () => {
    if (ws.readyState !== WebSocket.CLOSED) ws.close()
    end(1006, '')
  }
  ws.onopen = () => listener.opened()
  ws.onmessage = ({ data }: MessageEvent<unknown>) => {
    const message = data instanceof ArrayBuffer ? new Uint8Array(data) : String(data)
    if (message.length > maxFrame) terminate()
    else listener.received(message)
  }
  ws.onclose = ({ code, reason }) => end(code, reason)
  return {
    send: (data) => ws.send(typeof data === 'string' ? data : Uint8Array.from(data)),
    close: () => ws.close(1000),
    terminate,
  }
}
