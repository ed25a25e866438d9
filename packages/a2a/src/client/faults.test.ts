/** The client against agents that fail, refuse and break off (spec a2a 6.2 no. 18, 7.7). */
import { expect, test } from 'vitest'
import { atEnd, cardAt, cuttingProxy, fakeAgent, json, local, taskOf } from '../../test/faulty.js'
import { openParrot, parrot as parrotExecutor } from '../../test/http.js'
import type { Executor } from '../executor.js'
import type { StreamResponse } from '../model.js'
import { STREAM_RESUME_EXTENSION } from '../stream-resume.js'
import { type ConnectOptions, connectAgent } from './connect.js'
import { AgentError } from './errors.js'

async function connect(target: Parameters<typeof connectAgent>[0], options: ConnectOptions = {}) {
  const agent = await connectAgent(target, local(options))
  atEnd(() => agent.close())
  return agent
}

const failure = (call: Promise<unknown>): Promise<AgentError> =>
  call.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => (AgentError.is(error) ? error : Promise.reject(error)),
  )

test.each([
  [
    401,
    {},
    { 'www-authenticate': 'Bearer realm="x"' },
    { code: 'UNAUTHENTICATED', facts: { challenge: 'Bearer realm="x"' } },
  ],
  [403, {}, {}, { code: 'FORBIDDEN' }],
  [429, {}, { 'retry-after': '61' }, { code: 'RATE_LIMITED', facts: { retryAfterSeconds: 61 } }],
  [413, '<html>', {}, { code: 'TOO_LARGE' }],
  [503, {}, { 'retry-after': '90' }, { code: 'UNREACHABLE', facts: { status: 503, retryAfterSeconds: 90 } }],
  [
    402,
    { x402Version: 1, error: 'payment_required', accepts: [] },
    { 'payment-required': Buffer.from('{"x402Version":2,"accepts":[]}').toString('base64') },
    { code: 'PAYMENT_REQUIRED', facts: { requirements: { x402Version: 2 } } },
  ],
])('[client-errors] HTTP %i is an error with a code', async (status, body, headers, expected) => {
  const { url, asked } = await fakeAgent((_asked, response) => json(response, body, status, headers))
  const agent = await connect(url)
  expect(await failure(agent.send('hello'))).toMatchObject({ ...expected, source: 'agent' })
  expect(asked.filter(({ method }) => method === 'POST')).toHaveLength(1)
})

test('[client-errors, client-stream-error] an HTTP error on a stream is that error, and an error event ends the stream', async () => {
  let isEarly = true
  const { url } = await fakeAgent((asked, response) => {
    if (isEarly) return json(response, { error: { code: 403 } }, 403)
    const { id } = asked.body
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(
      `: hello\r\n\r\ndata: ${JSON.stringify({ jsonrpc: '2.0', id, result: { task: taskOf({ status: { state: 'TASK_STATE_WORKING' } }) } })}\r\n\r\n`,
    )
    response.end(
      `event: error\ndata: ${JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32603, message: 'boom' } })}\n\n`,
    )
  })
  const agent = await connect(url)
  const read = async () => {
    for await (const _event of agent.stream('hello'));
  }
  expect(await failure(read())).toMatchObject({ code: 'FORBIDDEN' })
  isEarly = false
  expect(await failure(read())).toMatchObject({ code: 'INTERNAL', message: 'boom', source: 'agent' })
})

test.each([
  [-32001, 'TASK_NOT_FOUND'],
  [-32002, 'TASK_NOT_CANCELABLE'],
  [-32003, 'PUSH_NOTIFICATION_NOT_SUPPORTED'],
  [-32005, 'CONTENT_TYPE_NOT_SUPPORTED'],
  [-32602, 'INVALID_PARAMS'],
  [-31999, 'INTERNAL'],
])('[client-errors] the JSON-RPC error %i is %s', async (rpc, code) => {
  const { url } = await fakeAgent(({ body }, response) =>
    json(response, { jsonrpc: '2.0', id: body.id, error: { code: rpc, message: 'no' } }),
  )
  expect(await failure((await connect(url)).cancel('task-1'))).toMatchObject({ code, message: 'no' })
})

test('[client-errors] details of an error are read: reason, metadata, violations', async () => {
  const data = [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: 'RATE_LIMITED',
      domain: 'a2a-protocol.org',
      metadata: { errorId: '7' },
    },
    {
      '@type': 'type.googleapis.com/google.rpc.BadRequest',
      fieldViolations: [{ field: 'message', description: 'is required' }],
    },
  ]
  const { url } = await fakeAgent(({ body }, response) =>
    json(response, { jsonrpc: '2.0', id: body.id, error: { code: -32000, message: 'no', data } }),
  )
  expect(await failure((await connect(url, { retry: { attempts: 0 } })).get('task-1'))).toMatchObject({
    code: 'RATE_LIMITED',
    facts: { metadata: { errorId: '7' }, violations: [{ field: 'message', description: 'is required' }] },
  })
})

test.each([
  [409, { error: { code: 409, status: 'ABORTED', message: 'done' } }, 'TASK_NOT_CANCELABLE', 'cancel'],
  [
    415,
    { error: { code: 415, status: 'INVALID_ARGUMENT', message: 'type' } },
    'CONTENT_TYPE_NOT_SUPPORTED',
    'send',
  ],
  [501, { error: { code: 501, status: 'UNIMPLEMENTED', message: 'no' } }, 'UNSUPPORTED_OPERATION', 'get'],
  [
    501,
    { error: { code: 501, status: 'UNIMPLEMENTED', message: 'no' } },
    'PUSH_NOTIFICATION_NOT_SUPPORTED',
    'push',
  ],
  [502, { error: { code: 502, status: 'INTERNAL', message: 'bad' } }, 'INVALID_AGENT_RESPONSE', 'get'],
  [
    400,
    { type: 'https://a2a-protocol.org/errors/version-not-supported', title: 'no' },
    'VERSION_NOT_SUPPORTED',
    'get',
  ],
  [404, { type: 'https://a2a-protocol.org/errors/task-not-found', title: 'no' }, 'TASK_NOT_FOUND', 'get'],
] as const)('[client-old-codes] %i %j of 1.0.0 is %s', async (status, body, code, operation) => {
  const { url } = await fakeAgent(
    (_asked, response) => json(response, body, status),
    (at) =>
      cardAt(at, {
        supportedInterfaces: [{ url: at, protocolBinding: 'HTTP+JSON', protocolVersion: '1.0' }],
      }),
  )
  const agent = await connect(url)
  const call = {
    cancel: () => agent.cancel('task-1'),
    send: () => agent.send('hello'),
    get: () => agent.get('task-1'),
    push: () => agent.push.list('task-1'),
  }[operation]
  expect(await failure(call())).toMatchObject({ code, source: 'agent' })
})

test('[client-timeout] a call, a message and a stream that nobody answers end in TIMEOUT', async () => {
  const { url } = await fakeAgent(() => {})
  const agent = await connect(url, { timeouts: { call: 30, send: 40, stream: 60, idle: 50 } })
  expect(await failure(agent.get('task-1'))).toMatchObject({ code: 'TIMEOUT', source: 'client' })
  expect(await failure(agent.send('hello'))).toMatchObject({ code: 'TIMEOUT' })
  expect(await failure(agent.stream('hello')[Symbol.asyncIterator]().next())).toMatchObject({
    code: 'TIMEOUT',
  })
  const stop = new AbortController()
  const asked = agent.send('hello', { signal: stop.signal, timeoutMs: 60_000 })
  const reason = new Error('the caller has left')
  stop.abort(reason)
  await expect(asked).rejects.toBe(reason)
})

test('[client-retry] a lost answer is asked for again under the same message id, and the work runs once', async () => {
  let runs = 0
  const executor: Executor = {
    ...parrotExecutor,
    execute(execution) {
      runs += 1
      return parrotExecutor.execute(execution)
    },
  }
  const authenticate = async () => ({ owner: 'bearer:me', anonymous: false })
  const { agent: served, url } = await openParrot({ executor, authenticate })
  atEnd(() => served.close())
  const ids: string[] = []
  // The agent hears everything; its first two answers get lost.
  const proxy = await fakeAgent(
    async ({ body, headers }, response) => {
      ids.push(body.params.message.messageId)
      const { host: _host, 'content-length': _length, ...rest } = headers
      const answer = await fetch(url, {
        method: 'POST',
        headers: rest as Record<string, string>,
        body: JSON.stringify(body),
      })
      if (ids.length < 3) return void response.destroy()
      json(response, await answer.json())
    },
    (at) => cardAt(at, { capabilities: { streaming: true, extensions: [{ ...STREAM_RESUME_EXTENSION }] } }),
  )
  const agent = await connect(proxy.url, { auth: { bearer: 'secret' } })
  expect(await agent.send('hello')).toMatchObject({ task: { status: { state: 'TASK_STATE_COMPLETED' } } })
  expect(new Set(ids).size).toBe(1)
  expect(ids).toHaveLength(3)
  expect(runs).toBe(1)
})

test('[client-retry] an agent that may run a message twice gets it once, unless it said that it did not take it', async () => {
  const statuses = [503, 429, 0]
  const { url, asked } = await fakeAgent(({ body }, response) => {
    const status = statuses.shift()
    if (status === undefined)
      return json(response, { jsonrpc: '2.0', id: body.id, result: { task: taskOf() } })
    if (status === 0) return void response.destroy()
    json(response, {}, status, { 'retry-after': '0' })
  })
  const agent = await connect(url)
  expect(await failure(agent.send('hello'))).toMatchObject({ code: 'UNREACHABLE' })
  const ids = asked.filter(({ method }) => method === 'POST').map(({ body }) => body.params.message.messageId)
  expect(ids).toHaveLength(3)
  expect(new Set(ids).size).toBe(1)
})

/** Writes numbers, one chunk each; the first chunks wait until the stream was cut. */
const counting: Executor = {
  async execute({ write, drained, signal }) {
    for (let index = 0; index < 400 && !signal.aborted; index += 1) {
      write(`${index},`)
      await drained()
      if (index % 8 === 0) await new Promise((resolve) => setTimeout(resolve, 3))
    }
    return undefined
  },
}
const COUNTED = Array.from({ length: 400 }, (_, index) => `${index},`).join('')

async function followed(stream: AsyncIterable<StreamResponse>) {
  let text = ''
  const kinds: string[] = []
  for await (const event of stream) {
    kinds.push(Object.keys(event)[0] ?? '')
    if ('artifactUpdate' in event) {
      const { append, artifact } = event.artifactUpdate
      const said = artifact.parts.map((part) => part.text ?? '').join('')
      text = append === true ? text + said : said
    }
  }
  return { text, kinds }
}

test.each([
  ['behind the last number', true],
  ['from snapshots', false],
])(
  '[client-resume] a stream that is cut again and again goes on %s, no chunk lost or doubled',
  async (_name, numbered) => {
    const { agent: served, url } = await openParrot({ executor: counting })
    atEnd(() => served.close())
    const proxy = await cuttingProxy(url, (stream) => (stream < 5 ? 700 + stream * 300 : undefined))
    const card = cardAt(proxy.url, {
      capabilities: { streaming: true, ...(numbered && { extensions: [{ ...STREAM_RESUME_EXTENSION }] }) },
    })
    const agent = await connect(card as never)
    const { text, kinds } = await followed(agent.stream('count'))
    expect(text).toBe(COUNTED)
    expect(kinds.filter((kind) => kind === 'task')).toHaveLength(1)
    expect(kinds.at(-1)).toBe('statusUpdate')
    expect(proxy.streams()).toBeGreaterThanOrEqual(3)
    const methods = proxy.bodies.map(({ method }) => method)
    expect(methods.filter((method) => method === 'SendStreamingMessage')).toHaveLength(1)
  },
)

test('[client-resume] a task that ended while the stream was down is asked for', async () => {
  const { agent: served, url } = await openParrot({ executor: parrotExecutor })
  atEnd(() => served.close())
  const proxy = await cuttingProxy(url, (stream) => (stream === 0 ? 'artifactUpdate' : undefined))
  const agent = await connect(cardAt(proxy.url) as never)
  const { text, kinds } = await followed(agent.stream('gone in a moment'))
  expect(text).toBe('gone in a moment')
  expect(kinds[0]).toBe('task')
  expect(proxy.bodies.map(({ method }) => method)).toContain('GetTask')
})

test('[client-resume] an agent without streams is asked until its task rests', async () => {
  const { agent: served, url } = await openParrot({ streaming: false, executor: counting })
  atEnd(() => served.close())
  const agent = await connect(url)
  expect((await followed(agent.stream('count'))).text).toBe(COUNTED)
})
