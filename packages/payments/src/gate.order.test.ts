import { expect, test, vi } from 'vitest'
import { buyer, openShop, PRICE, type Script, transactionOf } from '../test/shop.js'
import { createBinding } from './binding.js'
import { readReceiptHeaders } from './codec/classify.js'
import { createLedger } from './ledger/ledger.js'
import { memoryStore } from './ledger/memory.js'
import { refuse } from './reason.js'
import { signerAddress } from './solana.js'

vi.setConfig({ testTimeout: 30_000 })

const lower = (headers: Readonly<Record<string, string>>) => {
  const byName = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
  return (name: string) => byName.get(name)
}

test('50 parallel copies of one payment settle once, run the handler once and get the same answer', async () => {
  const shop = openShop({ waitMs: 5_000 })
  const headers = await shop.pay()
  const answers = await Promise.all(Array.from({ length: 50 }, () => shop.visit(headers)))
  expect(shop.handled).toBe(1)
  expect(shop.settler.settled).toBe(1)
  expect(answers.map(({ status, body }) => `${status} ${body}`)).toEqual(Array(50).fill('200 ok'))
  const receipts = answers.map(({ headers: sent }) => sent['PAYMENT-RESPONSE'])
  expect(new Set(receipts).size).toBe(1)
})

test('a copy in flight beyond the wait is 409 aetherkit_in_flight', async () => {
  let land = () => {}
  const landed = new Promise<void>((resolve) => {
    land = resolve
  })
  const shop = openShop({
    waitMs: 50,
    script: {
      settle: async (id) => {
        await landed
        return {
          ok: true,
          paymentId: id,
          transaction: transactionOf(id),
          payer: signerAddress(buyer),
          received: PRICE,
        }
      },
    },
  })
  const headers = await shop.pay()
  const first = shop.visit(headers)
  const second = await shop.visit(headers)
  expect(second.status).toBe(409)
  expect(JSON.parse(second.body)).toMatchObject({
    error: 'payment_conflict',
    outcome: 'conflict',
    reason: 'aetherkit_in_flight',
  })
  land()
  expect((await first).status).toBe(200)
})

test('after a delivery that was not kept the same payment is 409 with the signature and the receipt', async () => {
  const shop = openShop({ keepBytes: 0 })
  const headers = await shop.pay()
  await shop.visit(headers)
  const answer = await shop.visit(headers)
  expect(answer.status).toBe(409)
  expect(JSON.parse(answer.body)).toMatchObject({
    reason: 'aetherkit_already_used',
    transaction: expect.any(String),
  })
  expect(readReceiptHeaders(lower(answer.headers))).toMatchObject({ success: true })
  expect(shop.handled).toBe(1)
})

test('a v1 payment without memo is kept to the resource where it was used first: 409 elsewhere', async () => {
  const shop = openShop()
  const headers = await shop.pay('v1', { withMemo: false })
  expect((await shop.visit(headers)).status).toBe(200)
  const answer = await shop.visit(headers, { url: 'https://shop.example/slow' })
  expect(answer.status).toBe(409)
  expect(JSON.parse(answer.body)).toMatchObject({ reason: 'aetherkit_other_resource' })
  const strict = openShop({ terms: { requireBinding: 'always' } })
  expect(JSON.parse((await strict.visit(await strict.pay('v1', { withMemo: false }))).body)).toMatchObject({
    reason: 'aetherkit_binding_missing',
  })
})

test('a payment of another request is refused on this one, however it is dressed', async () => {
  const shop = openShop()
  const headers = await shop.pay('v1', { url: 'https://shop.example/cheap' })
  expect(JSON.parse((await shop.visit(headers)).body)).toMatchObject({ reason: 'aetherkit_binding_invalid' })
})

test('a pending payment is served when it lands, without another settlement', async () => {
  const script: Script = {
    settle: async (id) => ({
      ...refuse('settlement_pending'),
      transaction: transactionOf(id),
      pending: true,
    }),
  }
  const shop = openShop({ script, watchEveryMs: 10, waitMs: 2_000 })
  const headers = await shop.pay()
  const first = await shop.visit(headers)
  expect(first.status).toBe(503)
  const { transaction } = JSON.parse(first.body)
  expect(await shop.gate.receipt(transaction)).toMatchObject({
    success: false,
    errorReason: 'settlement_pending',
  })
  script.fate = async () => ({ state: 'landed', received: PRICE })
  expect(await shop.visit(headers)).toMatchObject({ status: 200, body: 'ok' })
  expect(shop.settler.settled).toBe(1)
  expect(await shop.gate.receipt(transaction)).toMatchObject({ success: true, amount: PRICE })
  shop.gate.close()
})

test('a pending payment that died is released, and never served', async () => {
  const script: Script = {
    settle: async (id) => ({
      ...refuse('settlement_pending'),
      transaction: transactionOf(id),
      pending: true,
    }),
    fate: async () => ({ state: 'dead' }),
  }
  const shop = openShop({ script, watchEveryMs: 5 })
  const headers = await shop.pay()
  expect((await shop.visit(headers)).status).toBe(503)
  script.settle = async () => refuse('invalid_exact_svm_transaction_simulation_failed')
  script.signs = false
  await expect.poll(async () => (await shop.visit(headers)).status, { timeout: 20_000 }).toBe(402)
  expect(shop.handled).toBe(0)
  shop.gate.close()
})

test('an expired or re-priced offer still fetches what was paid under it', async () => {
  let time = Date.now()
  const binding = createBinding({ keys: [new Uint8Array(32)], now: () => time })
  const shop = openShop({ binding })
  const headers = await shop.pay()
  const unused = await shop.pay()
  expect((await shop.visit(headers)).status).toBe(200)
  time += 3_600_000
  expect(await shop.visit(headers)).toMatchObject({ status: 200, body: 'ok' })
  expect(JSON.parse((await shop.visit(unused)).body)).toMatchObject({ reason: 'aetherkit_binding_expired' })
  const dearer = {
    ...shop.terms,
    accepts: shop.terms.accepts.map((it) => ({ ...it, amount: it.amount * 2n })),
  }
  expect(await shop.decide(headers, {}, dearer)).toMatchObject({
    kind: 'respond',
    status: 200,
    outcome: 'replayed',
  })
  expect(shop.handled).toBe(1)
})

test('when the handler fails the same payment can fetch again, until it was given back', async () => {
  const shop = openShop()
  const headers = await shop.pay()
  const first = await shop.decide(headers)
  if (first.kind !== 'pass') throw new Error('not passed')
  await first.fail(new Error('disk full'))
  expect(await shop.visit(headers)).toMatchObject({ status: 200, body: 'ok' })

  const causes: unknown[] = []
  const generous = openShop({
    onHandlerFailure: (paid, cause) => {
      causes.push(cause, paid.amount, paid.transaction !== '')
      return { returned: 'credited', headers: { 'X-Credit': 'token' } }
    },
  })
  const other = await generous.pay()
  const pass = await generous.decide(other)
  if (pass.kind !== 'pass') throw new Error('not passed')
  expect(await pass.complete({ status: 500 })).toEqual({ kind: 'send', headers: { 'X-Credit': 'token' } })
  expect(causes).toEqual(['the handler answered 500', PRICE, true])
  const again = await generous.visit(other)
  expect(again.status).toBe(409)
  expect(JSON.parse(again.body)).toMatchObject({ reason: 'aetherkit_already_used', returned: 'credited' })
  expect(again.headers).not.toHaveProperty('X-Credit')
  expect(generous.handled).toBe(0)
})

test('what was given back is given again to the claim that came with the payment, and to nobody else', async () => {
  const shop = openShop({
    onHandlerFailure: () => ({ returned: 'credited', headers: { 'X-Credit': 'token' } }),
  })
  const payment = await shop.pay()
  const claim = 'a-secret-of-the-buyer'
  const pass = await shop.decide({ ...payment, 'x-payment-claim': claim })
  if (pass.kind !== 'pass') throw new Error('not passed')
  await pass.fail(new Error('disk full'))
  const present = async (more: Record<string, string>) => {
    const { status, headers, body } = await shop.visit({ ...payment, ...more })
    expect([status, JSON.parse(body).returned]).toEqual([409, 'credited'])
    return headers['X-Credit']
  }
  expect(await present({ 'x-payment-claim': claim })).toBe('token')
  expect(await present({ 'x-payment-claim': claim })).toBe('token')
  expect(await present({})).toBeUndefined()
  expect(await present({ 'x-payment-claim': 'a-secret-of-a-thief' })).toBeUndefined()
  expect(await present({ 'x-payment-claim': 'short' })).toBeUndefined()
})

test('with authorization the handler runs once, is paid after it, and a failing handler is not charged', async () => {
  const shop = openShop({ terms: { flow: 'authorization' }, waitMs: 5_000 })
  const free = await shop.decide(await shop.pay())
  if (free.kind !== 'pass') throw new Error('not passed')
  expect(free.flow).toBe('authorization')
  expect(await free.complete({ status: 404 })).toEqual({ kind: 'send', headers: {} })
  expect(shop.settler.settled).toBe(0)

  const headers = await shop.pay()
  const answers = await Promise.all(Array.from({ length: 20 }, () => shop.visit(headers)))
  expect(shop.handled).toBe(1)
  expect(shop.settler.settled).toBe(1)
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
  expect(readReceiptHeaders(lower(answers[0]?.headers ?? {}))).toMatchObject({ success: true })
})

test('with authorization an unpaid response is held back, and handed out when the payment settles', async () => {
  const script: Script = { settle: async () => refuse('unexpected_verify_error'), signs: false }
  const shop = openShop({ terms: { flow: 'authorization' }, script })
  const headers = await shop.pay()
  const first = await shop.visit(headers)
  expect(first.status).toBe(503)
  expect(first.body).not.toContain('ok')
  script.settle = async () => refuse('insufficient_funds')
  expect((await shop.visit(headers)).status).toBe(402)
  delete script.settle
  expect(await shop.visit(headers)).toMatchObject({ status: 200, body: 'ok' })
  expect(shop.handled).toBe(1)
})

test('a rate limit answers 503 before anything costs an RPC call, and never limits copies', async () => {
  const shop = openShop({ rateLimit: { burst: 2, perSecond: 0.001 } })
  const [one, two, three] = [await shop.pay(), await shop.pay(), await shop.pay()]
  for (const headers of [one, one, one, two]) expect((await shop.visit(headers)).status).toBe(200)
  const answer = await shop.visit(three)
  expect(answer.status).toBe(503)
  expect(JSON.parse(answer.body)).toMatchObject({ reason: 'aetherkit_rate_limited' })
  expect(shop.settler.settled).toBe(2)
})

test('a hook can refuse before the money moves, and a grant runs the handler free', async () => {
  const shop = openShop({ onBeforeSettle: () => 'not today' })
  const answer = await shop.visit(await shop.pay())
  expect(answer.status).toBe(402)
  expect(JSON.parse(answer.body)).toMatchObject({ reason: 'invalid_payment', hint: 'not today' })
  expect(shop.settler.settled).toBe(0)
  const open = openShop({ onRequest: async () => ({ kind: 'grant', headers: {} }) })
  expect((await open.visit({})).status).toBe(200)
})

test('a ledger that is away is 503, never 402', async () => {
  const store = memoryStore()
  const away = { ...store, swap: () => Promise.reject(new Error('connection refused')) }
  const shop = openShop({ ledger: createLedger(away) })
  const answer = await shop.visit(await shop.pay())
  expect(answer.status).toBe(503)
  expect(shop.settler.settled).toBe(0)
})
