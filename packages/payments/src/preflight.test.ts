import { type Devnet, startDevnet } from '@aetherkit/devnet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { inspectShop, type PreflightOptions, preflight } from './preflight.js'
import { associatedAccount, keypairSigner, signerAddress } from './solana.js'
import { watchSponsors } from './sponsor-alarm.js'
import { TOKEN_2022_PROGRAM, TOKEN_PROGRAM, TOKENS } from './token.js'

let chain: Devnet
beforeAll(async () => {
  chain = await startDevnet({ slotMs: 20 })
})
afterAll(() => chain?.close())

const shop = (change: Partial<PreflightOptions> = {}): PreflightOptions => ({
  rpcUrl: chain.rpcUrl,
  network: 'solana-devnet',
  payTo: chain.wallets.merchant.publicKey,
  sponsors: [chain.wallets.facilitator.publicKey],
  ...change,
})
const newAddress = () => signerAddress(keypairSigner(crypto.getRandomValues(new Uint8Array(32))))
const codes = async (change: Partial<PreflightOptions>) =>
  (await inspectShop(shop(change))).map(({ code }) => code)

/** An account by cheat code, with this data. */
async function place(address: string, owner: string, data: Uint8Array): Promise<void> {
  const update = { lamports: 10_000_000, owner, data: Buffer.from(data).toString('hex') }
  await fetch(chain.rpcUrl, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'surfnet_setAccount', params: [address, update] }),
  })
}

function mintData(decimals: number, extension?: { type: number; value: Uint8Array }): Uint8Array {
  const base = new Uint8Array(82)
  base[44] = decimals
  base[45] = 1
  if (extension === undefined) return base
  const data = new Uint8Array(170 + extension.value.length)
  data.set(base)
  data[165] = 1
  new DataView(data.buffer).setUint16(166, extension.type, true)
  new DataView(data.buffer).setUint16(168, extension.value.length, true)
  data.set(extension.value, 170)
  return data
}

test('a shop that can be paid has no fault, and opens', async () => {
  expect(await inspectShop(shop())).toEqual([])
  await expect(preflight(shop())).resolves.toBeUndefined()
})

test('a sponsor that is paid itself is payee_is_sponsor', async () => {
  const payTo = chain.wallets.facilitator.publicKey
  await chain.setTokens(payTo, 0n)
  expect(await codes({ payTo })).toEqual(['payee_is_sponsor'])
  expect(await codes({ payTo, sponsors: [] })).toEqual([])
})

test('a wallet without a token account is payee_account_missing, with the command that creates it', async () => {
  const payTo = newAddress()
  const [fault] = await inspectShop(shop({ payTo: [chain.wallets.merchant.publicKey, payTo] }))
  expect(fault?.code).toBe('payee_account_missing')
  expect(fault?.command).toContain(`spl-token create-account ${chain.mint} --owner ${payTo} `)
  await chain.setTokens(payTo, 0n)
  expect(await codes({ payTo })).toEqual([])
})

test('a token account, a mint or no address in place of a wallet has its own name', async () => {
  const account = associatedAccount(chain.wallets.merchant.publicKey, TOKEN_PROGRAM, chain.mint)
  expect(await codes({ payTo: account })).toEqual(['payee_not_wallet'])
  expect(await codes({ payTo: chain.mint })).toEqual(['payee_not_wallet'])
  expect(await codes({ payTo: 'MERCHANT_WALLET' })).toEqual(['payee_invalid'])
})

test('what is no mint, or has other decimals than it must, is told', async () => {
  expect(await codes({ assets: [newAddress()] })).toEqual(['mint_invalid'])
  expect(await codes({ assets: ['USDC'] })).toEqual(['mint_invalid'])
  const usdg = TOKENS['solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1'][1]?.mint ?? ''
  await place(usdg, TOKEN_2022_PROGRAM, mintData(9))
  expect(await codes({ assets: [usdg] })).toEqual(['mint_decimals'])
})

test('a Token-2022 mint is refused unless it is listed, and with a transfer fee in any case', async () => {
  const plain = newAddress()
  await place(plain, TOKEN_2022_PROGRAM, mintData(6))
  expect(await codes({ assets: [plain] })).toEqual(['token_extension_not_allowed'])
  expect(await codes({ assets: [plain], allowedMints: { [plain]: [] } })).toEqual(['payee_account_missing'])
  const value = new Uint8Array(108)
  value[106] = 100
  const taxed = newAddress()
  await place(taxed, TOKEN_2022_PROGRAM, mintData(6, { type: 1, value }))
  expect(await codes({ assets: [taxed], allowedMints: { [taxed]: [1] } })).toEqual([
    'token_extension_not_allowed',
  ])
})

test('a sponsor without lamports is sponsor_low', async () => {
  const poor = newAddress()
  chain.setLamports(poor, 9_999_999n)
  expect(await codes({ sponsors: [poor] })).toEqual(['sponsor_low'])
  expect(await codes({ sponsors: [poor], minSponsorLamports: 1_000_000n })).toEqual([])
})

test('a node of another network is genesis_mismatch and nothing else', async () => {
  expect(await codes({ network: 'solana', payTo: newAddress() })).toEqual(['genesis_mismatch'])
})

test('a node that is away is rpc_unreachable; a network we do not know is unknown_network', async () => {
  expect(await codes({ fetch: () => Promise.reject(new Error('connection refused')) })).toEqual([
    'rpc_unreachable',
  ])
  await expect(inspectShop(shop({ network: 'base' }))).rejects.toMatchObject({ code: 'unknown_network' })
})

test('preflight throws the first code as its reason, and says all of them', async () => {
  const poor = newAddress()
  const payTo = newAddress()
  await expect(preflight(shop({ payTo, sponsors: [poor] }))).rejects.toMatchObject({
    code: 'invalid_option',
    reason: 'payee_account_missing',
    message: expect.stringMatching(/payee_account_missing[\s\S]*spl-token[\s\S]*sponsor_low/),
  })
})

test('the alarm tells once of a sponsor that has become low, and again when it was good meanwhile', async () => {
  const sponsor = newAddress()
  chain.setLamports(sponsor, 20_000_000n)
  const told: string[] = []
  const alarm = watchSponsors({
    rpcUrl: chain.rpcUrl,
    sponsors: [sponsor, chain.wallets.facilitator.publicKey],
    onLow: ({ code, command }) => void told.push(`${code} ${command?.includes(sponsor)}`),
  })
  await alarm.look()
  expect(told).toEqual([])
  chain.setLamports(sponsor, 9_999_999n)
  await alarm.look()
  await alarm.look()
  expect(told).toEqual(['sponsor_low true'])
  chain.setLamports(sponsor, 10_000_000n)
  await alarm.look()
  chain.setLamports(sponsor, 0n)
  await alarm.look()
  expect(told).toHaveLength(2)
  alarm.close()
  const options = { rpcUrl: chain.rpcUrl, sponsors: [sponsor], onLow: () => {}, everyMs: Number.NaN }
  expect(() => watchSponsors(options)).toThrow(expect.objectContaining({ code: 'invalid_option' }))
})
