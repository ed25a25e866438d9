/** Encodings, slices, filters and limits of the account methods (spec solana 10.1). */
import { Keypair } from '@solana/web3.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Devnet, startDevnet } from './devnet.js'
import { TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from './program-ids.js'
import { associatedTokenAddress } from './token.js'

let devnet: Devnet
let buyerAccount: string
beforeAll(async () => {
  devnet = await startDevnet()
  devnet.pauseClock()
  buyerAccount = await associatedTokenAddress(devnet.wallets.buyer.publicKey, devnet.mint, TOKEN_PROGRAM)
})
afterAll(() => devnet.close())

async function rpc(method: string, ...params: unknown[]) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  return (await fetch(devnet.rpcUrl, { method: 'POST', body })).json()
}
const info = async (config?: object) => (await rpc('getAccountInfo', buyerAccount, config)).result?.value
const newAddress = () => Keypair.generate().publicKey.toBase58()

describe('getAccountInfo', () => {
  it('gives base64, a slice of it, and base58 of up to 128 bytes', async () => {
    const [text, encoding] = (await info({ encoding: 'base64' })).data
    expect(encoding).toBe('base64')
    const data = Buffer.from(text, 'base64')
    expect(data.readBigUInt64LE(64)).toBe(100_000_000n)
    const slice = await info({ encoding: 'base64', dataSlice: { offset: 64, length: 8 } })
    expect(slice.data[0]).toBe(data.subarray(64, 72).toString('base64'))
    expect(slice.space).toBe(165)
    const mint = await info({ encoding: 'base58', dataSlice: { offset: 0, length: 32 } })
    expect(mint.data).toEqual([devnet.mint, 'base58'])
    const bare = await info({ dataSlice: { offset: 0, length: 32 } })
    expect(bare.data).toBe(devnet.mint)
    expect((await rpc('getAccountInfo', buyerAccount)).error.code).toBe(-32600)
  })

  it('gives null for an account that does not exist', async () => {
    const { result } = await rpc('getAccountInfo', newAddress(), { encoding: 'base64' })
    expect(result.value).toBeNull()
    expect(result.context.apiVersion).toMatch(/-litesvm$/)
  })

  it('refuses unknown encodings and commitments with -32602', async () => {
    expect((await rpc('getAccountInfo', buyerAccount, { encoding: 'base64+zstd' })).error.code).toBe(-32602)
    const { error } = await rpc('getAccountInfo', buyerAccount, { encoding: 'base64', commitment: 'soon' })
    expect(error.code).toBe(-32602)
  })

  it('parses Token-2022 mints with the names of their extensions', async () => {
    const mint = newAddress()
    const data = Buffer.alloc(166 + 4 + 108)
    data[45] = 1
    data[44] = 9
    data[165] = 1
    data.writeUInt16LE(1, 166)
    data.writeUInt16LE(108, 168)
    const account = { lamports: 5_000_000, data: data.toString('hex'), owner: TOKEN_2022_PROGRAM }
    await rpc('surfnet_setAccount', mint, account)
    const { result } = await rpc('getAccountInfo', mint, { encoding: 'jsonParsed' })
    expect(result.value.data).toMatchObject({
      program: 'spl-token-2022',
      parsed: { type: 'mint', info: { decimals: 9, extensions: [{ extension: 'transferFeeConfig' }] } },
    })
    await devnet.setTokens(devnet.wallets.buyer.publicKey, 3n, mint)
    expect(await devnet.tokensOf(devnet.wallets.buyer.publicKey, mint)).toBe(3n)
  })
})

describe('lists', () => {
  it('getMultipleAccounts takes 100 addresses and refuses 101', async () => {
    const addresses = Array.from({ length: 101 }, newAddress)
    expect((await rpc('getMultipleAccounts', addresses.slice(0, 100))).result.value).toHaveLength(100)
    expect((await rpc('getMultipleAccounts', addresses)).error.code).toBe(-32602)
  })

  it('getProgramAccounts filters by size and content', async () => {
    const bytes = Buffer.from([0x40, 0x42, 0x0f, 0, 0, 0, 0, 0]).toString('base64')
    const owner = newAddress()
    await devnet.setTokens(owner, 1_000_000n)
    const filters = [{ dataSize: 165 }, { memcmp: { offset: 64, bytes, encoding: 'base64' } }]
    const { result } = await rpc('getProgramAccounts', TOKEN_PROGRAM, { encoding: 'base64', filters })
    const account = await associatedTokenAddress(owner, devnet.mint, TOKEN_PROGRAM)
    expect(result.map((entry: { pubkey: string }) => entry.pubkey)).toEqual([account])
    const bad = await rpc('getProgramAccounts', TOKEN_PROGRAM, { filters: [{ nonsense: 1 }] })
    expect(bad.error.code).toBe(-32602)
  })

  it('token methods refuse what is no token account or mint with -32602', async () => {
    expect((await rpc('getTokenAccountBalance', devnet.mint)).error.code).toBe(-32602)
    expect((await rpc('getTokenSupply', buyerAccount)).error.code).toBe(-32602)
    const { buyer } = devnet.wallets
    expect((await rpc('getTokenAccountsByOwner', buyer.publicKey, { mint: newAddress() })).error.code).toBe(
      -32602,
    )
  })
})
