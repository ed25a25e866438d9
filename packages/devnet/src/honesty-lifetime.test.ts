/**
 * Blockhashes and duplicates (spec solana 10, points 1-3): no security test elsewhere may pass for
 * the wrong reason. The clock is paused throughout: slots pass when a test says so.
 */
import { Keypair } from '@solana/web3.js'
import { describe, expect, it } from 'vitest'
import {
  base64,
  blockhash,
  devnet,
  payerAddress,
  post,
  result,
  START,
  send,
  sign,
  simulate,
  status,
  transfer,
  value,
} from '../test/paused-devnet.js'
import { startDevnet } from './devnet.js'

describe('1. blockhashes', () => {
  it('are valid while at most 150 blocks old, and not one block longer', async () => {
    const hash = await blockhash()
    const text = base64(sign(hash, [transfer(1_000_000)]))
    devnet.advanceSlots(149)
    expect(await value('isBlockhashValid', hash)).toBe(true)
    expect(await simulate(text)).toMatchObject({ err: null })
    devnet.advanceSlots(1)
    expect(await simulate(text)).toMatchObject({ err: null })
    devnet.advanceSlots(1)
    expect(await value('isBlockhashValid', hash)).toBe(false)
    expect(await simulate(text)).toMatchObject({ err: 'BlockhashNotFound' })
    expect((await send(text)).error).toMatchObject({ code: -32002, data: { err: 'BlockhashNotFound' } })
  })

  it('announce with lastValidBlockHeight the last block that takes them', async () => {
    const latest = JSON.parse(await post('getLatestBlockhash')).result.value
    const { result: id } = await send(base64(sign(latest.blockhash, [transfer(1_000_000)])), {
      skipPreflight: true,
    })
    const late = await send(base64(sign(latest.blockhash, [transfer(2_000_000)])), { skipPreflight: true })
    devnet.advanceSlots(1)
    expect(await status(id)).toMatchObject({ err: null })
    expect(await status(late.result)).toMatchObject({ err: null })
    const height = Number(await result('getBlockHeight'))
    devnet.advanceSlots(latest.lastValidBlockHeight - height)
    expect(await value('isBlockhashValid', latest.blockhash)).toBe(true)
    devnet.advanceSlots(1)
    expect(await value('isBlockhashValid', latest.blockhash)).toBe(false)
  })
})

describe('2. two runs', () => {
  it('share no blockhash', async () => {
    const other = await startDevnet({ slotMs: 60_000 })
    const seen = new Set<string>()
    for (let made = 0; made < 50; made++) {
      seen.add(await blockhash())
      devnet.advanceSlots(1)
      other.advanceSlots(1)
    }
    const response = await fetch(other.rpcUrl, {
      method: 'POST',
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'getLatestBlockhash' }),
    })
    const foreign = (await response.json()).result.value.blockhash
    await other.close()
    expect(seen.size).toBe(50)
    expect(seen.has(foreign)).toBe(false)
    const text = base64(sign(foreign, [transfer(1_000_000)]))
    expect(await simulate(text)).toMatchObject({ err: 'BlockhashNotFound' })
  })
})

describe('3. duplicates', () => {
  it('are refused after 32 other transactions, and in simulation with an empty fee payer slot', async () => {
    const to = Keypair.generate().publicKey
    const transaction = sign(await blockhash(), [transfer(1_000_000, to)])
    const text = base64(transaction)
    await send(text)
    devnet.advanceSlots(1)
    for (let other = 0; other < 40; other++) {
      await send(base64(sign(await blockhash(), [transfer(1_000_000 + other)])), { skipPreflight: true })
    }
    devnet.advanceSlots(1)
    transaction.signatures[0] = new Uint8Array(64)
    expect(await simulate(base64(transaction))).toMatchObject({ err: 'AlreadyProcessed' })
    expect((await send(text)).error).toMatchObject({ code: -32002, data: { err: 'AlreadyProcessed' } })
    await send(text, { skipPreflight: true })
    devnet.advanceSlots(1)
    expect(devnet.lamportsOf(to.toBase58())).toBe(1_000_000n)
    expect(devnet.stats().dropped).toEqual({ AlreadyProcessed: 1 })
  })

  it('are refused when the first copy landed and failed', async () => {
    const text = base64(sign(await blockhash(), [transfer(99e9)]))
    await send(text, { skipPreflight: true })
    devnet.advanceSlots(1)
    expect(await simulate(text)).toMatchObject({ err: 'AlreadyProcessed' })
  })

  it('land once when two copies wait for the same block', async () => {
    const to = Keypair.generate().publicKey
    const text = base64(sign(await blockhash(), [transfer(1_000_000, to)]))
    await send(text, { skipPreflight: true })
    await send(text, { skipPreflight: true })
    devnet.advanceSlots(1)
    expect(devnet.lamportsOf(to.toBase58())).toBe(1_000_000n)
    expect(devnet.lamportsOf(payerAddress)).toBe(START - 1_005_000n)
  })

  it('are forgotten with their blockhash, which then refuses by age', async () => {
    const text = base64(sign(await blockhash(), [transfer(1_000_000)]))
    await send(text)
    devnet.advanceSlots(151)
    expect(await simulate(text)).toMatchObject({ err: 'BlockhashNotFound' })
  })
})
