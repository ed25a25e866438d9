import {
  Keypair,
  PublicKey,
  SystemProgram,
  TransactionInstruction,
  TransactionMessage,
  VersionedTransaction,
} from '@solana/web3.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CHAIN_DEFAULTS, Chain } from './chain.js'
import { TOKEN_PROGRAM } from './program-ids.js'
import { keyBytes } from './svm.js'
import { decodeTransaction } from './transaction.js'

const payer = Keypair.generate()
const key = () => Keypair.generate().publicKey
let chain: Chain
beforeAll(async () => {
  chain = await Chain.create(CHAIN_DEFAULTS)
  chain.pause()
})
afterAll(() => chain.stop())

function bytesOf(version: 'legacy' | 0, withTable = false): Uint8Array {
  const message = new TransactionMessage({
    payerKey: payer.publicKey,
    recentBlockhash: chain.latestBlockhash.blockhash,
    instructions: [
      SystemProgram.transfer({ fromPubkey: payer.publicKey, toPubkey: key(), lamports: 1_000_000 }),
      new TransactionInstruction({
        programId: new PublicKey(TOKEN_PROGRAM),
        keys: [{ pubkey: key(), isSigner: false, isWritable: true }],
        data: Buffer.from([12, 1, 2, 3]),
      }),
    ],
  })
  const compiled = version === 0 ? message.compileToV0Message() : message.compileToLegacyMessage()
  if (withTable) {
    compiled.addressTableLookups.push({ accountKey: key(), writableIndexes: [1, 2], readonlyIndexes: [0] })
  }
  const transaction = new VersionedTransaction(compiled)
  transaction.sign([payer])
  return transaction.serialize()
}

/** A transfer of 1,048,576 lamports in wire version 1 (byte table in transaction-v1.ts), unsigned. */
function version1(): Uint8Array {
  return new Uint8Array([
    ...[0x81, 1, 0, 1, 0b11111, 0, 0, 0],
    ...keyBytes(chain.latestBlockhash.blockhash),
    ...[1, 3, ...payer.publicKey.toBytes(), ...key().toBytes(), ...SystemProgram.programId.toBytes()],
    ...[1, 0, 0, 0, 0, 0, 0, 0, 0x20, 0x4e, 0, 0, 0, 0, 1, 0, 0, 0x80, 0, 0],
    ...[2, 2, 12, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0],
    ...new Uint8Array(64),
  ])
}

describe('decodeTransaction', () => {
  it('reads legacy, v0 and version 1', () => {
    expect(decodeTransaction(bytesOf('legacy')).message.version).toBe('legacy')
    expect(decodeTransaction(bytesOf(0, true)).message).toMatchObject({
      version: 0,
      lookups: [{ writable: [1, 2], readonly: [0] }],
    })
    const { message } = decodeTransaction(version1())
    expect(message).toMatchObject({ version: 1, config: { priorityFee: 1n, computeUnits: 20_000 } })
    expect(message.instructions[0]).toMatchObject({ program: 2, accounts: [0, 1] })
  })

  it('cuts off what is behind the transaction', () => {
    const bytes = bytesOf(0)
    const padded = decodeTransaction(new Uint8Array([...bytes, 1, 2, 3]))
    expect(padded).toEqual(decodeTransaction(bytes))
  })

  it('refuses a length in non-minimal form', () => {
    const bytes = bytesOf(0)
    const padded = new Uint8Array([0x81, 0, ...bytes.subarray(1)])
    expect(() => decodeTransaction(padded)).toThrow(RangeError)
    const twoBytes = new Uint8Array([
      ...bytes.subarray(0, 69),
      (bytes[69] ?? 0) | 0x80,
      0,
      ...bytes.subarray(70),
    ])
    expect(() => decodeTransaction(twoBytes)).toThrow('non-minimal')
  })

  it('refuses bytes that are cut short, at every length', () => {
    for (const bytes of [bytesOf('legacy'), bytesOf(0, true), version1()]) {
      for (let length = 0; length < bytes.length; length++) {
        expect(() => decodeTransaction(bytes.subarray(0, length))).toThrow(RangeError)
      }
    }
  })

  it('lets nothing through that ends the process inside LiteSVM', () => {
    let seed = Math.floor(Math.random() * 2 ** 32)
    console.log(`seed ${seed}`)
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
      return Math.floor((seed / 2 ** 32) * below)
    }
    const originals = [bytesOf('legacy'), bytesOf(0), bytesOf(0, true), version1()]
    let decoded = 0
    for (let round = 0; round < 2_000; round++) {
      const bytes = (originals[round % originals.length] ?? version1()).slice()
      for (let changes = random(4); changes > 0; changes--) {
        bytes[random(bytes.length)] = random(2) === 0 ? random(8) : random(256)
      }
      try {
        const transaction = decodeTransaction(bytes)
        decoded += 1
        chain.simulate(transaction, true)
        chain.isSigned(transaction)
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
      }
    }
    expect(decoded).toBeGreaterThan(500)
  })
})
