/** Fault switches and cheat codes (spec solana 10.1), driven with the `Connection` of web3.js. */
import { Connection, Keypair, type VersionedTransaction } from '@solana/web3.js'
import { beforeEach, describe, expect, it } from 'vitest'
import { devnet, payer, post, sign, transfer as transferOf } from '../test/paused-devnet.js'

let connection: Connection
const SKIP = { skipPreflight: true }

beforeEach(() => {
  connection = new Connection(devnet.rpcUrl, { commitment: 'confirmed', wsEndpoint: devnet.wsUrl })
})

async function transfer(lamports: number): Promise<VersionedTransaction> {
  const { blockhash } = await connection.getLatestBlockhash()
  return sign(blockhash, [transferOf(lamports)])
}
const statusOf = async (signature: string) => (await connection.getSignatureStatus(signature)).value

const cheat = async (method: string, ...params: unknown[]) => JSON.parse(await post(method, ...params))

describe('fault switches', () => {
  it('dropSends answers with a signature and loses the transaction, so many times', async () => {
    devnet.setOptions({ dropSends: 1 })
    const transaction = await transfer(1_000_000)
    const signature = await connection.sendTransaction(transaction, SKIP)
    devnet.advanceSlots(1)
    expect(await statusOf(signature)).toBeNull()
    expect(await connection.sendTransaction(transaction, SKIP)).toBe(signature)
    devnet.advanceSlots(1)
    expect(await statusOf(signature)).toMatchObject({ err: null })
  })

  it('failSends takes the transaction and answers with an error', async () => {
    devnet.setOptions({ failSends: 1 })
    const sent = connection.sendTransaction(await transfer(1_000_000), SKIP)
    await expect(sent).rejects.toThrow('answer lost by a fault switch')
    devnet.advanceSlots(1)
    expect(devnet.stats()).toMatchObject({ landed: 1, failed: 0 })
  })

  it('confirmDelayMs hides what landed from statuses, lookups and subscriptions', async () => {
    devnet.setOptions({ confirmDelayMs: 3_600_000 })
    const transaction = await transfer(1_000_000)
    const signature = await connection.sendTransaction(transaction, SKIP)
    devnet.advanceSlots(1)
    expect(devnet.stats().landed).toBe(1)
    expect(await statusOf(signature)).toBeNull()
    expect(await connection.getTransaction(signature, { maxSupportedTransactionVersion: 0 })).toBeNull()
    expect(await connection.getSignaturesForAddress(payer.publicKey)).toEqual([])
    const notified = new Promise((resolve) => connection.onSignature(signature, resolve))
    await expect.poll(() => statusOf(signature)).toBeNull()
    devnet.setOptions({ confirmDelayMs: 0 })
    expect(await notified).toEqual({ err: null })
    expect(await statusOf(signature)).toMatchObject({ err: null })
  })

  it('confirmDelayMs ends by itself, on the subscription too', async () => {
    devnet.setOptions({ confirmDelayMs: 20 })
    const signature = await connection.sendTransaction(await transfer(1_000_000), SKIP)
    const notified = new Promise((resolve) => connection.onSignature(signature, resolve))
    devnet.advanceSlots(1)
    expect(await notified).toEqual({ err: null })
  })

  it('delayMs delays the named methods alone', async () => {
    devnet.setOptions({ delayMs: 3_600_000, delayMethods: ['sendTransaction'] })
    const late = connection.sendTransaction(await transfer(1_000_000), SKIP).catch(() => 'cut off')
    expect(await connection.getSlot()).toBeTypeOf('number')
    await expect.poll(() => devnet.stats().requests.sendTransaction).toBe(1)
    expect(devnet.stats().pending).toBe(0)
    await devnet.close()
    expect(await late).toBe('cut off')
  })

  it('expireBlockhashes kills what is signed but not landed', async () => {
    const signature = await connection.sendTransaction(await transfer(1_000_000), SKIP)
    const { result } = await cheat('devnet_expireBlockhashes')
    expect((await connection.getLatestBlockhash()).blockhash).toBe(result.blockhash)
    devnet.advanceSlots(1)
    expect(await statusOf(signature)).toBeNull()
    expect(devnet.stats().dropped).toEqual({ BlockhashNotFound: 1 })
  })

  it('validBlocks shortens the life of blockhashes', async () => {
    devnet.setOptions({ validBlocks: 2 })
    const { blockhash } = await connection.getLatestBlockhash()
    devnet.advanceSlots(2)
    expect((await connection.isBlockhashValid(blockhash)).value).toBe(true)
    devnet.advanceSlots(1)
    expect((await connection.isBlockhashValid(blockhash)).value).toBe(false)
  })

  it('refuses unknown and impossible options with -32602 and changes nothing', async () => {
    for (const options of [{ slotms: 5 }, { slotMs: 0 }, { landing: 'never' }, { dropSends: -1 }]) {
      const { error } = await cheat('devnet_setOptions', { confirmDelayMs: 5, ...options })
      expect(error.code).toBe(-32602)
    }
    expect(() => devnet.setOptions({ slotMs: 0 })).toThrow(RangeError)
    const { result } = await cheat('devnet_setOptions', {})
    expect(result).toEqual({
      slotMs: 400,
      landing: 'next-slot',
      validBlocks: 150,
      confirmDelayMs: 0,
      dropSends: 0,
      failSends: 0,
      delayMs: 0,
      delayMethods: [],
    })
  })
})

describe('cheat codes', () => {
  it('setAccount places lamports, data and owner, with 64-bit digits', async () => {
    const { publicKey } = Keypair.generate()
    const body = `{"jsonrpc":"2.0","id":1,"method":"surfnet_setAccount","params":["${publicKey.toBase58()}",
      {"lamports":18446744073709551614,"data":"00ff","owner":"${payer.publicKey.toBase58()}"}]}`
    await fetch(devnet.rpcUrl, { method: 'POST', body })
    expect(devnet.lamportsOf(publicKey.toBase58())).toBe(2n ** 64n - 2n)
    const account = await connection.getAccountInfo(publicKey)
    expect([...(account?.data ?? [])]).toEqual([0, 255])
    expect(account?.owner.equals(payer.publicKey)).toBe(true)
  })

  it('setTokenAccount creates and changes a token account, and the supply follows', async () => {
    const owner = Keypair.generate().publicKey.toBase58()
    expect(await devnet.tokensOf(owner)).toBeUndefined()
    await cheat('surfnet_setTokenAccount', owner, devnet.mint, { amount: 5_000_000 })
    expect(await devnet.tokensOf(owner)).toBe(5_000_000n)
    const supply = await cheat('getTokenSupply', devnet.mint)
    expect(supply.result.value.amount).toBe('105000000')
    await cheat('surfnet_setTokenAccount', owner, devnet.mint, { amount: 1, state: 'frozen' })
    const accounts = await cheat(
      'getTokenAccountsByOwner',
      owner,
      { mint: devnet.mint },
      { encoding: 'jsonParsed' },
    )
    expect(accounts.result.value[0].account.data.parsed.info).toMatchObject({
      state: 'frozen',
      tokenAmount: { amount: '1' },
    })
  })

  it('timeTravel goes forward in slots and time, and refuses the past with -32602', async () => {
    const slot = await connection.getSlot()
    const { result } = await cheat('surfnet_timeTravel', { absoluteSlot: slot + 1_000_000 })
    expect(result.absoluteSlot).toBe(slot + 1_000_000)
    expect((await cheat('surfnet_timeTravel', { absoluteSlot: slot })).error.code).toBe(-32602)
    const seconds = ((await connection.getBlockTime(result.absoluteSlot)) ?? 0) + 86_400
    await cheat('surfnet_timeTravel', { absoluteTimestamp: seconds * 1000 })
    const after = await connection.getBlockTime(await connection.getSlot())
    expect(after).toBeGreaterThanOrEqual(seconds)
    expect((await cheat('surfnet_timeTravel', { absoluteTimestamp: 1 })).error.code).toBe(-32602)
  })

  it('pauseClock and resumeClock hold and release the slots', async () => {
    devnet.setOptions({ slotMs: 5 })
    await cheat('surfnet_resumeClock')
    const { result } = await cheat('surfnet_pauseClock')
    const pending = await connection.sendTransaction(await transfer(1_000_000), SKIP)
    expect(await connection.getSlot()).toBe(result.absoluteSlot)
    expect(await statusOf(pending)).toBeNull()
    await cheat('surfnet_resumeClock')
    await expect.poll(() => statusOf(pending)).toMatchObject({ err: null })
  })

  it('stats count calls and outcomes until they are reset', async () => {
    await connection.sendTransaction(await transfer(1_000_000), SKIP)
    await cheat('devnet_advanceSlots', 1)
    const { result } = await cheat('devnet_stats')
    expect(result).toMatchObject({
      requests: { getLatestBlockhash: 1, sendTransaction: 1, devnet_advanceSlots: 1 },
      landed: 1,
      failed: 0,
    })
    await cheat('devnet_resetStats')
    expect(devnet.stats()).toMatchObject({ requests: {}, landed: 0 })
  })
})
