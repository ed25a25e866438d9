/** A response under watch (spec payments 10): what is told of it, once, whoever is there to read it. */
import { createServer, type RequestListener, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Release, type WatchOptions, type Written, watchResponse } from './held-response.js'

vi.setConfig({ testTimeout: 20_000 })

let server: Server
let base: string
let handle: RequestListener
/** What was told, in order. */
let told: string[]

beforeEach(async () => {
  told = []
  server = createServer((asked, response) => handle(asked, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterEach(() => {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(resolve))
})

const send: Release = { kind: 'send', headers: { 'X-Receipt': 'paid' } }

/** A handler under watch; `told` has `ended <status> <body>`, `aborted`, `failed`. */
function watched(options: Partial<WatchOptions>, handler: RequestListener, outcome = async () => send): void {
  handle = (asked, response) => {
    watchResponse(response, {
      hold: () => false,
      keepBytes: 100,
      ended({ status, body }: Written) {
        const text = body === undefined ? 'not kept' : Buffer.from(body).toString()
        told.push(`ended ${status} ${text}`)
        return outcome()
      },
      aborted: () => void told.push('aborted'),
      failed: (error) => void told.push(`failed ${error}`),
      ...options,
    })
    handler(asked, response)
  }
}

/** Asks, and leaves as soon as the handler says so; resolves when the server has noticed. */
function leaveWhen(started: Promise<unknown>, closed: Promise<unknown>): Promise<unknown> {
  const asked = request(base).on('error', () => {})
  asked.end()
  void started.then(() => asked.destroy())
  return closed
}

/** A promise and what keeps it. */
function gate(): { promise: Promise<void>; open: () => void } {
  let open = () => {}
  const promise = new Promise<void>((resolve) => {
    open = resolve
  })
  return { promise, open }
}

const turns = () => new Promise((resolve) => setTimeout(resolve, 20))

test('what is written passes as it comes, is told once, and is kept up to its limit', async () => {
  watched({}, (_, response) => {
    response.write('a')
    response.end('b')
    response.end('c')
  })
  expect(await (await fetch(base)).text()).toBe('ab')
  watched({ keepBytes: 1 }, (_, response) => {
    response.write('a')
    response.end('b')
  })
  expect(await (await fetch(base)).text()).toBe('ab')
  expect(told).toEqual(['ended 200 ab', 'ended 200 not kept'])
})

test.each([
  ['that has sent nothing', false, false],
  ['in the middle of its stream', true, false],
  ['whose response is held back', true, true],
])(
  'a handler %s finishes after the client has left, and its whole result is told',
  async (_, early, held) => {
    const [started, closed, finish] = [gate(), gate(), gate()]
    watched({ hold: () => held }, async (_asked, response) => {
      response.once('close', closed.open)
      if (early) response.write('first ')
      started.open()
      await finish.promise
      response.write('second ')
      response.end('third')
    })
    await leaveWhen(started.promise, closed.promise)
    await turns()
    expect(told).toEqual([])
    finish.open()
    await expect.poll(() => told).toEqual([`ended 200 ${early ? 'first ' : ''}second third`])
  },
)

test.each<[string, (response: Parameters<RequestListener>[1]) => void]>([
  ['ends its response', (response) => void response.end('part')],
  ['destroys it', (response) => void response.destroy()],
])('a handler that %s because the client left has no result: aborted at once', async (_, react) => {
  const [started, closed] = [gate(), gate()]
  watched({}, (asked, response) => {
    response.write('first ')
    asked.once('close', () => react(response))
    response.once('close', closed.open)
    started.open()
  })
  await leaveWhen(started.promise, closed.promise)
  await expect.poll(() => told).toEqual(['aborted'])
})

test('a handler that breaks off by itself is aborted, without waiting for it', async () => {
  watched({}, (_, response) => {
    response.write('first ')
    response.destroy()
  })
  await expect(fetch(base).then((response) => response.text())).rejects.toThrow()
  await expect.poll(() => told).toEqual(['aborted'])
})

test('a handler that does not finish in its time is aborted once, and nothing is told of it later', async () => {
  const [started, closed, finish] = [gate(), gate(), gate()]
  watched({ finishMs: 20 }, async (_, response) => {
    response.once('close', closed.open)
    started.open()
    await finish.promise
    response.end('late')
    told.push('the handler is done')
  })
  await leaveWhen(started.promise, closed.promise)
  await expect.poll(() => told).toEqual(['aborted'])
  finish.open()
  await expect.poll(() => told).toEqual(['aborted', 'the handler is done'])
})

test('after the client has left, a result that is too long to be kept is aborted', async () => {
  const [started, closed, finish] = [gate(), gate(), gate()]
  watched({ hold: () => true }, async (_, response) => {
    response.once('close', closed.open)
    started.open()
    await finish.promise
    response.end('x'.repeat(101))
  })
  await leaveWhen(started.promise, closed.promise)
  finish.open()
  await expect.poll(() => told).toEqual(['aborted'])
})

test('a held response leaves whole, with what was decided, and only then', async () => {
  const decided = gate()
  watched(
    { hold: () => true },
    (_, response) => {
      response.writeHead(201, { 'x-mine': 'a' })
      response.write('first ')
      response.end('last')
    },
    async () => {
      await decided.promise
      return send
    },
  )
  const answer = fetch(base)
  await expect.poll(() => told).toEqual(['ended 201 first last'])
  decided.open()
  const response = await answer
  expect([response.status, response.headers.get('x-mine'), response.headers.get('x-receipt')]).toEqual([
    201,
    'a',
    'paid',
  ])
  expect(await response.text()).toBe('first last')
})

test('a held response beyond holdBytes is decided there and then, not kept, and streamed on', async () => {
  const [decided, rest] = [gate(), gate()]
  const pressure: boolean[] = []
  let drained = 0
  watched(
    { hold: () => true, keepBytes: 1_000, holdBytes: 10 },
    async (_, response) => {
      response.on('drain', () => drained++)
      pressure.push(response.write('12345'), response.write('67890x'), response.write('y'))
      decided.open()
      await rest.promise
      response.write('z')
      response.end('!')
    },
    async () => {
      await decided.promise
      return send
    },
  )
  const response = await fetch(base)
  expect([response.headers.get('x-receipt'), pressure, drained]).toEqual(['paid', [true, false, false], 1])
  const reader = response.body!.getReader()
  expect(Buffer.from((await reader.read()).value!).toString()).toBe('1234567890xy')
  rest.open()
  let text = ''
  for (let part = await reader.read(); !part.done; part = await reader.read())
    text += Buffer.from(part.value).toString()
  expect(text).toBe('z!')
  expect(told).toEqual(['ended 200 not kept'])
})

test('when what was held back is not let go, the other answer leaves alone, and the handler writes into nothing', async () => {
  watched(
    { hold: () => true, holdBytes: 4 },
    async (_, response) => {
      response.setHeader('x-mine', 'a')
      response.write('secret')
      await turns()
      response.setHeader('x-late', 'b')
      response.write('secret')
      response.end('secret')
    },
    async () => ({ kind: 'respond', status: 402, headers: { 'x-why': 'unpaid' }, body: 'pay first' }),
  )
  const response = await fetch(base)
  expect([response.status, response.headers.get('x-why'), response.headers.get('x-mine')]).toEqual([
    402,
    'unpaid',
    null,
  ])
  expect(await response.text()).toBe('pay first')
  await turns()
  expect(told).toEqual(['ended 200 not kept'])
})

test.each([true, false])('a handler that takes too long is answered in its place, held: %s', async (held) => {
  const late = gate()
  const timedOut = async (): Promise<Release> => {
    told.push('timed out')
    return { kind: 'respond', status: 504, headers: {}, body: 'too late' }
  }
  watched({ hold: () => held, timeoutMs: 20, timedOut }, async (_, response) => {
    if (held) response.write('some')
    await late.promise
    response.setHeader('x-late', 'b')
    response.end('late')
    told.push('the handler is done')
  })
  const response = await fetch(base)
  expect([response.status, await response.text()]).toEqual([504, 'too late'])
  late.open()
  await expect.poll(() => told).toEqual(['timed out', 'the handler is done'])
})

test('a stream that has begun is not timed out', async () => {
  const late = gate()
  const timedOut = async (): Promise<Release> => ({ kind: 'respond', status: 504, headers: {}, body: '' })
  watched({ timeoutMs: 20, timedOut }, async (_, response) => {
    response.write('first ')
    await late.promise
    response.end('last')
  })
  const response = await fetch(base)
  await turns()
  late.open()
  expect([response.status, await response.text()]).toEqual([200, 'first last'])
})
