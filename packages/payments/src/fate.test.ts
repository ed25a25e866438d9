/** What became of a payment, found without its transaction id (spec payments 8.6, 12). */
import { randomBytes } from 'node:crypto'
import type { JsonValue } from '@aetherkit/core'
import { type Devnet, startDevnet } from '@aetherkit/devnet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildPayment } from './exact/build.js'
import { createSolanaSettler } from './exact/settle.js'
import { fateOf, type Traceable } from './fate.js'
import { DEVNET } from './network.js'
import type { Payment, Requirement } from './requirement.js'
import { createRpc, type Rpc } from './rpc.js'
import type { Settler } from './settler.js'
import { encodeBase58, keypairSigner, type PaymentSigner, signerAddress } from './solana.js'

let chain: Devnet
let settler: Settler
let rpc: Rpc
let terms: Requirement
let buyer: PaymentSigner

beforeAll(async () => {
  chain = await startDevnet({ slotMs: 20 })
  const { merchant, facilitator } = chain.wallets
  const sponsors = [keypairSigner(facilitator.secretKey)]
  settler = createSolanaSettler({ rpcUrl: chain.rpcUrl, network: DEVNET, sponsors })
  rpc = createRpc(chain.rpcUrl)
  buyer = keypairSigner(randomBytes(32))
  await chain.setTokens(signerAddress(buyer), 10_000_000n)
  terms = {
    scheme: 'exact',
    network: DEVNET,
    amount: 1_000n,
    asset: chain.mint,
    payTo: merchant.publicKey,
    maxTimeoutSeconds: 60,
    feePayer: facilitator.publicKey,
    flow: 'upfront',
  }
})
afterAll(() => chain.close())

async function pay(): Promise<{ payment: Payment; trace: Traceable }> {
  const built = await buildPayment(terms, { signer: buyer, rpc, mints: new Map(), allowedMints: {} })
  const transaction = Buffer.from(built.wire).toString('base64')
  const { source, blockhash, memo = '', lastValidBlockHeight = 0n } = built
  return {
    payment: { dialect: 'v2', network: DEVNET, transaction, raw: {} },
    trace: {
      source,
      signature: encodeBase58(built.signature),
      memo,
      blockhash,
      lastValidBlockHeight: lastValidBlockHeight.toString(),
      createdAt: Date.now(),
    },
  }
}

async function settle(payment: Payment, onSigned?: () => Promise<void>): Promise<string> {
  const { transaction = '' } = await settler.settle(
    payment,
    terms,
    onSigned === undefined ? {} : { onSigned },
  )
  return transaction
}

test('unknown while it can land, landed when it has, whatever is told about it', async () => {
  const { payment, trace } = await pay()
  expect(await fateOf(rpc, trace)).toEqual({ state: 'unknown' })
  const transaction = await settle(payment)
  const landed = { state: 'landed', transaction }
  expect(await fateOf(rpc, trace)).toEqual(landed)
  expect(await fateOf(rpc, { ...trace, transaction })).toEqual(landed)
  expect(await fateOf(rpc, { ...trace, transaction: encodeBase58(randomBytes(64)) })).toEqual(landed)
  chain.advanceSlots(200)
  expect(await fateOf(rpc, trace)).toEqual(landed)
})

test('landed with an error is failed, and another’s failure is not this one’s', async () => {
  const { payment, trace } = await pay()
  const held = (await chain.tokensOf(signerAddress(buyer))) ?? 0n
  const transaction = await settle(payment, () => chain.setTokens(signerAddress(buyer), 0n))
  await chain.setTokens(signerAddress(buyer), held)
  expect(await fateOf(rpc, trace)).toEqual({ state: 'failed', transaction })
  const other = await pay()
  expect(await fateOf(rpc, { ...other.trace, transaction })).toEqual({ state: 'unknown' })
})

test('never landed and past its height is dead; so it is when only the blockhash is known', async () => {
  const { trace } = await pay()
  const { lastValidBlockHeight: _, ...heightless } = trace
  expect(await fateOf(rpc, heightless)).toEqual({ state: 'unknown' })
  chain.advanceSlots(151)
  expect(await fateOf(rpc, trace)).toEqual({ state: 'dead' })
  expect(await fateOf(rpc, heightless)).toEqual({ state: 'dead' })
})

test('a height that was understated does not make it dead while its blockhash lives', async () => {
  const { trace } = await pay()
  expect(await fateOf(rpc, { ...trace, lastValidBlockHeight: '1' })).toEqual({ state: 'unknown' })
})

test('each transaction of the account is looked at once', async () => {
  const seen = new Map<string, readonly string[]>()
  const { memo: _, ...trace } = (await pay()).trace
  await fateOf(rpc, trace, seen)
  expect(seen.size).toBeGreaterThan(0)
  chain.resetStats()
  await fateOf(rpc, trace, seen)
  expect(chain.stats().requests.getTransaction ?? 0).toBe(0)
})

/** A node that answers from a table; pages are asked for one after the other. */
function scripted(
  pages: readonly JsonValue[],
  transactions: Readonly<Record<string, JsonValue>> = {},
): Rpc & { asked: string[] } {
  let page = 0
  const asked: string[] = []
  return {
    url: 'http://127.0.0.1:1',
    asked,
    async call(method, [first]) {
      if (method === 'getBlockHeight') return 1_000
      if (method === 'isBlockhashValid') return { context: { slot: 5 }, value: false }
      if (method === 'getSignaturesForAddress') return pages[page++] ?? []
      asked.push(String(first))
      return transactions[String(first)] ?? null
    },
  }
}
const trace: Traceable = {
  source: 'Account',
  signature: 'mine',
  memo: 'x1.mine',
  blockhash: 'Blockhash',
  lastValidBlockHeight: '10',
  createdAt: 1_750_000_000_000,
}
const listed = (
  signature: string,
  memo: string | null = null,
  blockTime: number | null = null,
): JsonValue => ({
  signature,
  err: null,
  memo,
  blockTime,
})
const landed = (...signatures: string[]): JsonValue => ({ meta: { err: null }, transaction: { signatures } })

test('a listed transaction that cannot be shown yet proves nothing: unknown and not dead', async () => {
  expect(await fateOf(scripted([[listed('a')]]), trace)).toEqual({ state: 'unknown' })
})

test('those with another memo need not be shown', async () => {
  const node = scripted([[listed('a', '[44] x1.other'), listed('b', '[44] x1.mine')]], {
    b: landed('s', 'mine'),
  })
  expect(await fateOf(node, trace)).toEqual({ state: 'landed', transaction: 'b' })
  expect(node.asked).toEqual(['b'])
})

test('it is looked for on every page, and a day of wrong clock is forgiven', async () => {
  const full = Array.from({ length: 1_000 }, (_, i) => listed(`t${i}`, 'x1.other'))
  const node = scripted([full, [listed('b', null, 1_750_000_000 - 80_000)]], { b: landed('s', 'mine') })
  expect(await fateOf(node, trace)).toEqual({ state: 'landed', transaction: 'b' })
  const old = scripted([[listed('b', null, 1_750_000_000 - 90_000)]], { b: landed('s', 'mine') })
  expect(await fateOf(old, trace)).toEqual({ state: 'dead' })
})

test.each<[string, JsonValue]>([
  ['no list', {}],
  ['a page of nonsense', Array.from({ length: 1_000 }, () => null)],
])('%s is unknown', async (_name, page) => {
  expect(await fateOf(scripted([page, page]), trace)).toEqual({ state: 'unknown' })
})

test('a node that is away is unknown', async () => {
  const away = createRpc('http://127.0.0.1:1', { fetch: () => Promise.reject(new TypeError('fetch failed')) })
  expect(await fateOf(away, trace)).toEqual({ state: 'unknown' })
})
