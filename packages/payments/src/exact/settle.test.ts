/** Settlement against the real local chain, judged by balances (spec solana 4, 7, 8). */
import { randomBytes } from 'node:crypto'
import { type Devnet, startDevnet } from '@aetherkit/devnet'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { DEVNET } from '../network.js'
import type { Payment, Requirement } from '../requirement.js'
import { createRpc, type Fetch } from '../rpc.js'
import type { Settler, Signed } from '../settler.js'
import { keypairSigner, type PaymentSigner, signerAddress } from '../solana.js'
import { buildPayment } from './build.js'
import { createSolanaSettler, type SolanaSettlerOptions } from './settle.js'

let chain: Devnet
let settler: Settler
let before: { merchant: bigint; sponsor: bigint; sponsorTokens: bigint | undefined }

const PRICE = 100_000n
/** Two signatures, and 20,000 units at 1 micro-lamport. */
const FEE = 10_001n

beforeAll(async () => {
  chain = await startDevnet({ slotMs: 20 })
  settler = newSettler()
})
afterAll(() => chain.close())
beforeEach(async () => {
  const { merchant, facilitator } = chain.wallets
  before = {
    merchant: (await chain.tokensOf(merchant.publicKey)) ?? 0n,
    sponsor: chain.lamportsOf(facilitator.publicKey),
    sponsorTokens: await chain.tokensOf(facilitator.publicKey),
  }
  return () => chain.setOptions({ dropSends: 0, failSends: 0, confirmDelayMs: 0 })
})

function newSettler(options: Partial<SolanaSettlerOptions> = {}): Settler {
  const sponsors = [keypairSigner(chain.wallets.facilitator.secretKey)]
  return createSolanaSettler({ rpcUrl: chain.rpcUrl, network: DEVNET, sponsors, ...options })
}

/** A buyer of his own, so that no test sees another's turn or balance. */
async function newBuyer(tokens = PRICE): Promise<PaymentSigner> {
  const signer = keypairSigner(randomBytes(32))
  await chain.setTokens(signerAddress(signer), tokens)
  return signer
}

function termsOf(change: Partial<Requirement> = {}): Requirement {
  return {
    scheme: 'exact',
    network: DEVNET,
    amount: PRICE,
    asset: chain.mint,
    payTo: chain.wallets.merchant.publicKey,
    maxTimeoutSeconds: 60,
    feePayer: chain.wallets.facilitator.publicKey,
    flow: 'upfront',
    ...change,
  }
}

async function pay(signer: PaymentSigner, terms = termsOf()): Promise<Payment> {
  const rpc = createRpc(chain.rpcUrl)
  const { wire } = await buildPayment(terms, { signer, rpc, mints: new Map(), allowedMints: {} })
  return { dialect: 'v2', network: DEVNET, transaction: Buffer.from(wire).toString('base64'), raw: {} }
}

/** What the seller gained in payments and the sponsor lost in lamports; the sponsor's tokens never change. */
async function expectBalances(paid: number, fees: number): Promise<void> {
  const { merchant, facilitator } = chain.wallets
  expect(((await chain.tokensOf(merchant.publicKey)) ?? 0n) - before.merchant).toBe(PRICE * BigInt(paid))
  expect(before.sponsor - chain.lamportsOf(facilitator.publicKey)).toBe(FEE * BigInt(fees))
  expect(await chain.tokensOf(facilitator.publicKey)).toBe(before.sponsorTokens)
}

test('a payment moves exactly the price, costs the sponsor exactly the fee, and its id is known before the send', async () => {
  const buyer = await newBuyer(PRICE + 1n)
  const payment = await pay(buyer)
  let signed: Signed | undefined
  const onSigned = (it: Signed) => {
    signed = it
    expect(chain.stats().requests.sendTransaction ?? 0).toBe(0)
  }
  chain.resetStats()
  const settled = await settler.settle(payment, termsOf(), { onSigned })
  expect(settled).toMatchObject({ ok: true, payer: signerAddress(buyer), received: PRICE })
  expect(settled).toMatchObject({ transaction: signed?.transaction, paymentId: signed?.paymentId })
  expect(await chain.tokensOf(signerAddress(buyer))).toBe(1n)
  expect(chain.lamportsOf(signerAddress(buyer))).toBe(0n)
  await expectBalances(1, 1)
  expect(await settler.fate(signed!, termsOf())).toEqual({ state: 'landed', received: PRICE })
})

test('verification signs and sends nothing', async () => {
  const payment = await pay(await newBuyer())
  expect(await settler.verify(payment, termsOf())).toMatchObject({ ok: true })
  expect(await settler.verifyStatic(payment, termsOf())).toMatchObject({ ok: true })
  await expectBalances(0, 0)
})

test('a node that takes the transaction and answers with an error: paid once', async () => {
  const payment = await pay(await newBuyer(2n * PRICE))
  chain.setOptions({ failSends: 1 })
  expect(await settler.settle(payment, termsOf())).toMatchObject({ ok: true, received: PRICE })
  await expectBalances(1, 1)
})

test('a send that gets lost is repeated with the same bytes: paid once', async () => {
  const payment = await pay(await newBuyer(2n * PRICE))
  chain.setOptions({ dropSends: 1 })
  expect(await settler.settle(payment, termsOf())).toMatchObject({ ok: true, received: PRICE })
  await expectBalances(1, 1)
})

test('a confirmation that stays hidden is settlement_pending with the id, and its fate unknown until it shows', async () => {
  const payment = await pay(await newBuyer())
  chain.setOptions({ confirmDelayMs: 60_000 })
  const signed: Signed[] = []
  const hasty = newSettler({ confirmTimeoutMs: 100 })
  const pending = await hasty.settle(payment, termsOf(), { onSigned: (it) => void signed.push(it) })
  const [it] = signed
  expect(pending).toMatchObject({ ok: false, reason: 'settlement_pending', pending: true })
  expect(pending).toMatchObject({ transaction: it?.transaction })
  expect(await settler.fate(it!, termsOf())).toEqual({ state: 'unknown' })
  chain.setOptions({ confirmDelayMs: 0 })
  expect(await settler.fate(it!, termsOf())).toEqual({ state: 'landed', received: PRICE })
  await expectBalances(1, 1)
})

test('a blockhash that died before the settlement is refused and costs nothing', async () => {
  const payment = await pay(await newBuyer())
  chain.advanceSlots(151)
  const refused = { ok: false, reason: 'invalid_exact_svm_transaction_simulation_failed' }
  expect(await settler.verify(payment, termsOf())).toMatchObject({
    ...refused,
    paymentId: expect.any(String),
  })
  expect(await settler.settle(payment, termsOf())).toMatchObject(refused)
  await expectBalances(0, 0)
})

test('a transaction that never lands is aetherkit_dead once its height is past, and costs nothing', async () => {
  const payment = await pay(await newBuyer())
  chain.setOptions({ dropSends: 1_000 })
  const signed: Signed[] = []
  const onSigned = (it: Signed) => {
    signed.push(it)
    chain.advanceSlots(200)
  }
  const dead = await settler.settle(payment, termsOf(), { onSigned })
  expect(dead).toMatchObject({ ok: false, reason: 'aetherkit_dead', transaction: signed[0]?.transaction })
  expect(await settler.fate(signed[0]!, termsOf())).toEqual({ state: 'dead' })
  await expectBalances(0, 0)
})

test('a payment is settled once: presented again, with another slot 0 too, it is refused at no cost', async () => {
  const payment = await pay(await newBuyer(5n * PRICE))
  expect(await settler.settle(payment, termsOf())).toMatchObject({ ok: true })
  const wire = Buffer.from(payment.transaction, 'base64')
  wire.fill(9, 1, 65)
  const refused = { ok: false, reason: 'invalid_exact_svm_transaction_simulation_failed' }
  for (const transaction of [payment.transaction, wire.toString('base64')]) {
    expect(await settler.settle({ ...payment, transaction }, termsOf())).toMatchObject(refused)
  }
  await expectBalances(1, 1)
})

test('many settlements of one payment at once credit the seller once', async () => {
  const payment = await pay(await newBuyer(5n * PRICE))
  const settled = await Promise.all(Array.from({ length: 20 }, () => settler.settle(payment, termsOf())))
  expect(settled.filter(({ ok }) => ok)).toHaveLength(1)
  await expectBalances(1, 1)
})

test('an account with less than the price is insufficient_funds at no cost', async () => {
  const payment = await pay(await newBuyer(PRICE - 1n))
  expect(await settler.settle(payment, termsOf())).toMatchObject({ ok: false, reason: 'insufficient_funds' })
  expect(await settler.verify(payment, termsOf())).toMatchObject({ ok: false, reason: 'insufficient_funds' })
  await expectBalances(0, 0)
})

test('a seller without a token account is aetherkit_destination_missing at no cost', async () => {
  const terms = termsOf({ payTo: signerAddress(keypairSigner(randomBytes(32))) })
  const payment = await pay(await newBuyer(), terms)
  const missing = { ok: false, reason: 'aetherkit_destination_missing' }
  expect(await settler.settle(payment, terms)).toMatchObject(missing)
  await expectBalances(0, 0)
})

test('a buyer without a token account is refused, and not for the seller’s fault', async () => {
  const payment = await pay(keypairSigner(randomBytes(32)))
  const refused = { ok: false, reason: 'invalid_exact_svm_transaction_simulation_failed' }
  expect(await settler.settle(payment, termsOf())).toMatchObject(refused)
  await expectBalances(0, 0)
})

test('two payments of one payer backed by a balance for one: the second dies in simulation, at no cost', async () => {
  const buyer = await newBuyer(PRICE)
  const payments = [await pay(buyer), await pay(buyer)]
  for (const payment of payments) expect(await settler.verify(payment, termsOf())).toMatchObject({ ok: true })
  const settled = await Promise.all(payments.map((payment) => settler.settle(payment, termsOf())))
  expect(settled).toMatchObject([{ ok: true }, { ok: false, reason: 'insufficient_funds' }])
  await expectBalances(1, 1)
})

test('an account emptied after the simulation: landed with an error is transaction_failed with the id, not paid', async () => {
  const buyer = await newBuyer()
  const payment = await pay(buyer)
  const signed: Signed[] = []
  const onSigned = async (it: Signed) => {
    signed.push(it)
    await chain.setTokens(signerAddress(buyer), 0n)
  }
  const failed = await settler.settle(payment, termsOf(), { onSigned })
  expect(failed).toMatchObject({ ok: false, reason: 'invalid_exact_svm_transaction_failed' })
  expect(failed).toMatchObject({ transaction: signed[0]?.transaction })
  expect(await settler.fate(signed[0]!, termsOf())).toEqual({ state: 'failed' })
  await expectBalances(0, 1)
})

test('what is refused by bytes alone asks nothing of the node and costs nothing', async () => {
  const payment = await pay(await newBuyer())
  chain.resetStats()
  const dearer = termsOf({ amount: PRICE + 1n })
  const refused = { ok: false, reason: 'invalid_exact_svm_payload_amount_mismatch' }
  expect(await settler.settle(payment, dearer)).toMatchObject(refused)
  expect(await settler.verify(payment, dearer)).toMatchObject(refused)
  expect(chain.stats().requests).toEqual({})
  await expectBalances(0, 0)
})

test('a mint that the chain does not know is refused, a node that is away is no verdict', async () => {
  const terms = termsOf({ asset: signerAddress(keypairSigner(randomBytes(32))) })
  const payment = await pay(await newBuyer())
  const mismatch = { ok: false, reason: 'invalid_exact_svm_payload_mint_mismatch' }
  expect(await settler.verifyStatic(payment, terms)).toMatchObject(mismatch)
  const away: Fetch = () => Promise.reject(new TypeError('fetch failed'))
  const alone = newSettler({ fetch: away })
  const noVerdict = { ok: false, reason: 'unexpected_verify_error' }
  expect(await alone.verifyStatic(payment, terms)).toMatchObject(noVerdict)
  expect(await alone.verify(payment, termsOf())).toMatchObject(noVerdict)
  expect(await alone.settle(payment, termsOf())).toMatchObject(noVerdict)
  await expectBalances(0, 0)
})

test('nothing is sent when the record before the broadcast fails', async () => {
  const payment = await pay(await newBuyer())
  const onSigned = () => Promise.reject(new Error('disk full'))
  await expect(settler.settle(payment, termsOf(), { onSigned })).rejects.toThrow('disk full')
  await expectBalances(0, 0)
})

test.each<[string, Partial<SolanaSettlerOptions>, string]>([
  ['a demo key with a node elsewhere', { rpcUrl: 'https://api.devnet.solana.com' }, 'demo_key'],
  ['no sponsor', { sponsors: [] }, 'invalid_option'],
  ['a limit that is no number', { limits: { maxComputeUnits: Number.NaN } }, 'invalid_option'],
  ['a fee cap below two signatures', { limits: { maxFeeLamports: 9_999n } }, 'invalid_option'],
  ['a price cap below zero', { limits: { maxComputeUnitPrice: -1n } }, 'invalid_option'],
  ['a deadline that is no number', { confirmTimeoutMs: Number.NaN }, 'invalid_option'],
])('%s is refused at construction', (_name, options, code) => {
  expect(() => newSettler(options)).toThrow(expect.objectContaining({ code }))
})
