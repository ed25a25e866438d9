/** An agent on a free port whose executor does what the text says, and plain HTTP to talk to it. */
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { type Agent, type AgentOptions, createAgent } from '../src/agent.js'
import type { Executor } from '../src/executor.js'

export const SKILL = { id: 'echo', name: 'Echo', description: 'Says it again', tags: ['text'] }
export const CARD = { name: 'Parrot', description: 'Repeats what it hears', skills: [SKILL] }

/**
 * `ask`: input required. `wait`: works until it is cancelled. `boom`: throws. `reply`: a direct message.
 * `chunks <n> <bytes>`: streams. Anything else is echoed as an artifact.
 */
export const parrot: Executor = {
  directReply: true,
  async execute({ text, signal, write, resumed, drained, artifact }) {
    const [word = '', count = '1', size = '1'] = text.split(' ')
    if (word === 'ask' && !resumed) return { state: 'input-required', message: 'Which one?' }
    if (word === 'boom') throw new Error('secret at /etc/passwd')
    if (word === 'reply') return { state: 'message', parts: [{ text: 'hello' }] }
    if (word === 'wait')
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    else if (word === 'chunks') {
      for (let index = 0; index < Number(count) && !signal.aborted; index += 1) {
        write('x'.repeat(Number(size)))
        await drained()
      }
    } else artifact({ id: 'result', parts: [{ text }] })
    return undefined
  },
}

interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** Undefined when it is none. */
  readonly json: ReturnType<typeof JSON.parse>
}

export interface Parrot {
  readonly agent: Agent
  readonly url: string
  readonly errors: unknown[]
  /** A call of 1.0 unless `version` says otherwise; `''` sends no header. */
  rpc(method: string, params: unknown, headers?: Record<string, string>): Promise<Answer>
  ask(verb: string, path: string, options?: AskOptions): Promise<Answer>
  /** The response as it begins; nothing is read. */
  open(verb: string, path: string, options?: AskOptions): Promise<IncomingMessage>
}

interface AskOptions {
  readonly headers?: Record<string, string>
  /** Text and bytes go as they are, the rest as JSON. */
  readonly body?: unknown
}

export const V1 = { 'a2a-version': '1.0' }

export const hear = (text: string, more: object = {}) => ({
  message: { messageId: crypto.randomUUID(), role: 'ROLE_USER', parts: [{ text }], ...more },
})

export async function openParrot(options: Partial<AgentOptions> = {}): Promise<Parrot> {
  const errors: unknown[] = []
  const agent = createAgent({
    card: CARD,
    executor: parrot,
    anonymous: 'shared',
    onError: (error) => errors.push(error),
    ...options,
  })
  const { url } = await agent.listen()
  const port = Number(new URL(url).port)
  const open = (verb: string, path: string, { headers = {}, body }: AskOptions = {}) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const isRaw = typeof body === 'string' || body instanceof Uint8Array
      const sent = body === undefined || isRaw ? body : JSON.stringify(body)
      const type: Record<string, string> = sent === undefined ? {} : { 'content-type': 'application/json' }
      const asked = httpRequest(
        { host: '127.0.0.1', port, method: verb, path, headers: { ...type, ...headers }, agent: false },
        resolve,
      )
      asked.on('error', reject)
      asked.end(sent)
    })
  const ask = async (verb: string, path: string, asked?: AskOptions): Promise<Answer> => {
    const response = await open(verb, path, asked)
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    return { status: response.statusCode ?? 0, headers: response.headers, text, json: parse(text) }
  }
  return {
    agent,
    url,
    errors,
    open,
    ask,
    rpc: (method, params, headers = V1) =>
      ask('POST', '/', { headers, body: { jsonrpc: '2.0', id: 1, method, params } }),
  }
}

/** The JSON of every `data:` line. */
export const dataOf = (text: string): ReturnType<typeof JSON.parse>[] =>
  text.split('\n').flatMap((line) => (line.startsWith('data: ') ? [JSON.parse(line.slice(6))] : []))

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
