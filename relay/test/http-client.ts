/**
 * Bare HTTP for tests: requests over `node:http`, raw bytes over a socket, and event streams. No library, so that
 * broken, slow and hostile clients can be played.
 */
import { type Agent, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'
import { isJsonObject, type JsonObject, parseJson } from '@aetherkit/core'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** The body, which must be a JSON object. Integers beyond 2^53 are bigint. */
  readonly json: JsonObject
}

export interface AskOptions {
  readonly headers?: Readonly<Record<string, string>>
  /** An object is sent as JSON, text as it stands; both as `application/json` unless the headers say otherwise. */
  readonly body?: string | object
  readonly agent?: Agent
}

export async function ask(port: number, line: string, options: AskOptions = {}): Promise<Answer> {
  const response = await open(port, line, options)
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString()
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    text,
    get json() {
      return objectOf(text)
    },
  }
}

/** `line`: method and path. */
function open(port: number, line: string, { headers, body, agent }: AskOptions): Promise<IncomingMessage> {
  const [method = '', path = ''] = line.split(' ')
  const text = typeof body === 'object' ? JSON.stringify(body) : body
  const type = text === undefined ? {} : { 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        ...{ port, method, path, host: '127.0.0.1', headers: { ...type, ...headers } },
        ...(agent !== undefined && { agent }),
      },
      resolve,
    )
    sent.on('error', reject)
    sent.end(text)
  })
}

/** Sends bytes as they stand and resolves with everything that came until the server closed. */
export function raw(port: number, ...parts: (string | Buffer)[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const chunks: Buffer[] = []
    socket.on('data', (chunk) => chunks.push(chunk))
    socket.on('error', () => {})
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')))
    for (const part of parts) socket.write(part)
  })
}

/** One block of an event stream: its fields, comments under `comment`. */
export type Block = Readonly<Record<string, string>>

export class EventStream {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Blocks not yet taken by {@link next}. */
  readonly blocks: Block[] = []
  readonly closed: Promise<void>
  /** Of the last block that had one. */
  lastId = ''
  readonly #response: IncomingMessage
  #text = ''
  #over = false
  #waiting: (() => void)[] = []

  private constructor(response: IncomingMessage) {
    this.#response = response
    this.status = response.statusCode ?? 0
    this.headers = response.headers
    response.setEncoding('utf8').on('data', (text: string) => this.#take(text))
    response.on('error', () => {})
    this.closed = new Promise((resolve) => {
      response.on('close', () => {
        this.#over = true
        this.#wake()
        resolve()
      })
    })
  }

  static async open(port: number, path: string, headers: AskOptions['headers'] = {}): Promise<EventStream> {
    return new EventStream(await open(port, `GET ${path}`, { headers }))
  }

  /** The next block; undefined when the stream is over. */
  async next(): Promise<Block | undefined> {
    while (this.blocks.length === 0 && !this.#over)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return this.blocks.shift()
  }

  /** The next block, which must be of this event, and its data, which must be JSON. */
  async nextJson(event = 'event'): Promise<JsonObject> {
    const block = await this.next()
    if (block?.event !== event) throw new Error(`${event} expected, got ${JSON.stringify(block)}`)
    return objectOf(block.data ?? '')
  }

  /** Stops reading; what comes waits in the kernel's buffers. */
  pause(): void {
    this.#response.pause()
  }

  resume(): void {
    this.#response.resume()
  }

  /** Closes abruptly. */
  close(): void {
    this.#response.destroy()
  }

  #take(text: string): void {
    this.#text += text
    const parts = this.#text.split('\n\n')
    this.#text = parts.pop() ?? ''
    for (const part of parts) {
      const block: Record<string, string> = {}
      for (const line of part.split('\n')) {
        const colon = line.indexOf(':')
        if (colon === -1) throw new Error(`no field: ${line}`)
        block[line.slice(0, colon) || 'comment'] = line.slice(colon + 1).replace(/^ /, '')
      }
      if (block.id !== undefined) this.lastId = block.id
      this.blocks.push(block)
    }
    this.#wake()
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

function objectOf(text: string): JsonObject {
  const parsed = parseJson(text)
  if (!parsed.ok || !isJsonObject(parsed.value)) throw new Error(`JSON object expected, got ${text}`)
  return parsed.value
}
