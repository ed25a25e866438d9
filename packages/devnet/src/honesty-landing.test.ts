/**
 * Sending, landing and the clock (spec solana 10, points 4-6): no security test elsewhere may pass for
 * the wrong reason. The clock is paused throughout: slots pass when a test says so.
 */
import {
  Keypair,
  NONCE_ACCOUNT_LENGTH,
  NonceAccount,
  SystemProgram,
  TransactionInstruction,
} from '@solana/web3.js'
import { describe, expect, it } from 'vitest'
import {
  base64,
  blockhash,
  devnet,
  payer,
  payerAddress,
  post,
  result,
  rpc,
  START,
  send,
  sign,
  simulate,
  status,
  transfer,
} from '../test/paused-devnet.js'

describe('4. sendTransaction', () => {
  it('with skipPreflight gives the signature of a bad signature, and drops it without a fee', async () => {
    const transaction = sign(await blockhash(), [transfer(1_000_000)])
    transaction.signatures[0]?.set([1, 2, 3], 10)
    const { result: id } = await send(base64(transaction), { skipPreflight: true })
    expect(id).toBeTypeOf('string')
    devnet.advanceSlots(1)
    expect(await status(id)).toBeNull()
    expect(devnet.lamportsOf(payerAddress)).toBe(START)
    expect(devnet.stats().dropped).toEqual({ SignatureFailure: 1 })
  })

  it('with skipPreflight gives the signature of a duplicate again', async () => {
    const text = base64(sign(await blockhash(), [transfer(1_000_000)]))
    const first = await send(text, { skipPreflight: true })
    devnet.advanceSlots(1)
    expect(await send(text, { skipPreflight: true })).toEqual(first)
  })

  it('with preflight refuses a bad signature with -32003, before age', async () => {
    const transaction = sign(Keypair.generate().publicKey.toBase58(), [transfer(1_000_000)])
    transaction.signatures[0] = new Uint8Array(64)
    expect((await send(base64(transaction))).error).toMatchObject({ code: -32003 })
    const verified = await rpc('simulateTransaction', base64(transaction), {
      encoding: 'base64',
      sigVerify: true,
    })
    expect(verified.error).toMatchObject({ code: -32003 })
  })

  it('with preflight refuses what simulation refuses, with -32002', async () => {
    const { error } = await send(base64(sign(await blockhash(), [transfer(99e9)])))
    expect(error).toMatchObject({ code: -32002, data: { err: { InstructionError: [0, { Custom: 1 }] } } })
  })
})

describe('5. landing', () => {
  it('happens at the next slot, not at once', async () => {
    const to = Keypair.generate().publicKey
    const { result: id } = await send(base64(sign(await blockhash(), [transfer(1_000_000, to)])))
    expect(await status(id)).toBeNull()
    expect(devnet.lamportsOf(to.toBase58())).toBe(0n)
    expect(devnet.stats().pending).toBe(1)
    const slot = Number(await result('getSlot'))
    devnet.advanceSlots(1)
    expect(await status(id)).toMatchObject({ slot: slot + 1, err: null, confirmationStatus: 'finalized' })
    expect(devnet.lamportsOf(to.toBase58())).toBe(1_000_000n)
  })

  it('leaves a window in which the balance can be spent elsewhere; the loser lands, fails and is charged', async () => {
    const hash = await blockhash()
    const first = await send(base64(sign(hash, [transfer(9e9)])))
    const second = await send(base64(sign(hash, [transfer(9e9)])))
    expect(second.error).toBeUndefined()
    devnet.advanceSlots(1)
    expect(await status(first.result)).toMatchObject({ err: null })
    expect(await status(second.result)).toMatchObject({ err: { InstructionError: [0, { Custom: 1 }] } })
    expect(devnet.lamportsOf(payerAddress)).toBe(START - 9_000_000_000n - 10_000n)
    const meta = JSON.parse(
      await post('getTransaction', second.result, { maxSupportedTransactionVersion: 0 }),
    ).result.meta
    expect(meta).toMatchObject({ fee: 5_000, status: { Err: { InstructionError: [0, { Custom: 1 }] } } })
    expect(meta.preBalances[0] - meta.postBalances[0]).toBe(5_000)
  })

  it('is at once with landing immediate', async () => {
    devnet.setOptions({ landing: 'immediate' })
    const { result: id } = await send(base64(sign(await blockhash(), [transfer(1_000_000)])))
    expect(await status(id)).toMatchObject({ err: null })
  })

  it('drops without status or fee what fails before execution', async () => {
    const program = new TransactionInstruction({ programId: Keypair.generate().publicKey, keys: [] })
    const { result: id } = await send(base64(sign(await blockhash(), [program])), { skipPreflight: true })
    const old = sign(Keypair.generate().publicKey.toBase58(), [transfer(1_000_000)])
    await send(base64(old), { skipPreflight: true })
    devnet.advanceSlots(1)
    expect(await status(id)).toBeNull()
    expect(devnet.lamportsOf(payerAddress)).toBe(START)
    expect(devnet.stats().dropped).toEqual({ InvalidProgramForExecution: 1, BlockhashNotFound: 1 })
  })

  it('advances a durable nonce although the transaction fails', async () => {
    const nonce = Keypair.generate()
    const lamports = Number(await result('getMinimumBalanceForRentExemption', NONCE_ACCOUNT_LENGTH))
    const authorizedPubkey = payer.publicKey
    const noncePubkey = nonce.publicKey
    const create = SystemProgram.createNonceAccount({
      fromPubkey: payer.publicKey,
      noncePubkey,
      authorizedPubkey,
      lamports,
    })
    await send(base64(sign(await blockhash(), create.instructions, [payer, nonce])))
    devnet.advanceSlots(1)
    const read = async () => {
      const account = JSON.parse(await post('getAccountInfo', noncePubkey.toBase58(), { encoding: 'base64' }))
      return NonceAccount.fromAccountData(Buffer.from(account.result.value.data[0], 'base64')).nonce
    }
    const before = await read()
    const advance = SystemProgram.nonceAdvance({ noncePubkey, authorizedPubkey })
    const failing = base64(sign(before, [advance, transfer(99e9)]))
    const { result: id } = await send(failing, { skipPreflight: true })
    devnet.advanceSlots(1)
    expect(await status(id)).toMatchObject({ err: { InstructionError: [1, { Custom: 1 }] } })
    expect(await read()).not.toBe(before)
    expect(await simulate(failing)).toMatchObject({ err: 'BlockhashNotFound' })
  })
})

describe('6. the clock', () => {
  it('advances slot, height and unix time with each slot', async () => {
    const before = JSON.parse(await post('getEpochInfo')).result
    const time = Number(await result('getBlockTime', before.absoluteSlot))
    devnet.advanceSlots(100)
    const after = JSON.parse(await post('getEpochInfo')).result
    expect(after.absoluteSlot).toBe(before.absoluteSlot + 100)
    expect(after.blockHeight).toBe(before.blockHeight + 100)
    expect(Number(await result('getBlockTime', after.absoluteSlot)) - time).toBeGreaterThanOrEqual(39)
  })

  it('runs by itself', async () => {
    const before = Number(await result('getSlot'))
    devnet.setOptions({ slotMs: 5 })
    devnet.resumeClock()
    await expect.poll(() => result('getSlot'), { interval: 5 }).toBeGreaterThan(before + 3)
  })

  it('fills SlotHashes with 512 entries', async () => {
    devnet.advanceSlots(3)
    const sysvar = JSON.parse(
      await post('getAccountInfo', 'SysvarS1otHashes111111111111111111111111111', { encoding: 'base64' }),
    ).result.value
    const data = Buffer.from(sysvar.data[0], 'base64')
    expect(data.readBigUInt64LE(0)).toBe(512n)
    const slot = BigInt(Number(await result('getSlot')))
    expect(data.readBigUInt64LE(8)).toBe(slot)
    expect(data.readBigUInt64LE(8 + 511 * 40)).toBe(slot - 511n)
  })
})
