import { createServer } from 'node:http'
import { afterEach, expect, test, vi } from 'vitest'
import { closeAll, listen, open, serve } from '../../test/facilitator.js'
import { openShop, scriptedSettler } from '../../test/shop.js'
import { DEVNET } from '../network.js'
import { createFacilitatorClient, type FacilitatorClientOptions } from './client.js'
import { combineSettlers } from './combine.js'

vi.setConfig({ testTimeout: 30_000 })
afterEach(closeAll)

/** A facilitator of somebody else: answers what it is told. */
type Reply = { status?: number; body: string; retryAfter?: string }
async function foreign(
  answers: Partial<
    Record<'supported' | 'verify' | 'settle', () => { status?: number; body: string; retryAfter?: string }>
  >,
) {
  const asked: { path: string; headers: Record<string, unknown>; body: string }[] = []
  const kind = (await scriptedSettler().kinds())[0]
  const supported = (): Reply => ({
    body: JSON.stringify({
      kinds: [{ x402Version: 2, scheme: 'exact', network: DEVNET, extra: { feePayer: kind?.feePayer } }],
    }),
  })
  const server = createServer((request, response) => {
    const path = (request.url ?? '').slice(1) as 'supported'
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      asked.push({ path, headers: request.headers, body })
      const { status = 200, body: text, retryAfter } = (answers[path] ?? supported)()
      response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter }).end(text)
    })
  })
  return { url: await serve(server), asked }
}

async function settleThrough(url: string, options: Partial<FacilitatorClientOptions> = {}, waitMs = 50) {
  const settler = createFacilitatorClient({ url, ...options })
  const shop = openShop({ settler, waitMs, leaseMs: 60 })
  open.push(shop.gate)
  const headers = await shop.pay()
  return { shop, headers, answer: await shop.visit(headers) }
}

test.each([
  { said: 'garbage', reply: () => ({ body: '<html>' }), status: 503, error: 'settlement_unknown', asks: 2 },
  {
    said: 'a bare 500',
    reply: () => ({ status: 500, body: '{}' }),
    status: 503,
    error: 'settlement_unknown',
    asks: 2,
  },
  {
    said: 'success without a transaction',
    reply: () => ({ body: '{"success":true}' }),
    status: 503,
    error: 'settlement_unknown',
    asks: 2,
  },
  {
    said: 'transaction_failed without a transaction, as after a failed send',
    reply: () => ({ body: '{"success":false,"errorReason":"transaction_failed","transaction":""}' }),
    status: 503,
    error: 'settlement_unknown',
    asks: 2,
  },
  {
    said: 'settlement_pending',
    reply: () => ({ body: '{"success":false,"errorReason":"settlement_pending","transaction":"5h"}' }),
    status: 503,
    error: 'settlement_unknown',
    asks: 2,
  },
  {
    said: '429',
    reply: () => ({ status: 429, body: '{}' }),
    status: 503,
    error: 'facilitator_unavailable',
    asks: 1,
  },
  {
    said: 'a refusal in its own words',
    reply: () => ({ body: '{"success":false,"errorReason":"insufficient_funds: 3 < 5"}' }),
    status: 402,
    error: 'payment_invalid',
    asks: 1,
  },
  {
    said: 'a transaction that landed and failed',
    reply: () => ({ body: '{"success":false,"errorReason":"transaction_failed","transaction":"5h"}' }),
    status: 402,
    error: 'settlement_failed',
    asks: 1,
  },
])('a facilitator that says $said is $status $error', async ({ reply, status, error, asks }) => {
  const { url, asked } = await foreign({ settle: reply })
  const { answer, shop } = await settleThrough(url)
  expect([answer.status, JSON.parse(answer.body).error]).toEqual([status, error])
  expect(asked.filter(({ path }) => path === 'settle').length).toBe(asks)
  expect(shop.handled).toBe(0)
})

test('after an unknown outcome a refusal of the second settle proves nothing: still 503', async () => {
  let calls = 0
  const { url } = await foreign({
    settle: () => ({
      body: ++calls === 1 ? 'lost' : '{"success":false,"errorReason":"transaction_simulation_failed"}',
    }),
  })
  const { answer, shop, headers } = await settleThrough(url, {}, 300)
  expect(answer.status).toBe(503)
  expect((await shop.visit(headers)).status).toBe(503)
})

test('a facilitator that nobody can connect to is 503 without a signature, and the payload is served later', async () => {
  const settler = scriptedSettler()
  let down = false
  const { url } = await listen(settler)
  const refusing: NonNullable<FacilitatorClientOptions['fetch']> = (input, init) => {
    if (!down) return fetch(input, init)
    const cause = Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
    return Promise.reject(new TypeError('fetch failed', { cause }))
  }
  const shop = openShop({ settler: createFacilitatorClient({ url, fetch: refusing }) })
  const headers = await shop.pay()
  down = true
  const answer = await shop.visit(headers)
  expect([answer.status, JSON.parse(answer.body).error]).toEqual([503, 'facilitator_unavailable'])
  down = false
  expect((await shop.visit(headers)).status).toBe(200)
})

test('supported is asked again after a 429, with the headers of its path, and then believed', async () => {
  let calls = 0
  const { url, asked } = await foreign({
    settle: () => ({ body: '{"success":false,"errorReason":"insufficient_funds"}' }),
    verify: () => ({ body: '{}' }),
  })
  const settler = createFacilitatorClient({
    url: `${url}/`,
    createAuthHeaders: async () => ({ supported: { authorization: `Bearer ${++calls}` } }),
  })
  expect(await settler.kinds()).toMatchObject([{ network: DEVNET }])
  await settler.kinds()
  expect(asked).toMatchObject([{ path: 'supported', headers: { authorization: 'Bearer 1' } }])

  let tries = 0
  const busy = await foreign({
    supported: () =>
      ++tries < 3 ? { status: 429, body: '{}', retryAfter: '0' } : { body: JSON.stringify({ kinds: [] }) },
  })
  expect(await createFacilitatorClient({ url: busy.url }).kinds()).toEqual([])
  expect(tries).toBe(3)
})

test('several facilitators serve as one, and one that is down does not matter', async () => {
  const up = await listen(scriptedSettler())
  const settler = combineSettlers([
    createFacilitatorClient({ url: 'http://127.0.0.1:1' }),
    createFacilitatorClient({ url: up.url }),
  ])
  expect(await settler.kinds()).toMatchObject([{ network: DEVNET }])
  const shop = openShop({ settler })
  expect((await shop.visit(await shop.pay())).status).toBe(200)
  const none = combineSettlers([createFacilitatorClient({ url: 'http://127.0.0.1:1' })])
  await expect(none.kinds()).rejects.toMatchObject({ code: 'facilitator_failed' })
})

test('an URL or a timeout that is none is invalid_option', () => {
  const make = (options: Partial<FacilitatorClientOptions>) => () =>
    createFacilitatorClient({ url: 'https://f.example', ...options })
  expect(make({ url: 'nowhere' })).toThrow(expect.objectContaining({ code: 'invalid_option' }))
  expect(make({ timeoutMs: Number.NaN })).toThrow(expect.objectContaining({ code: 'invalid_option' }))
})
