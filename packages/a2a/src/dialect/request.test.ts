import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { AGENT, atEnd, CALLER, CALLER_SEED, openDesk } from '../../test/dialect.js'
import { openParrot } from '../../test/http.js'
import type { JsonRecord } from '../model.js'
import { agentRequest } from './request.js'

const ask = { key: CALLER_SEED, to: AGENT, action: 'echo', payload: { text: 'hi' } }

/** A fetch that ends at a desk; `line` may lose what goes through it. */
function lineTo(desk: ReturnType<typeof openDesk>, line: (nth: number) => 'lost' | 'unanswered' | 'whole') {
  const bodies: string[] = []
  const fetch = async (_url: string, init: RequestInit): Promise<Response> => {
    const body = String(init.body)
    bodies.push(body)
    const what = line(bodies.length)
    if (what === 'lost') throw new TypeError('fetch failed')
    const answer = await desk.raw(JSON.parse(body) as JsonRecord)
    if (what === 'unanswered') throw new TypeError('socket hang up')
    return Response.json(answer.body, { status: answer.status, headers: answer.headers })
  }
  return { fetch, bodies }
}

/** Answers every request with this. */
async function answering(
  status: number,
  body: string,
  headers: Record<string, string> = {},
): Promise<string> {
  const server: Server = createServer((_request, response) => {
    response.writeHead(status, headers).end(body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  atEnd(() => new Promise((resolve) => server.close(resolve)))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('3: a call over HTTP to a real agent, without any other authentication', async () => {
  const { url, agent } = await openParrot({
    key: new Uint8Array(32).fill(7),
    authenticate: () => undefined,
    executor: {
      async execute({ artifact, data, context }) {
        artifact({ parts: [{ data: { heard: data ?? null, owner: context.caller.owner } }] })
      },
    },
  })
  expect(agent.address).toBe(AGENT)
  const result = await agentRequest(url, ask)
  expect(result).toEqual({
    status: 'success',
    data: { heard: { action: 'echo', payload: { text: 'hi' } }, owner: `solana:${CALLER}` },
  })
  await agent.close()
})

test('3.3: it emits milliseconds and a nonce, so that intended repeats differ', async () => {
  const desk = openDesk()
  const { fetch, bodies } = lineTo(desk, () => 'whole')
  const now = Date.now()
  const same = { ...ask, fetch, now: () => now }
  const [one, two] = [await agentRequest('http://agent', same), await agentRequest('http://agent', same)]
  expect([one, two]).toMatchObject([{ data: { nth: 1 } }, { data: { nth: 2 } }])
  const [first, second] = bodies.map((body) => JSON.parse(body).params)
  expect(first.timestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  expect(first.nonce).toMatch(/^[0-9a-f]{32}$/)
  expect(first.nonce).not.toBe(second.nonce)
})

test('3.3: an answer that is lost: the very same bytes again, and the work is done once', async () => {
  const desk = openDesk()
  const { fetch, bodies } = lineTo(desk, (nth) => (nth === 1 ? 'unanswered' : nth === 2 ? 'lost' : 'whole'))
  expect(await agentRequest('http://agent', { ...ask, fetch })).toMatchObject({ data: { nth: 1 } })
  expect(new Set(bodies).size).toBe(1)
  expect(bodies.length).toBe(3)
  expect(desk.clerk.executions.length).toBe(1)
})

test('time that is up ends it, and so does the signal, with its reason', async () => {
  const { fetch } = lineTo(openDesk(), () => 'lost')
  const late = agentRequest('http://agent', { ...ask, fetch, timeoutMs: 300 })
  await expect(late).rejects.toMatchObject({ message: 'fetch failed' })
  const stop = new AbortController()
  const stopped = agentRequest('http://agent', { ...ask, fetch, signal: stop.signal })
  stop.abort(new Error('enough'))
  await expect(stopped).rejects.toThrow('enough')
})

test.each([
  [{ action: 'echo', payload: { fail: true } }, 'INTERNAL'],
  [{ to: 'GmaDrppBC7P5ARKV8g3djiwP89vz1jLK23V2GBjuAEG9' }, 'INVALID_REQUEST'],
])('3.4: the error of the agent is the error here: %j', async (change, code) => {
  const { fetch } = lineTo(openDesk(), () => 'whole')
  await expect(agentRequest('http://agent', { ...ask, ...change, fetch })).rejects.toMatchObject({ code })
})

test('3.4: code and reason of a refusal are in the metadata', async () => {
  const { fetch } = lineTo(openDesk({ now: () => Date.now() + 100_000 }), () => 'whole')
  await expect(agentRequest('http://agent', { ...ask, fetch })).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
    details: { metadata: { code: 'TIMESTAMP_OUT_OF_WINDOW', reason: expect.any(String) } },
  })
})

test.each([
  [401, 'no', 'UNAUTHENTICATED'],
  [200, '<html>', 'INVALID_AGENT_RESPONSE'],
  [200, '{"jsonrpc":"2.0","id":"another","result":{"status":"success"}}', 'INVALID_AGENT_RESPONSE'],
  [500, '', 'INVALID_AGENT_RESPONSE'],
])('what is no answer of an agent is said so: HTTP %i %s', async (status, body, code) => {
  const url = await answering(status, body)
  await expect(agentRequest(url, ask)).rejects.toMatchObject({ code })
})

test('429 is RATE_LIMITED, with when to come again', async () => {
  const body =
    '{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"no","data":{"code":"RATE_LIMITED"}}}'
  const url = await answering(429, body, { 'Retry-After': '7' })
  await expect(agentRequest(url, ask)).rejects.toMatchObject({
    code: 'RATE_LIMITED',
    details: { retryAfterSeconds: 7 },
  })
})

test('2.1: the bill of an old agent, without a network, is told and never paid', async () => {
  const result = {
    status: 'payment_required',
    paymentRequired: { amount: '500000', asset: 'USDC', payTo: CALLER },
  }
  const desk = openDesk()
  const { fetch: _fetch } = lineTo(desk, () => 'whole')
  const fetch = async (_url: string, init: RequestInit) =>
    Response.json({ jsonrpc: '2.0', id: JSON.parse(String(init.body)).id, result })
  expect(await agentRequest('http://agent', { ...ask, fetch })).toEqual(result)
})
