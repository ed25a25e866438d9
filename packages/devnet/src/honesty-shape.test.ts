/**
 * Sizes, errors, numbers and metadata (spec solana 10, points 7-10): no security test elsewhere may pass for
 * the wrong reason. The clock is paused throughout: slots pass when a test says so.
 */
import {
  ComputeBudgetProgram,
  Keypair,
  PublicKey,
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
  rpc,
  send,
  sign,
  simulate,
  transfer,
} from '../test/paused-devnet.js'
import { MEMO_PROGRAM } from './program-ids.js'

const TOKEN = new PublicKey('TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA')
const ATA = new PublicKey('ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL')

describe('7. packet size', () => {
  const memo = (length: number) =>
    new TransactionInstruction({
      programId: new PublicKey(MEMO_PROGRAM),
      keys: [],
      data: Buffer.alloc(length, 'a'),
    })

  it('is 1,232 bytes: one more is refused with -32602', async () => {
    const hash = await blockhash()
    const overhead = sign(hash, [memo(200)]).serialize().length - 200
    const fits = sign(hash, [memo(1_232 - overhead)]).serialize()
    expect(fits.length).toBe(1_232)
    expect((await send(Buffer.from(fits).toString('base64'))).error).toBeUndefined()
    const tooLong = Buffer.concat([fits, Uint8Array.of(0)])
    expect((await send(tooLong.toString('base64'))).error).toMatchObject({ code: -32602 })
    const simulated = await rpc('simulateTransaction', tooLong.toString('base64'), { encoding: 'base64' })
    expect(simulated.error).toMatchObject({ code: -32602 })
  })

  it('is 4,096 bytes for wire version 1', async () => {
    const size = (length: number) => Buffer.concat([Uint8Array.of(0x81), new Uint8Array(length - 1)])
    expect((await send(size(4_096).toString('base64'))).error?.message).toMatch(/failed to deserialize/)
    expect((await send(size(4_097).toString('base64'))).error).toMatchObject({
      code: -32602,
      message: 'decoded Transaction too large: 4097 bytes (max: 4096 bytes)',
    })
  })
})

describe('8. errors', () => {
  it('have the shape of Solana', async () => {
    const hash = await blockhash()
    const unrented = sign(hash, [transfer(1_000)])
    expect(await simulate(base64(unrented))).toMatchObject({
      err: { InsufficientFundsForRent: { account_index: 1 } },
    })
    const twice = ComputeBudgetProgram.setComputeUnitLimit({ units: 1_000 })
    expect(await simulate(base64(sign(hash, [twice, twice])))).toMatchObject({
      err: { DuplicateInstruction: 1 },
    })
    const bad = new TransactionInstruction({
      programId: SystemProgram.programId,
      keys: [],
      data: Buffer.from([99, 0, 0, 0]),
    })
    expect(await simulate(base64(sign(hash, [transfer(1_000_000), bad])))).toMatchObject({
      err: { InstructionError: [1, 'InvalidInstructionData'] },
    })
  })

  it('have the codes of a node', async () => {
    expect((await rpc('getNonsense')).error).toMatchObject({ code: -32601 })
    expect((await rpc('constructor')).error).toMatchObject({ code: -32601 })
    expect((await rpc('getBalance', 'not an address')).error).toMatchObject({ code: -32602 })
    expect((await send('AAAA')).error).toMatchObject({ code: -32602 })
    expect((await send('%%%%')).error).toMatchObject({ code: -32602 })
    expect((await rpc('getBalance', payerAddress, { minContextSlot: 2 ** 40 })).error).toMatchObject({
      code: -32016,
    })
  })
})

describe('9. 64-bit integers', () => {
  it('are bare and keep every digit', async () => {
    const text = await post('getAccountInfo', payerAddress, { encoding: 'base64' })
    expect(text).toContain('"rentEpoch":18446744073709551615,')
    devnet.setLamports(payerAddress, 9_007_199_254_740_993n)
    expect(await post('getBalance', payerAddress)).toContain('"value":9007199254740993}')
  })
})

describe('10. metadata', () => {
  it('has fee, balances, logs, inner instructions, compute units and the bytes', async () => {
    const owner = Keypair.generate().publicKey
    const [account] = PublicKey.findProgramAddressSync(
      [owner.toBytes(), TOKEN.toBytes(), new PublicKey(devnet.mint).toBytes()],
      ATA,
    )
    const create = new TransactionInstruction({
      programId: ATA,
      keys: [
        { pubkey: payer.publicKey, isSigner: true, isWritable: true },
        { pubkey: account, isSigner: false, isWritable: true },
        { pubkey: owner, isSigner: false, isWritable: false },
        { pubkey: new PublicKey(devnet.mint), isSigner: false, isWritable: false },
        { pubkey: SystemProgram.programId, isSigner: false, isWritable: false },
        { pubkey: TOKEN, isSigner: false, isWritable: false },
      ],
      data: Buffer.from([1]),
    })
    const price = ComputeBudgetProgram.setComputeUnitPrice({ microLamports: 1_000_000 })
    const limit = ComputeBudgetProgram.setComputeUnitLimit({ units: 60_000 })
    const text = base64(sign(await blockhash(), [limit, price, create]))
    const { result: id } = await send(text)
    devnet.advanceSlots(1)
    const parsed = JSON.parse(
      await post('getTransaction', id, { encoding: 'jsonParsed', maxSupportedTransactionVersion: 0 }),
    ).result
    const { meta } = parsed
    expect(meta.fee).toBe(65_000)
    expect(meta.preBalances[0] - meta.postBalances[0]).toBe(65_000 + 2_039_280)
    expect(meta.preTokenBalances).toEqual([])
    expect(meta.postTokenBalances).toMatchObject([
      { mint: devnet.mint, owner: owner.toBase58(), uiTokenAmount: { amount: '0', decimals: 6 } },
    ])
    expect(meta.innerInstructions[0].index).toBe(2)
    const inner = meta.innerInstructions[0].instructions.map(
      (entry: { parsed?: { type: string } }) => entry.parsed?.type,
    )
    expect(inner).toContain('createAccount')
    expect(inner).toContain('initializeAccount3')
    expect(meta.computeUnitsConsumed).toBeGreaterThan(1_000)
    expect(meta.logMessages.length).toBeGreaterThan(4)
    const raw = JSON.parse(
      await post('getTransaction', id, { encoding: 'base64', maxSupportedTransactionVersion: 0 }),
    ).result
    expect(raw.transaction).toEqual([text, 'base64'])
    expect(raw.version).toBe(0)
  })
})
