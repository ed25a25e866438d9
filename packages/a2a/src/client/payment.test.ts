/** What an agent asks is paid by policy, before anything else sees it (spec a2a 4.3). Proved by balances on a chain. */
import { createServer } from 'node:http'
import { createGate, priceRoute } from '@aetherkit/payments'
import { expect, test } from 'vitest'
import { atEnd, cardAt, json, local, taskOf } from '../../test/faulty.js'
import { useTown } from '../../test/sale.js'
import { PRICE } from '../../test/shop.js'
import type { StreamResponse } from '../model.js'
import { type ConnectOptions, connectAgent } from './connect.js'

const town = useTown()

async function connect(target: Parameters<typeof connectAgent>[0], options: ConnectOptions = {}) {
  const agent = await connectAgent(target, local(options))
  atEnd(() => agent.close())
  return agent
}

const spent = async (work: () => Promise<unknown>): Promise<bigint> => {
  const before = await town.now.sold()
  await work()
  return (await town.now.sold()) - before
}

test('[client-pays] a priced message is paid and answered, and the caller sees the result alone', async () => {
  const shop = await town.now.open()
  const agent = await connect(shop.url, { payment: town.now.wallet() })
  const paid = await spent(async () => {
    expect(await agent.send('hello', { messageId: 'one' })).toMatchObject({
      task: {
        status: { state: 'TASK_STATE_COMPLETED' },
        artifacts: [{ parts: [{ data: { said: 'hello' } }] }],
      },
    })
    // Asked again under the same id: the same task, and not another payment.
    expect(await agent.send('hello', { messageId: 'one' })).toMatchObject({
      task: { status: { state: 'TASK_STATE_COMPLETED' } },
    })
  })
  expect(paid).toBe(PRICE)
  expect(shop.runs.count).toBe(1)
})

test('[client-pays] a stream is paid on the way: the task first, no hold in between, and the end', async () => {
  const shop = await town.now.open()
  const agent = await connect(shop.url, { payment: town.now.wallet() })
  const events: StreamResponse[] = []
  const paid = await spent(async () => {
    for await (const event of agent.stream('hello')) events.push(event)
  })
  expect(paid).toBe(PRICE)
  const kinds = events.map((event) => Object.keys(event)[0])
  expect(kinds[0]).toBe('task')
  expect(kinds.filter((kind) => kind === 'task')).toHaveLength(1)
  expect(JSON.stringify(events)).not.toContain('INPUT_REQUIRED')
  expect(events.at(-1)).toMatchObject({ statusUpdate: { status: { state: 'TASK_STATE_COMPLETED' } } })
  expect(shop.runs.count).toBe(1)
})

test('[client-pays] above its cap nothing is paid and the refusal is a PaymentError; a question to a human comes through', async () => {
  const shop = await town.now.open()
  const poor = await connect(shop.url, { payment: town.now.wallet({ budget: { perCall: '0.001' } }) })
  const nothing = await spent(async () => {
    await expect(poor.send('hello')).rejects.toMatchObject({ name: 'PaymentError', code: 'budget_exceeded' })
    const read = async () => {
      for await (const _event of poor.stream('hello'));
    }
    await expect(read()).rejects.toMatchObject({ name: 'PaymentError', code: 'budget_exceeded' })
  })
  expect(nothing).toBe(0n)
  const agent = await connect(shop.url, { payment: town.now.wallet() })
  expect(await agent.send('ask me')).toMatchObject({
    task: { status: { state: 'TASK_STATE_INPUT_REQUIRED', message: { parts: [{ text: 'Which one?' }] } } },
  })
})

test('[client-errors] without a budget a task that waits for money is PAYMENT_REQUIRED, and can be paid later', async () => {
  const shop = await town.now.open()
  const agent = await connect(shop.url)
  const error = await agent.send('hello').catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({
    name: 'AgentError',
    code: 'PAYMENT_REQUIRED',
    facts: { requirements: { x402Version: 2 } },
  })
  const { task } = (error as { facts: { task: ReturnType<typeof taskOf> } }).facts
  const rich = await connect(shop.url, { payment: town.now.wallet() })
  expect(await rich.pay(task as never)).toMatchObject({ status: { state: 'TASK_STATE_COMPLETED' } })
})

test('[client-pays] agent.request is paid in a new signed request', async () => {
  const shop = await town.now.open({ agent: { dialect: { actions: { echo: {} } } } })
  const key = new Uint8Array(32).fill(3)
  const agent = await connect(shop.url, { payment: town.now.wallet(), key })
  const paid = await spent(async () => {
    expect(await agent.request('echo', { word: 'hi' })).toMatchObject({ said: '{"word":"hi"}' })
  })
  expect(paid).toBe(PRICE)
  const poor = await connect(shop.url, { key })
  await expect(poor.request('echo', { word: 'hi' })).rejects.toMatchObject({ code: 'PAYMENT_REQUIRED' })
})

test('[client-pays] HTTP 402 before an agent is paid by the same budget', async () => {
  const gate = createGate(town.now.gateOptions())
  atEnd(() => gate.close())
  const payTo = town.now.chain.wallets.merchant.publicKey
  const resolve = priceRoute({ price: '0.01', description: 'a call' }, { network: 'solana-devnet', payTo })
  let url = ''
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') return json(response, cardAt(url))
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { id } = JSON.parse(Buffer.concat(chunks).toString())
    const asked = { method: 'POST', url, header: (name: string) => request.headers[name]?.toString() }
    const verdict = await gate.decide(asked, await resolve(asked, undefined as never, undefined))
    if (verdict.kind === 'respond')
      return void response.writeHead(verdict.status, { ...verdict.headers }).end(verdict.body)
    if (verdict.kind === 'grant') throw new Error('nobody is let in free')
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, result: { task: taskOf() } }))
    await verdict.complete({ status: 200, body })
    json(response, JSON.parse(body.toString()), 200, verdict.headers)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  atEnd(() => {
    server.closeAllConnections()
    server.close()
  })
  const agent = await connect(url, { payment: town.now.wallet() })
  const paid = await spent(async () => {
    expect(await agent.send('hello')).toMatchObject({ task: { id: 'task-1' } })
  })
  expect(paid).toBe(PRICE)
  await expect((await connect(url)).send('hello')).rejects.toMatchObject({
    code: 'PAYMENT_REQUIRED',
    facts: { requirements: { x402Version: 2 } },
  })
})
