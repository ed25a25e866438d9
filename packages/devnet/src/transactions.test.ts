/** Simulation options, airdrops, history and wire version 1 (spec solana 10, 10.1). */
import { Keypair, SystemProgram, TransactionMessage, VersionedTransaction } from '@solana/web3.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodeBase58, encodeBase58 } from './base58.js'
import { type Devnet, startDevnet } from './devnet.js'
import { createHistory, type LandedTransaction } from './history.js'
import { type Keypair as DevnetKeypair, signMessage } from './keypair.js'
import { keyBytes } from './svm.js'

let devnet: Devnet
let payer: DevnetKeypair
beforeAll(async () => {
  devnet = await startDevnet()
  devnet.pauseClock()
  payer = devnet.wallets.facilitator
})
afterAll(() => devnet.close())

async function rpc(method: string, ...params: unknown[]) {
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  return (await fetch(devnet.rpcUrl, { method: 'POST', body })).json()
}
const blockhash = async (): Promise<string> => (await rpc('getLatestBlockhash')).result.value.blockhash
const newAddress = () => Keypair.generate().publicKey

function transfer(recentBlockhash: string, to = newAddress()): VersionedTransaction {
  const signer = Keypair.fromSecretKey(payer.secretKey)
  const message = new TransactionMessage({
    payerKey: signer.publicKey,
    recentBlockhash,
    instructions: [
      SystemProgram.transfer({ fromPubkey: signer.publicKey, toPubkey: to, lamports: 1_000_000 }),
    ],
  })
  const transaction = new VersionedTransaction(message.compileToV0Message())
  transaction.sign([signer])
  return transaction
}
const base64 = (transaction: VersionedTransaction) => Buffer.from(transaction.serialize()).toString('base64')

describe('simulateTransaction', () => {
  it('changes nothing and gives the accounts as they would be', async () => {
    const to = newAddress()
    const text = base64(transfer(await blockhash(), to))
    const accounts = { encoding: 'base64', addresses: [to.toBase58(), newAddress().toBase58()] }
    const { value } = (await rpc('simulateTransaction', text, { encoding: 'base64', accounts })).result
    expect(value).toMatchObject({ err: null, unitsConsumed: 150, fee: 5_000, replacementBlockhash: null })
    expect(value.accounts).toMatchObject([{ lamports: 1_000_000 }, null])
    expect(devnet.lamportsOf(to.toBase58())).toBe(0n)
  })

  it('with replaceRecentBlockhash takes any blockhash and names its replacement', async () => {
    const text = base64(transfer(newAddress().toBase58()))
    const config = { encoding: 'base64', replaceRecentBlockhash: true }
    const { value } = (await rpc('simulateTransaction', text, config)).result
    expect(value.err).toBeNull()
    expect(value.replacementBlockhash.blockhash).toBe(await blockhash())
    const both = await rpc('simulateTransaction', text, { ...config, sigVerify: true })
    expect(both.error.code).toBe(-32602)
  })
})

describe('getFeeForMessage', () => {
  it('gives the fee, and null for a dead blockhash', async () => {
    const fee = async (hash: string) => {
      const message = Buffer.from(transfer(hash).message.serialize()).toString('base64')
      return (await rpc('getFeeForMessage', message)).result.value
    }
    expect(await fee(await blockhash())).toBe(5_000)
    expect(await fee(newAddress().toBase58())).toBeNull()
    expect((await rpc('getFeeForMessage', 'AAAA')).error.code).toBe(-32602)
  })
})

describe('requestAirdrop', () => {
  it('lands two equal airdrops under one blockhash', async () => {
    const to = newAddress().toBase58()
    const [first, second] = [await rpc('requestAirdrop', to, 1e9), await rpc('requestAirdrop', to, 1e9)]
    expect(first.result).not.toBe(second.result)
    devnet.advanceSlots(1)
    expect(devnet.lamportsOf(to)).toBe(2_000_000_000n)
  })

  it('refuses what is no amount with -32602', async () => {
    expect((await rpc('requestAirdrop', newAddress().toBase58(), -1)).error.code).toBe(-32602)
    expect((await rpc('requestAirdrop', newAddress().toBase58(), '5')).error.code).toBe(-32602)
  })
})

describe('sendTransaction', () => {
  it('takes base58 by default, as a node does', async () => {
    const { result } = await rpc('sendTransaction', encodeBase58(transfer(await blockhash()).serialize()))
    expect(decodeBase58(result, 64)).toBeDefined()
    devnet.advanceSlots(1)
  })

  it('lands wire version 1, with the fee of its own config', async () => {
    const to = newAddress().toBase58()
    const message = new Uint8Array([
      ...[0x81, 1, 0, 1, 0b01111, 0, 0, 0],
      ...keyBytes(await blockhash()),
      ...[1, 3, ...keyBytes(payer.publicKey), ...keyBytes(to), ...SystemProgram.programId.toBytes()],
      ...[7, 0, 0, 0, 0, 0, 0, 0, 0x20, 0x4e, 0, 0, 0, 0, 1, 0],
      ...[2, 2, 12, 0, 0, 1, 2, 0, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0],
    ])
    const wire = Buffer.concat([message, signMessage(message, payer)]).toString('base64')
    const before = devnet.lamportsOf(payer.publicKey)
    const { result: id, error } = await rpc('sendTransaction', wire, { encoding: 'base64' })
    expect(error).toBeUndefined()
    devnet.advanceSlots(1)
    expect(devnet.lamportsOf(to)).toBe(1_048_576n)
    const fee = before - devnet.lamportsOf(payer.publicKey) - 1_048_576n
    expect(fee).toBe(5_007n)
    const refused = await rpc('getTransaction', id, { maxSupportedTransactionVersion: 0 })
    expect(refused.error.code).toBe(-32015)
    const { result } = await rpc('getTransaction', id, { maxSupportedTransactionVersion: 1 })
    expect(result).toMatchObject({ version: 1, meta: { err: null, fee: 5_007 } })
  })
})

describe('getSignaturesForAddress', () => {
  it('lists newest first, between before and until, up to a limit', async () => {
    const to = newAddress()
    const ids: string[] = []
    for (let sent = 0; sent < 4; sent++) {
      const text = base64(transfer(await blockhash(), to))
      ids.unshift((await rpc('sendTransaction', text, { encoding: 'base64' })).result)
      devnet.advanceSlots(1)
    }
    const list = async (config: object) => {
      const { result } = await rpc('getSignaturesForAddress', to.toBase58(), config)
      return result.map((entry: { signature: string }) => entry.signature)
    }
    expect(await list({})).toEqual(ids)
    expect(await list({ before: ids[0], until: ids[3] })).toEqual(ids.slice(1, 3))
    expect(await list({ limit: 1 })).toEqual(ids.slice(0, 1))
    expect((await rpc('getSignaturesForAddress', to.toBase58(), { limit: 1_001 })).error.code).toBe(-32602)
  })
})

describe('history', () => {
  it('keeps the newest and forgets the oldest', async () => {
    const text = base64(transfer(await blockhash()))
    await rpc('sendTransaction', text, { encoding: 'base64' })
    const entry = (id: string) => ({ transaction: { id } }) as LandedTransaction
    const history = createHistory(3)
    for (const id of ['a', 'b', 'c', 'd']) history.add(entry(id))
    expect(history.get('a')).toBeUndefined()
    expect(history.newestFirst().map(({ transaction }) => transaction.id)).toEqual(['d', 'c', 'b'])
  })
})
