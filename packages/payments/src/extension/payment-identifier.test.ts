import { expect, test } from 'vitest'
import { bodyHash, openShop, type Script, transactionOf } from '../../test/shop.js'
import type { GateOptions } from '../gate.js'
import { createLedger } from '../ledger/ledger.js'
import { memoryStore } from '../ledger/memory.js'
import { refuse } from '../reason.js'
import type { Json } from '../requirement.js'
import { keypairSigner } from '../solana.js'
import { createPaymentId, createPaymentIdentifiers, withPaymentId } from './payment-identifier.js'

function open(options: Partial<GateOptions> & { script?: Script; required?: boolean } = {}) {
  const { required = false, ...rest } = options
  const ledger = createLedger(memoryStore())
  const identifiers = createPaymentIdentifiers({ store: ledger.store, required })
  return openShop({ ledger, identifiers, waitMs: 2_000, ...rest })
}
const naming = (id: string) => ({
  extensions: (offered: Readonly<Record<string, Json>>) => withPaymentId(offered, id) ?? {},
})
const reasonOf = ({ body }: { body: string }) => JSON.parse(body).reason

test('an id is one payment: another transaction under it gets the first answer and moves nothing', async () => {
  const shop = open()
  const id = createPaymentId()
  const first = await shop.visit(await shop.pay('v2', naming(id)))
  const second = await shop.visit(await shop.pay('v2', naming(id)))
  expect([first.status, second.status]).toEqual([200, 200])
  expect(second.headers['PAYMENT-RESPONSE']).toBe(first.headers['PAYMENT-RESPONSE'])
  expect([shop.handled, shop.settler.settled]).toEqual([1, 1])
})

test('20 different transactions under one id at once are charged once', async () => {
  const shop = open()
  const id = createPaymentId()
  const payments = await Promise.all(Array.from({ length: 20 }, () => shop.pay('v2', naming(id))))
  const answers = await Promise.all(payments.map((headers) => shop.visit(headers)))
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
  expect([shop.handled, shop.settler.settled]).toEqual([1, 1])
})

test('the same id for another body, or by another payer, is 409 aetherkit_payment_id_reused', async () => {
  const shop = open()
  const id = createPaymentId()
  await shop.visit(await shop.pay('v2', naming(id)), { bodySha256: bodyHash('a') })
  const otherBody = await shop.visit(await shop.pay('v2', naming(id)), { bodySha256: bodyHash('b') })
  const signer = keypairSigner(crypto.getRandomValues(new Uint8Array(32)))
  const otherPayer = await shop.visit(await shop.pay('v2', { ...naming(id), signer }), {
    bodySha256: bodyHash('a'),
  })
  for (const answer of [otherBody, otherPayer]) {
    expect(answer.status).toBe(409)
    expect(reasonOf(answer)).toBe('aetherkit_payment_id_reused')
  }
  expect(shop.settler.settled).toBe(1)
})

test('required and missing is 400, so is an id of another shape; v1 has no place for one', async () => {
  const shop = open({ required: true })
  const missing = await shop.visit(await shop.pay('v2'))
  expect([missing.status, reasonOf(missing)]).toEqual([400, 'aetherkit_payment_id_required'])
  const short = await shop.visit(await shop.pay('v2', naming('short')))
  expect([short.status, reasonOf(short)]).toEqual([400, 'aetherkit_malformed_payment'])
  expect((await shop.visit(await shop.pay('v1'))).status).toBe(200)
})

test('a first payment of unknown outcome holds the id, a refused one gives it up', async () => {
  const script: Script = {
    settle: async (id) => ({
      ...refuse('settlement_pending'),
      transaction: transactionOf(id),
      pending: true,
    }),
  }
  const shop = open({ script, waitMs: 50 })
  const id = createPaymentId()
  const first = await shop.visit(await shop.pay('v2', naming(id)))
  delete script.settle
  const second = await shop.visit(await shop.pay('v2', naming(id)))
  expect([first.status, second.status]).toEqual([503, 503])
  expect(JSON.parse(second.body).transaction).toBe(JSON.parse(first.body).transaction)
  expect(shop.settler.settled).toBe(1)

  const other = createPaymentId()
  script.signs = false
  script.settle = async () => refuse('insufficient_funds')
  expect((await shop.visit(await shop.pay('v2', naming(other)))).status).toBe(402)
  delete script.settle
  expect((await shop.visit(await shop.pay('v2', naming(other)))).status).toBe(200)
  shop.gate.close()
})
