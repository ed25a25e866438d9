/**
 * The cheapest WebSocket client that keeps to RFC 6455: raw TCP, ready masked frames out, frame headers in. A load
 * generator must cost little beside what it measures. Server frames are never masked nor, from our relay, fragmented.
 */
import { randomBytes } from 'node:crypto'
import { connect as connectTcp } from 'node:net'

export const TEXT = 1
export const BINARY = 2
const CLOSE = 8
const PING = 9
const OPEN_MS = 30_000

/**
 * Connects and upgrades. `onBytes(view)` gets every byte after the headers; the view is reused after the call.
 * The socket's `lost` promise rejects when the connection ends without {@link close}.
 */
export function openSocket(port, onBytes, { protocol } = {}) {
  return new Promise((resolve, reject) => {
    let head = ''
    let upgraded = false
    const read = (length, buffer) => {
      if (upgraded) {
        onBytes(buffer.subarray(0, length))
        return true
      }
      head += buffer.latin1Slice(0, length)
      const end = head.indexOf('\r\n\r\n')
      if (end < 0) return true
      clearTimeout(timer)
      if (!head.startsWith('HTTP/1.1 101')) {
        socket.destroy()
        reject(new Error(`upgrade refused: ${head.slice(0, head.indexOf('\r\n'))}`))
        return true
      }
      upgraded = true
      resolve(socket)
      const rest = Buffer.from(head.slice(end + 4), 'latin1')
      if (rest.length > 0) onBytes(rest)
      return true
    }
    const socket = connectTcp({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: { buffer: SHARED, callback: read },
    })
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error('upgrade timed out'))
    }, OPEN_MS)
    socket.lost = false
    socket.on('error', (error) => {
      clearTimeout(timer)
      socket.lost = true
      reject(error)
    })
    socket.on('close', () => {
      socket.lost = true
    })
    const key = randomBytes(16).toString('base64')
    const offer = protocol === undefined ? '' : `Sec-WebSocket-Protocol: ${protocol}\r\n`
    socket.write(
      `GET / HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
        `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n${offer}\r\n`,
    )
  })
}

/** One reading buffer for all sockets: a callback is done with it before the next one starts. */
const SHARED = Buffer.allocUnsafeSlow(256 * 1024)

/** One ready client frame, masked. */
export function clientFrame(payload, opcode = BINARY) {
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload
  const short = body.length < 126
  const wide = body.length >= 0x10000
  const start = short ? 6 : wide ? 14 : 8
  const frame = Buffer.allocUnsafe(start + body.length)
  frame[0] = 0x80 | opcode
  frame[1] = 0x80 | (short ? body.length : wide ? 127 : 126)
  if (wide) frame.writeBigUInt64BE(BigInt(body.length), 2)
  else if (!short) frame.writeUInt16BE(body.length, 2)
  const mask = randomBytes(4)
  frame.set(mask, start - 4)
  for (let i = 0; i < body.length; i++) frame[start + i] = body[i] ^ mask[i & 3]
  return frame
}

/** One ready server frame. */
export function serverFrame(payload, opcode = BINARY) {
  const short = payload.length < 126
  const wide = payload.length >= 0x10000
  const start = short ? 2 : wide ? 10 : 4
  const frame = Buffer.allocUnsafeSlow(start + payload.length)
  frame[0] = 0x80 | opcode
  frame[1] = short ? payload.length : wide ? 127 : 126
  if (wide) frame.writeBigUInt64BE(BigInt(payload.length), 2)
  else if (!short) frame.writeUInt16BE(payload.length, 2)
  frame.set(payload, start)
  return frame
}

/** Frames laid end to end: any run of them is one view, hence one write without a copy. */
export class FrameTape {
  #bytes
  #ends

  constructor(frames) {
    this.#bytes = Buffer.concat(frames)
    let at = 0
    this.#ends = Float64Array.from(frames, (frame) => {
      at += frame.length
      return at
    })
  }

  get length() {
    return this.#ends.length
  }

  slice(from, to) {
    return this.#bytes.subarray(from === 0 ? 0 : this.#ends[from - 1], this.#ends[to - 1])
  }
}

/**
 * Splits what a server sends into frames: `onFrame(payload, opcode, frameBytes)`; the payload is a view that is
 * only good during the call. Answers pings. A close frame is told as `onClose(code, reason)`.
 */
export class FrameReader {
  #rest
  #onFrame
  socket

  constructor(onFrame) {
    this.#onFrame = onFrame
  }

  push(chunk) {
    let bytes = chunk
    if (this.#rest !== undefined) {
      bytes = Buffer.concat([this.#rest, chunk])
      this.#rest = undefined
    }
    let at = 0
    while (bytes.length - at >= 2) {
      const length = bytes[at + 1]
      const start = at + (length < 126 ? 2 : length === 126 ? 4 : 10)
      if (start > bytes.length) break
      const size =
        length < 126
          ? length
          : length === 126
            ? bytes.readUInt16BE(at + 2)
            : Number(bytes.readBigUInt64BE(at + 2))
      const end = start + size
      if (end > bytes.length) break
      this.#take(bytes[at] & 15, bytes.subarray(start, end), end - at)
      at = end
    }
    if (at < bytes.length) this.#rest = Buffer.from(bytes.subarray(at))
  }

  #take(opcode, payload, frameBytes) {
    if (opcode === TEXT || opcode === BINARY) this.#onFrame(payload, opcode, frameBytes)
    else if (opcode === PING) this.socket?.write(clientFrame(payload, 10))
    else if (opcode === CLOSE) {
      const code = payload.length >= 2 ? payload.readUInt16BE(0) : 1005
      this.socket?.emit('closeFrame', code, payload.subarray(2).toString())
    }
  }
}
