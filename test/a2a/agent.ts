/**
 * An agent on a free port whose executor does what the text says, and plain HTTP with literal JSON to talk to it: no
 * client of ours stands between a case and the wire. Everything is taken down after the test.
 */
import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { type Agent, type AgentOptions, createAgent, type Executor } from '@aetherkit/a2a'
import { afterEach, vi } from 'vitest'

// Cases wait for the thing itself; how long is for a machine that is busy with others.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000, expect: { poll: { timeout: 30_000 } } })

/** What came over the wire, looked into by the test. */
export type Loose = ReturnType<typeof JSON.parse>

export const CARD = {
  name: 'Parrot',
  description: 'Repeats what it hears',
  skills: [{ id: 'echo', name: 'Echo', description: 'Says it again', tags: ['text'] }],
}
export const V1 = { 'a2a-version': '1.0' }
export const ERROR_INFO = 'type.googleapis.com/google.rpc.ErrorInfo'
export const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest'

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})
/** Run after the test, last first. */
export const later = (end: () => unknown): void => void ends.push(end)

/** Texts it knows; anything else is echoed as the artifact `result`. */
interface Script {
  /** Texts that were executed, in order. */
  readonly runs: string[]
  /** Lets `gate <name>` go on. */
  release(name: string): void
  readonly executor: Executor
}

/**
 * `ask`, `login`: input or authorization required. `no`: rejected. `boom`: throws. `reply`: a direct message where the
 * agent replies. `wait`: until it is cancelled. `deaf <name>`: until it is released, whatever the signal. `gate <name>`:
 * until it is released. `chunks <n> <bytes>`: streams. `parts`: one artifact with the parts of the message.
 */
export function script(more: Partial<Executor> = {}): Script {
  const runs: string[] = []
  const gates = new Map<string, { readonly opened: Promise<void>; readonly open: () => void }>()
  const gate = (name: string) => {
    let open = () => {}
    const found = gates.get(name) ?? {
      opened: new Promise<void>((resolve) => (open = resolve)),
      open: () => open(),
    }
    gates.set(name, found)
    return found
  }
  const executor: Executor = {
    ...more,
    async execute({ text, message, signal, resumed, write, artifact, progress, drained }) {
      runs.push(text)
      const [word, name = '', size = '1'] = text.split(/\s/)
      if (word === 'ask' && !resumed) return { state: 'input-required', message: 'Which one?' }
      if (word === 'login' && !resumed) return { state: 'auth-required', message: 'Who are you?' }
      if (word === 'no') return { state: 'rejected', message: 'Not today' }
      if (word === 'boom') throw new Error('secret at /etc/passwd')
      if (word === 'reply') return { state: 'message', parts: [{ text: 'hello' }] }
      if (word === 'wait' || word === 'gate') {
        progress('at it')
        const stopped = new Promise<void>((resolve) =>
          signal.addEventListener('abort', () => resolve(), { once: true }),
        )
        await (word === 'wait' ? stopped : Promise.race([gate(name).opened, stopped]))
        if (signal.aborted) return undefined
      }
      if (word === 'deaf') await gate(name).opened
      if (word === 'chunks') {
        for (let index = 0; index < Number(name) && !signal.aborted; index++) {
          write('x'.repeat(Number(size)))
          await drained()
        }
        return undefined
      }
      artifact({ id: 'result', parts: word === 'parts' ? message.parts : [{ text }] })
      return undefined
    },
  }
  return { runs, executor, release: (name) => gate(name).open() }
}

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly text: string
  /** Undefined when it is none. */
  readonly json: Loose
}

/** One event of a stream as it stood there. */
export interface SseEvent {
  readonly event: string | undefined
  readonly id: string | undefined
  readonly data: Loose
}

export interface Stream {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly response: IncomingMessage
  /** All bytes up to now. */
  text(): string
  /** Undefined at the end. */
  next(): Promise<SseEvent | undefined>
  rest(): Promise<SseEvent[]>
  close(): void
}

export interface Caller {
  /** `SendMessage` and the like of 1.0 to the base, under id 1. */
  rpc(method: string, params?: unknown, headers?: Record<string, string>): Promise<Answer>
  /** The envelope as it is given. */
  post(body: unknown, headers?: Record<string, string>): Promise<Answer>
  /** REST of 1.0. */
  rest(verb: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  /** No header of ours. Text and bytes go as they are, the rest as JSON. */
  ask(
    verb: string,
    path: string,
    asking?: { readonly headers?: Record<string, string>; readonly body?: unknown },
  ): Promise<Answer>
  stream(method: string, params: unknown, headers?: Record<string, string>): Promise<Stream>
  restStream(verb: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Stream>
  /** The task of a message with this text. */
  send(text: string, more?: object, configuration?: object): Promise<Loose>
  /** The same agent, asked by somebody with this credential. */
  as(name: string): Caller
}

export interface Running extends Caller, Script {
  readonly agent: Agent
  readonly url: string
  readonly errors: unknown[]
}

/** `Authorization: alice` is `bearer:alice`. */
export const named: NonNullable<AgentOptions['authenticate']> = ({ header }) => {
  const name = header('authorization')
  return name === undefined ? undefined : { owner: `bearer:${name}`, anonymous: false }
}

export async function openAgent(
  options: Partial<AgentOptions> & { readonly more?: Partial<Executor> } = {},
): Promise<Running> {
  const { more, ...rest } = options
  const errors: unknown[] = []
  const made = script(more)
  const agent = createAgent({
    card: CARD,
    executor: made.executor,
    anonymous: 'shared',
    onError: (error) => errors.push(error),
    ...rest,
  })
  const { url } = await agent.listen()
  later(() => agent.close())
  return { ...callerOf(url, {}), ...made, agent, url, errors }
}

export const say = (text: string, more: object = {}) => ({
  message: { messageId: crypto.randomUUID(), role: 'ROLE_USER', parts: [{ text }], ...more },
})

export const envelope = (method: string, params?: unknown, id: unknown = 1) => ({
  jsonrpc: '2.0',
  id,
  method,
  ...(params !== undefined && { params }),
})

/** Raw HTTP to an agent; `own` goes with every request. */
export function callerOf(url: string, own: Record<string, string>): Caller {
  const { port, pathname } = new URL(url)
  const base = pathname.replace(/\/+$/, '')
  const open = (verb: string, path: string, { headers = {}, body }: Parameters<Caller['ask']>[2] = {}) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const isRaw = typeof body === 'string' || body instanceof Uint8Array
      const sent = body === undefined || isRaw ? body : JSON.stringify(body)
      const type = sent === undefined ? {} : { 'content-type': 'application/json' }
      const asked = httpRequest(
        {
          host: '127.0.0.1',
          port,
          method: verb,
          path: base + path,
          headers: { ...type, ...own, ...headers },
          agent: false,
        },
        resolve,
      )
      asked.on('error', reject)
      asked.end(sent)
    })
  const ask: Caller['ask'] = async (verb, path, asking) => {
    const response = await open(verb, path, asking)
    const chunks: Buffer[] = []
    for await (const chunk of response) chunks.push(chunk)
    const text = Buffer.concat(chunks).toString()
    return { status: response.statusCode ?? 0, headers: response.headers, text, json: parse(text) }
  }
  const post: Caller['post'] = (body, headers = V1) => ask('POST', '/', { headers, body })
  const rpc: Caller['rpc'] = (method, params, headers = V1) => post(envelope(method, params), headers)
  return {
    ask,
    post,
    rpc,
    rest: (verb, path, body, headers = V1) => ask(verb, path, { headers, body }),
    stream: async (method, params, headers = V1) =>
      streamOf(await open('POST', '/', { headers, body: envelope(method, params) })),
    restStream: async (verb, path, body, headers = V1) => streamOf(await open(verb, path, { headers, body })),
    async send(text, more, configuration) {
      const { json } = await rpc('SendMessage', {
        ...say(text, more),
        ...(configuration && { configuration }),
      })
      if (json.error !== undefined) throw new Error(JSON.stringify(json.error))
      return json.result.task
    },
    as: (name) => callerOf(url, { ...own, authorization: name }),
  }
}

/** Events of an open response, read one by one. */
function streamOf(response: IncomingMessage): Stream {
  let text = ''
  let taken = 0
  const chunks = response.setEncoding('utf8')[Symbol.asyncIterator]()
  const next = async (): Promise<SseEvent | undefined> => {
    while (true) {
      const end = text.indexOf('\n\n', taken)
      if (end >= 0) {
        const lines = text.slice(taken, end).split('\n')
        taken = end + 2
        const field = (name: string) =>
          lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
        const data = lines.filter((line) => line.startsWith('data: '))
        if (data.length > 1) throw new Error('an event of more than one line')
        if (data[0] === undefined) continue
        return { event: field('event'), id: field('id'), data: JSON.parse(data[0].slice(6)) }
      }
      const { done, value } = await chunks.next().catch(() => ({ done: true, value: '' }))
      if (done === true) return undefined
      text += value
    }
  }
  later(() => response.destroy())
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    response,
    text: () => text,
    next,
    async rest() {
      const events: SseEvent[] = []
      for (let event = await next(); event !== undefined; event = await next()) events.push(event)
      return events
    },
    close: () => void response.destroy(),
  }
}

function parse(text: string): Loose {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The StreamResponse of an event of JSON-RPC. */
export const resultOf = (event: SseEvent | undefined): Loose => event?.data.result

/** `task`, `statusUpdate`, `artifactUpdate` or `message`. */
export const kindOf = (response: Loose): string => Object.keys(response)[0] ?? ''

/** The state that a StreamResponse tells, if any. */
export const stateIn = (response: Loose): string | undefined =>
  (response.task ?? response.statusUpdate)?.status.state

/** The code of a JSON-RPC error and the reason in its ErrorInfo. */
export const codeOf = ({ json }: Answer): [number | undefined, string | undefined] => [
  json?.error?.code,
  json?.error?.data?.find((item: Loose) => item['@type'] === ERROR_INFO)?.reason,
]

/** The status and the reason of a REST error. */
export const restCodeOf = ({ status, json }: Answer): [number, string | undefined] => [
  status,
  json?.error?.details?.find((item: Loose) => item['@type'] === ERROR_INFO)?.reason,
]
