/**
 * A bare WebSocket peer for tests: it says exactly the bytes it is told and checks that what it hears is framed as
 * RFC 6455 demands of a server. No library, so that broken, slow and half-open peers can be played.
 */
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { isJsonObject, type JsonObject, parseJson } from '@aetherkit/core'

export interface Heard {
  /** 1 text, 2 binary. */
  readonly opcode: number
  readonly payload: Buffer
}

export interface RawPeerOptions {
  /** Default `/`. */
  readonly path?: string
  /** `Sec-WebSocket-Protocol`. */
  readonly protocol?: string
  /** More header lines, each `Name: value`. */
  readonly headers?: readonly string[]
}

export class RawPeer {
  readonly socket: Socket
  /** Status line and headers of the upgrade. */
  readonly response: string
  /** Resolves with the close frame's code and reason, 1006 when there was none. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  /** Data messages not yet taken by {@link hear}. */
  readonly heard: Heard[] = []
  /** Pings the relay sent. */
  pings = 0
  /** Answer pings, as a live peer does. */
  pong = true
  #rest: Buffer = Buffer.alloc(0)
  #waiting: { resolve(heard: Heard): void; reject(error: Error): void }[] = []
  #close = { code: 1006, reason: '' }
  #over = false

  private constructor(socket: Socket, response: string, rest: Buffer) {
    this.socket = socket
    this.response = response
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#over = true
        for (const { reject } of this.#waiting.splice(0))
          reject(new Error(`closed with ${this.#close.code} ${this.#close.reason}`))
        resolve(this.#close)
      })
    })
    socket.on('data', (chunk) => this.#take(chunk))
    this.#take(rest)
  }

  /** Upgrades; rejects when the answer is not 101. */
  static async connect(port: number, options: RawPeerOptions = {}): Promise<RawPeer> {
    const { socket, response, rest } = await upgrade(port, options)
    if (response.startsWith('HTTP/1.1 101')) return new RawPeer(socket, response, rest)
    socket.destroy()
    throw new Error(response.split('\r\n')[0])
  }

  /** A JSON message as text, or the text as it stands. */
  say(message: string | object): void {
    this.frame(1, Buffer.from(typeof message === 'string' ? message : JSON.stringify(message)))
  }

  sayBytes(payload: Uint8Array): void {
    this.frame(2, payload)
  }

  /** One masked frame; `head` overrides the first byte (FIN, reserved bits, opcode). */
  frame(opcode: number, payload: Uint8Array, head = 0x80 | opcode): void {
    this.socket.write(clientFrame(opcode, payload, head))
  }

  /** The next data message. */
  hear(): Promise<Heard> {
    const next = this.heard.shift()
    if (next !== undefined) return Promise.resolve(next)
    if (this.#over) return Promise.reject(new Error(`closed with ${this.#close.code} ${this.#close.reason}`))
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  /** The next message, which must be JSON in a text frame. Integers beyond 2^53 are bigint. */
  async hearJson(): Promise<JsonObject> {
    const { opcode, payload } = await this.hear()
    if (opcode !== 1) throw new Error(`text frame expected, got opcode ${opcode}`)
    const parsed = parseJson(payload.toString())
    if (!parsed.ok || !isJsonObject(parsed.value)) throw new Error(`JSON expected, got ${payload}`)
    return parsed.value
  }

  /** Says a message and returns the next one heard. */
  ask(message: string | object): Promise<JsonObject> {
    this.say(message)
    return this.hearJson()
  }

  /** Closing handshake. */
  async close(): Promise<void> {
    this.frame(8, Buffer.from([0x03, 0xe8]))
    await this.closed
  }

  #take(chunk: Buffer): void {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    for (;;) {
      const frame = readServerFrame(this.#rest)
      if (frame === undefined) return
      this.#rest = this.#rest.subarray(frame.size)
      this.#handle(frame.opcode, frame.payload)
    }
  }

  #handle(opcode: number, payload: Buffer): void {
    if (opcode === 9) {
      this.pings++
      if (this.pong) this.frame(10, payload)
    } else if (opcode === 8) {
      this.#close = {
        code: payload.length < 2 ? 1005 : payload.readUInt16BE(0),
        reason: payload.subarray(2).toString(),
      }
      if (!this.socket.writableEnded) this.socket.end(clientFrame(8, payload.subarray(0, 2), 0x88))
    } else if (opcode !== 10) {
      const waiting = this.#waiting.shift()
      if (waiting === undefined) this.heard.push({ opcode, payload })
      else waiting.resolve({ opcode, payload })
    }
  }
}

/** Sends an upgrade request and reads the head of the answer. */
export async function upgrade(
  port: number,
  { path = '/', protocol, headers = [] }: RawPeerOptions = {},
): Promise<{ socket: Socket; response: string; rest: Buffer }> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
    ...headers,
  ]
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  return new Promise((resolve, reject) => {
    let head: Buffer = Buffer.alloc(0)
    const onData = (chunk: Buffer) => {
      head = Buffer.concat([head, chunk])
      const end = head.indexOf('\r\n\r\n')
      if (end === -1) return
      socket.off('data', onData)
      resolve({ socket, response: head.subarray(0, end).toString(), rest: head.subarray(end + 4) })
    }
    socket.on('data', onData)
    socket.once('close', () => reject(new Error('closed before an answer')))
  })
}

/** A masked frame, as clients must send it. */
export function clientFrame(opcode: number, payload: Uint8Array, head = 0x80 | opcode): Buffer {
  const length = payload.length
  const header = Buffer.alloc(length < 126 ? 2 : length < 0x10000 ? 4 : 10)
  header[0] = head
  header[1] = 0x80 | (length < 126 ? length : length < 0x10000 ? 126 : 127)
  if (header.length === 4) header.writeUInt16BE(length, 2)
  if (header.length === 10) header.writeBigUInt64BE(BigInt(length), 2)
  const mask = randomBytes(4)
  const masked = Buffer.from(payload)
  for (let i = 0; i < length; i++) masked[i]! ^= mask[i % 4]!
  return Buffer.concat([header, mask, masked])
}

/** The first frame of the bytes, undefined when it is not whole yet. Anything a server must not send throws. */
function readServerFrame(bytes: Buffer): { opcode: number; payload: Buffer; size: number } | undefined {
  if (bytes.length < 2) return undefined
  const first = bytes[0]!
  const second = bytes[1]!
  if ((first & 0x70) !== 0) throw new Error('reserved bits set by the relay')
  if ((first & 0x80) === 0) throw new Error('fragment sent by the relay')
  if ((second & 0x80) !== 0) throw new Error('masked frame sent by the relay')
  const opcode = first & 0x0f
  if (![1, 2, 8, 9, 10].includes(opcode)) throw new Error(`opcode ${opcode} sent by the relay`)
  const header = second < 126 ? 2 : second === 126 ? 4 : 10
  if (bytes.length < header) return undefined
  const length =
    second < 126 ? second : second === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2))
  if (bytes.length < header + length) return undefined
  return { opcode, payload: Buffer.from(bytes.subarray(header, header + length)), size: header + length }
}
