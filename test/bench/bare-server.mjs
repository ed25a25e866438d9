/**
 * What the machine does with no relay in the way, over `ws` for the handshake and plain sockets after it:
 * ready frames to all connections, or each message on to all others, or nothing but being connected.
 */
import { WebSocketServer } from 'ws'
import { answer } from './load-child.mjs'
import { serverFrame } from './websocket.mjs'

/** Frames joined into one write, about as many as a relay collects in a turn of the event loop. */
const JOINED = 32

answer({
  /** Answers the port. With `frameBytes` it sends ready frames from the first ping on; with `forward` it forwards. */
  listen({ frameBytes, forward = false }) {
    const server = new WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      perMessageDeflate: false,
      backlog: 4096,
    })
    const sockets = new Set()
    server.on('connection', (ws, request) => {
      const { socket } = request
      sockets.add(socket)
      ws.on('error', () => undefined)
      ws.on('close', () => sockets.delete(socket))
      if (frameBytes !== undefined) ws.once('ping', () => flood(sockets, frameBytes))
      if (forward)
        ws.on('message', (data) => {
          const frame = serverFrame(data)
          for (const other of sockets) if (other !== socket) other.write(frame)
        })
    })
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.once('listening', () => resolve(server.address().port))
    })
  },
})

/** Every connection is kept full: it gets the next buffer when the kernel has taken the last. */
function flood(sockets, frameBytes) {
  const frame = serverFrame(Buffer.alloc(frameBytes - (frameBytes < 128 ? 2 : 4), 120))
  const joined = Buffer.concat(Array.from({ length: JOINED }, () => frame))
  for (const socket of sockets) {
    const fill = () => {
      if (socket.destroyed) return
      if (socket.write(joined)) setImmediate(fill)
      else if (socket.writableLength === 0) setImmediate(fill)
      else socket.once('drain', fill)
    }
    fill()
  }
}
