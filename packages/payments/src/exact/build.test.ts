/** Spec solana 2: what is built, from what, and with how many questions to the node. */
import { fromHex, type JsonValue, publicKeyOf, signDigest } from '@aetherkit/core'
import { createKeyPairSignerFromPrivateKeyBytes } from '@solana/kit'
import { expect, test } from 'vitest'
import { DEVNET } from '../network.js'
import type { Payment, Requirement } from '../requirement.js'
import type { Rpc } from '../rpc.js'
import { encodeBase58, keypairSigner, type PaymentSigner } from '../solana.js'
import { peek } from '../terms.js'
import { TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from '../token.js'
import { parseTransaction } from '../wire.js'
import { type BuildOptions, type BuiltPayment, buildPayment, knownMint } from './build.js'
import { DEFAULT_SPONSOR_LIMITS, verifyStatic } from './static.js'

const seed = (fill: number) => new Uint8Array(32).fill(fill)
const address = (fill: number) => encodeBase58(fromHex(publicKeyOf(seed(fill))))
const [PAYER, SPONSOR, SELLER, BLOCKHASH, OTHER_BLOCKHASH, OTHER_MINT] = [1, 2, 3, 4, 5, 6].map(address) as [
  string,
  string,
  string,
  string,
  string,
  string,
]
const USDC = '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU'
const PYUSD = 'CXk2AMBfi3TwaEL2468s6zP8xq9NxTXjp9gjMgzeUynM'
const terms: Requirement = {
  scheme: 'exact',
  network: DEVNET,
  amount: 100_000n,
  asset: USDC,
  payTo: SELLER,
  maxTimeoutSeconds: 60,
  feePayer: SPONSOR,
  memo: 'x1.order',
  flow: 'upfront',
}

/** A node that answers from a table and counts. */
function node(answers: Readonly<Record<string, JsonValue>> = {}): Rpc & { readonly asked: string[] } {
  const asked: string[] = []
  const usual = {
    getLatestBlockhash: { value: { blockhash: BLOCKHASH, lastValidBlockHeight: 150 } },
  }
  const table: Readonly<Record<string, JsonValue>> = { ...usual, ...answers }
  return {
    url: 'http://127.0.0.1:1',
    asked,
    async call(method) {
      asked.push(method)
      return table[method] ?? null
    },
  }
}

function build(
  requirement: Partial<Requirement> = {},
  options: Partial<BuildOptions> = {},
): Promise<BuiltPayment> {
  const usual = { signer: keypairSigner(seed(1)), rpc: node(), mints: new Map(), allowedMints: {} }
  return buildPayment({ ...terms, ...requirement }, { ...usual, ...options })
}

function paymentOf({ wire }: BuiltPayment): Payment {
  return { dialect: 'v2', network: DEVNET, transaction: Buffer.from(wire).toString('base64'), raw: {} }
}

const mintAccount = (owner: string, decimals: number, more: readonly number[] = []): JsonValue => {
  const data = new Uint8Array(82 + more.length)
  data[44] = decimals
  data.set(more, 82)
  return { value: { owner, data: [Buffer.from(data).toString('base64'), 'base64'] } }
}

test('what is built is what the rules accept', async () => {
  const built = await build()
  const mint = knownMint(terms)!
  const verdict = verifyStatic(paymentOf(built), terms, mint, {
    sponsors: new Set([SPONSOR]),
    network: DEVNET,
    limits: DEFAULT_SPONSOR_LIMITS,
    allowedMints: {},
  })
  expect(verdict).toMatchObject({ ok: true, payer: PAYER })
})

test('it is version 0, [limit 20,000, price 1, transfer, memo], about 496 bytes, with slot 0 empty', async () => {
  const { wire, signature, blockhash, lastValidBlockHeight } = await build()
  const parsed = parseTransaction(wire)
  expect(parsed).toMatchObject({ version: 0, requiredSignatures: 2, hasLookupTables: false, blockhash })
  expect(parsed?.accounts.slice(0, 2)).toEqual([SPONSOR, PAYER])
  expect(parsed?.signatures.map((bytes) => Buffer.from(bytes).toString('hex'))).toEqual([
    '00'.repeat(64),
    Buffer.from(signature).toString('hex'),
  ])
  expect(parsed?.instructions.map(({ data }) => Buffer.from(data).toString('hex'))).toEqual([
    '02204e0000',
    '030100000000000000',
    '0ca08601000000000006',
    Buffer.from('x1.order').toString('hex'),
  ])
  expect(wire.length).toBeLessThan(500)
  expect([blockhash, lastValidBlockHeight]).toEqual([BLOCKHASH, 150n])
})

test('a known token and a blockhash in the offer need no question to the node', async () => {
  const rpc = node()
  const recent = { recentBlockhash: OTHER_BLOCKHASH, lastValidBlockHeight: 7n }
  expect(await build(recent, { rpc })).toMatchObject({ blockhash: OTHER_BLOCKHASH, lastValidBlockHeight: 7n })
  expect(rpc.asked).toEqual([])
})

test('a blockhash that is not 32 bytes is not used', async () => {
  const rpc = node()
  expect(await build({ recentBlockhash: 'abc' }, { rpc })).toMatchObject({ blockhash: BLOCKHASH })
  expect(rpc.asked).toEqual(['getLatestBlockhash'])
})

test('without a memo in the offer two equal payments differ; without any memo they are one', async () => {
  const [first, second] = await Promise.all([build(), build()].map(async (built) => paymentOf(await built)))
  expect(first?.transaction).toBe(second?.transaction)
  const { memo: _memo, ...free } = terms
  const options = { signer: keypairSigner(seed(1)), rpc: node(), mints: new Map(), allowedMints: {} }
  const [third, fourth] = [await buildPayment(free, options), await buildPayment(free, options)]
  expect(third.memo).toMatch(/^[0-9a-f]{32}$/)
  expect(peek(paymentOf(third).transaction)?.memo).toBe(third.memo)
  expect(third.memo).not.toBe(fourth.memo)
  const bare = await build({}, { withMemo: false })
  expect(parseTransaction(bare.wire)?.instructions).toHaveLength(3)
})

test('a memo has at most 256 bytes, counted as UTF-8', async () => {
  expect((await build({ memo: 'é'.repeat(128) })).memo).toHaveLength(128)
  await expect(build({ memo: `${'é'.repeat(128)}x` })).rejects.toMatchObject({ code: 'offer_refused' })
})

test('the decimals and the program of an unknown mint come from the chain, once', async () => {
  const rpc = node({ getAccountInfo: mintAccount(TOKEN_PROGRAM, 9) })
  const mints = new Map()
  const built = await build({ asset: OTHER_MINT }, { rpc, mints })
  expect(parseTransaction(built.wire)?.instructions[2]?.data[9]).toBe(9)
  await build({ asset: OTHER_MINT }, { rpc, mints })
  expect(rpc.asked.filter((method) => method === 'getAccountInfo')).toHaveLength(1)
})

test.each<[string, JsonValue]>([
  ['no account', { value: null }],
  ['an account of another program', mintAccount(SELLER, 6)],
  ['a token account', mintAccount(TOKEN_PROGRAM, 6, new Array(83).fill(0))],
  ['a Token-2022 account', mintAccount(TOKEN_2022_PROGRAM, 6, [...new Array(83).fill(0), 2])],
])('%s is no mint: unknown_asset', async (_name, account) => {
  const rpc = node({ getAccountInfo: account })
  await expect(build({ asset: OTHER_MINT }, { rpc })).rejects.toMatchObject({ code: 'unknown_asset' })
})

test('a Token-2022 mint is looked at although it is known, and needs to be on the list', async () => {
  const extension = [18, 0, 2, 0, 0, 0]
  const account = mintAccount(TOKEN_2022_PROGRAM, 6, [...new Array(83).fill(0), 1, ...extension])
  const rpc = () => node({ getAccountInfo: account })
  await expect(build({ asset: PYUSD }, { rpc: rpc() })).rejects.toMatchObject({ code: 'unknown_asset' })
  const listed = await build({ asset: PYUSD }, { rpc: rpc(), allowedMints: { [PYUSD]: [18] } })
  expect(parseTransaction(listed.wire)?.instructions[2]?.program).toBe(TOKEN_2022_PROGRAM)
})

/** Types 1 and 14 with their values, as they lie in the account. */
const fee = (older: number, newer: number) => {
  const value = new Uint8Array(108)
  new DataView(value.buffer).setUint16(88, older, true)
  new DataView(value.buffer).setUint16(106, newer, true)
  return [1, 0, 108, 0, ...value]
}
const hook = (program: number) => [14, 0, 64, 0, ...new Array(32).fill(1), ...new Array(32).fill(program)]

test.each<[string, readonly number[], readonly number[]]>([
  ['a transfer fee in the older epoch', fee(0, 0), fee(1, 0)],
  ['a transfer fee in the newer epoch', fee(0, 0), fee(0, 1)],
  ['a hook with a program', hook(0), hook(1)],
])('a listed mint with %s is unknown_asset, without it is paid', async (_name, harmless, active) => {
  const options = (extension: readonly number[]) => ({
    rpc: node({
      getAccountInfo: mintAccount(TOKEN_2022_PROGRAM, 6, [...new Array(83).fill(0), 1, ...extension]),
    }),
    allowedMints: { [OTHER_MINT]: [1, 14] },
  })
  expect(await build({ asset: OTHER_MINT }, options(harmless))).toMatchObject({ payer: PAYER })
  await expect(build({ asset: OTHER_MINT }, options(active))).rejects.toMatchObject({ code: 'unknown_asset' })
})

test.each<[string, Partial<Requirement>]>([
  ['a payee that is no address', { payTo: 'nobody' }],
  ['a fee payer that is no address', { feePayer: '0OIl' }],
  ['an asset that is no address', { asset: 'USDC' }],
  ['the buyer as payee', { payTo: PAYER }],
  ['the buyer as fee payer', { feePayer: PAYER }],
])('%s is offer_refused', async (_name, change) => {
  await expect(build(change)).rejects.toMatchObject({ code: 'offer_refused' })
})

test('a node without a blockhash is rpc_failed', async () => {
  const rpc = node({ getLatestBlockhash: { value: {} } })
  await expect(build({}, { rpc })).rejects.toMatchObject({ code: 'rpc_failed' })
})

test('a web3.js keypair, a kit signer and a function sign the same bytes alike', async () => {
  const signers: readonly PaymentSigner[] = [
    keypairSigner(seed(1)),
    await createKeyPairSignerFromPrivateKeyBytes(seed(1)),
    { address: PAYER, signMessageBytes: (message) => signDigest(message, seed(1)) },
  ]
  const built = await Promise.all(signers.map((signer) => build({}, { signer })))
  expect(new Set(built.map((each) => paymentOf(each).transaction)).size).toBe(1)
})

test('what a signer returns is checked before it is used: invalid_option', async () => {
  const signer = { address: PAYER, signMessageBytes: () => new Uint8Array(64) }
  await expect(build({}, { signer })).rejects.toMatchObject({ code: 'invalid_option' })
})
