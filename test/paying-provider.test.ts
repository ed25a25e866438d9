/**
 * A paying fetch as the `fetch` of a real AI SDK provider (spec payments 12): a model behind our paywall, each answer paid
 * for on the local chain, streams as they come. The shop speaks OpenAI's two shapes.
 */
import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Devnet, startDevnet } from '@aetherkit/devnet'
import { paymentOf, paywall } from '@aetherkit/express'
import {
  createBinding,
  createGate,
  createLedger,
  createSolanaSettler,
  DEVNET,
  type Gate,
  keypairSigner,
  memoryStore,
  type PayingFetch,
  type PayingFetchOptions,
  payingFetch,
} from '@aetherkit/payments'
import { createOpenAI } from '@ai-sdk/openai'
import { generateText, streamText } from 'ai'
import express, { type Response } from 'express'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'

const PRICE = 20_000n
let devnet: Devnet
let gate: Gate
let server: Server
let base: string
let runs: number
/** Statuses to fail with, one run after the other. */
let failures: number[]
/** Kept when the reader has seen the first word. */
let firstSeen: { readonly promise: Promise<void>; readonly tell: () => void }
let before: bigint

const earned = async () => (await devnet.tokensOf(devnet.wallets.merchant.publicKey)) ?? 0n

beforeAll(async () => {
  devnet = await startDevnet({ slotMs: 20 })
})
afterAll(() => devnet?.close())

beforeEach(async () => {
  const { facilitator, merchant } = devnet.wallets
  const settler = createSolanaSettler({
    rpcUrl: devnet.rpcUrl,
    network: DEVNET,
    sponsors: [keypairSigner(facilitator.secretKey)],
  })
  const binding = createBinding({ keys: [crypto.getRandomValues(new Uint8Array(32))] })
  gate = createGate({ settler, ledger: createLedger(memoryStore()), binding, rateLimit: false })
  const app = express()
  server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const paid = paywall({ gate, network: 'solana-devnet', payTo: merchant.publicKey, baseUrl: base })
  // Bound to the body: a payment is good for this prompt and for no other.
  const priced = paid({ price: '$0.02', bind: 'request', description: 'one answer of the model' })
  runs = 0
  failures = []
  let tell = () => {}
  const promise = new Promise<void>((resolve) => {
    tell = resolve
  })
  firstSeen = { promise, tell }
  app.post(['/v1/chat/completions', '/v1/responses'], priced, express.json(), async (request, response) => {
    runs++
    expect(paymentOf(request)?.amount).toBe(PRICE)
    expect(request.headers.authorization).toBe('Bearer key')
    const failure = failures.shift()
    if (failure !== undefined) return void response.status(failure).json({ error: { message: 'overloaded' } })
    const shape = request.path.endsWith('responses') ? RESPONSES : CHAT
    if (request.body.stream !== true) return void response.json(shape.whole('Hello there'))
    await stream(response, shape)
  })
  before = await earned()
})
afterEach(async () => {
  gate.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})

interface Shape {
  whole(text: string): object
  readonly opening: readonly object[]
  delta(text: string): object
  readonly closing: readonly (object | string)[]
}

const CHAT: Shape = {
  whole: (content) => ({
    id: 'c1',
    created: 1,
    model: 'small',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
  }),
  opening: [],
  delta: (content) => ({
    id: 'c1',
    created: 1,
    model: 'small',
    choices: [{ index: 0, delta: { role: 'assistant', content }, finish_reason: null }],
  }),
  closing: [
    { id: 'c1', created: 1, model: 'small', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
    '[DONE]',
  ],
}

const message = { type: 'message', id: 'm1', role: 'assistant' }
const RESPONSES: Shape = {
  whole: (text) => ({
    id: 'r1',
    created_at: 1,
    model: 'small',
    output: [{ ...message, content: [{ type: 'output_text', text, annotations: [] }] }],
    usage: { input_tokens: 1, output_tokens: 2 },
  }),
  opening: [
    { type: 'response.created', response: { id: 'r1', created_at: 1, model: 'small' } },
    { type: 'response.output_item.added', output_index: 0, item: message },
  ],
  delta: (delta) => ({ type: 'response.output_text.delta', item_id: 'm1', delta }),
  closing: [
    { type: 'response.output_item.done', output_index: 0, item: message },
    { type: 'response.completed', response: { usage: { input_tokens: 1, output_tokens: 2 } } },
  ],
}

/** The second word is not written before the reader has the first. */
async function stream(response: Response, { opening, delta, closing }: Shape): Promise<void> {
  response.type('text/event-stream')
  const send = (event: object | string) =>
    response.write(`data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`)
  for (const event of [...opening, delta('Hello')]) send(event)
  await firstSeen.promise
  for (const event of [delta(' there'), ...closing]) send(event)
  response.end()
}

function buyer(options: Partial<PayingFetchOptions> = {}): PayingFetch {
  return payingFetch(fetch, {
    signer: keypairSigner(devnet.wallets.buyer.secretKey),
    network: 'solana-devnet',
    rpcUrl: devnet.rpcUrl,
    budget: { perCall: '$0.05', total: '$1' },
    ...options,
  })
}

const models = {
  chat: (paying: PayingFetch) =>
    createOpenAI({ baseURL: `${base}/v1`, apiKey: 'key', fetch: paying }).chat('small'),
  responses: (paying: PayingFetch) =>
    createOpenAI({ baseURL: `${base}/v1`, apiKey: 'key', fetch: paying }).responses('small'),
}
const SHAPES = ['chat', 'responses'] as const

test.each(SHAPES)('an answer in the shape %s is paid for once, with a receipt', async (shape) => {
  const paying = buyer()
  const { text } = await generateText({ model: models[shape](paying), prompt: 'Say hello' })
  expect([text, runs, (await earned()) - before]).toEqual(['Hello there', 1, PRICE])
  expect(await paying.receipts()).toMatchObject([
    { method: 'POST', description: 'one answer of the model', price: '0.02 USDC', isServed: true },
  ])
})

test.each(SHAPES)(
  'a streamed answer in the shape %s arrives word by word behind its payment',
  async (shape) => {
    const paying = buyer()
    const words: string[] = []
    for await (const word of streamText({ model: models[shape](paying), prompt: 'Say hello' }).textStream) {
      words.push(word)
      firstSeen.tell()
    }
    expect([words, runs, (await earned()) - before]).toEqual([['Hello', ' there'], 1, PRICE])
    expect(await paying.receipts()).toMatchObject([{ isServed: true }])
  },
)

test('two prompts are two payments, and the same prompt again is a third', async () => {
  const model = models.chat(buyer())
  for (const prompt of ['one', 'two', 'one']) await generateText({ model, prompt })
  expect([runs, (await earned()) - before]).toEqual([3, 3n * PRICE])
})

test('a model that fails after the payment is asked again with the same payment', async () => {
  failures = [503]
  const { text } = await generateText({ model: models.chat(buyer()), prompt: 'Say hello' })
  expect([text, runs, (await earned()) - before]).toEqual(['Hello there', 2, PRICE])
})

test('over the budget nothing is signed, and the call ends with budget_exceeded', async () => {
  const paying = buyer({ budget: { perCall: '$0.01' } })
  const asked = generateText({ model: models.chat(paying), prompt: 'Say hello', maxRetries: 0 })
  await expect(asked).rejects.toMatchObject({ code: 'budget_exceeded' })
  expect([runs, (await earned()) - before, await paying.receipts()]).toEqual([0, 0n, []])
})
