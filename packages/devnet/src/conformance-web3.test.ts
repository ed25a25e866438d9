/** The unmodified `Connection` of @solana/web3.js against the devnet (spec solana 10.1). */
import {
  AddressLookupTableProgram,
  Connection,
  Keypair,
  LAMPORTS_PER_SOL,
  NONCE_ACCOUNT_LENGTH,
  NonceAccount,
  PublicKey,
  SendTransactionError,
  SystemProgram,
  sendAndConfirmTransaction,
  Transaction,
  TransactionInstruction,
  TransactionMessage,
  VersionedTransaction,
} from '@solana/web3.js'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Devnet, startDevnet } from './devnet.js'
import { MEMO_PROGRAM, TOKEN_PROGRAM } from './program-ids.js'
import { associatedTokenAddress } from './token.js'

let devnet: Devnet
let connection: Connection
const payer = Keypair.generate()

// slots and sockets are slow on a busy machine
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })
beforeAll(async () => {
  devnet = await startDevnet({ slotMs: 40 })
  // no wsEndpoint: this client then uses the port above
  connection = new Connection(devnet.rpcUrl, 'confirmed')
  devnet.setLamports(payer.publicKey.toBase58(), BigInt(10 * LAMPORTS_PER_SOL))
})
afterAll(() => devnet.close())

async function tokenAddress(owner: string): Promise<PublicKey> {
  return new PublicKey(await associatedTokenAddress(owner, devnet.mint, TOKEN_PROGRAM))
}

/** TransferChecked by hand, as the payments package builds it. */
async function transferChecked(from: Keypair, to: string, amount: bigint): Promise<TransactionInstruction> {
  const data = Buffer.alloc(10)
  data[0] = 12
  data.writeBigUInt64LE(amount, 1)
  data[9] = devnet.decimals
  return new TransactionInstruction({
    programId: new PublicKey(TOKEN_PROGRAM),
    keys: [
      { pubkey: await tokenAddress(from.publicKey.toBase58()), isSigner: false, isWritable: true },
      { pubkey: new PublicKey(devnet.mint), isSigner: false, isWritable: false },
      { pubkey: await tokenAddress(to), isSigner: false, isWritable: true },
      { pubkey: from.publicKey, isSigner: true, isWritable: false },
    ],
    data,
  })
}

async function send(instructions: TransactionInstruction[], signers: Keypair[]) {
  const latest = await connection.getLatestBlockhash()
  const message = new TransactionMessage({
    payerKey: payer.publicKey,
    recentBlockhash: latest.blockhash,
    instructions,
  }).compileToV0Message()
  const transaction = new VersionedTransaction(message)
  transaction.sign(signers)
  const signature = await connection.sendTransaction(transaction)
  const { value } = await connection.confirmTransaction({ signature, ...latest })
  return { signature, err: value.err, transaction }
}

describe('Connection of web3.js', () => {
  it('gets an airdrop and confirms it over the websocket', async () => {
    const to = Keypair.generate().publicKey
    const latest = await connection.getLatestBlockhash()
    const signature = await connection.requestAirdrop(to, LAMPORTS_PER_SOL)
    const confirmed = await connection.confirmTransaction({ signature, ...latest })
    expect(confirmed.value.err).toBeNull()
    expect(await connection.getBalance(to)).toBe(LAMPORTS_PER_SOL)
  })

  it('reads every cluster method', async () => {
    expect(await connection.getGenesisHash()).toBe(devnet.genesisHash)
    expect((await connection.getVersion())['solana-core']).toMatch(/-litesvm$/)
    const info = await connection.getEpochInfo()
    expect(info.blockHeight).toBeLessThan(info.absoluteSlot)
    expect(await connection.getSlot()).toBeGreaterThanOrEqual(info.absoluteSlot)
    expect(await connection.getBlockHeight()).toBeGreaterThanOrEqual(info.blockHeight ?? 0)
    expect(await connection.getBlockTime(info.absoluteSlot)).toBeTypeOf('number')
    expect((await connection.getEpochSchedule()).slotsPerEpoch).toBe(432_000)
    expect(await connection.getTransactionCount()).toBeTypeOf('number')
    expect(await connection.getMinimumBalanceForRentExemption(165)).toBe(2_039_280)
    expect(await connection.getRecentPrioritizationFees()).toHaveLength(150)
    const { blockhash } = await connection.getLatestBlockhash()
    expect((await connection.isBlockhashValid(blockhash)).value).toBe(true)
  })

  it('reads token accounts, raw and parsed', async () => {
    const buyer = new PublicKey(devnet.wallets.buyer.publicKey)
    const mint = new PublicKey(devnet.mint)
    const account = await tokenAddress(devnet.wallets.buyer.publicKey)
    expect((await connection.getTokenAccountBalance(account)).value).toEqual({
      amount: '100000000',
      decimals: 6,
      uiAmount: 100,
      uiAmountString: '100',
    })
    expect((await connection.getTokenSupply(mint)).value.amount).toBe('100000000')
    const raw = await connection.getTokenAccountsByOwner(buyer, { mint })
    expect(raw.value[0]?.account.data.readBigUInt64LE(64)).toBe(100_000_000n)
    const byProgram = await connection.getParsedTokenAccountsByOwner(buyer, {
      programId: new PublicKey(TOKEN_PROGRAM),
    })
    expect(byProgram.value[0]?.account.data.parsed.info.tokenAmount.amount).toBe('100000000')
    const filtered = await connection.getParsedProgramAccounts(new PublicKey(TOKEN_PROGRAM), {
      filters: [{ dataSize: 165 }, { memcmp: { offset: 32, bytes: buyer.toBase58() } }],
    })
    expect(filtered.map((entry) => entry.pubkey.toBase58())).toEqual([account.toBase58()])
  })

  it('reads parsed accounts', async () => {
    const mint = await connection.getParsedAccountInfo(new PublicKey(devnet.mint))
    expect(mint.value?.data).toMatchObject({ program: 'spl-token', parsed: { type: 'mint' } })
    const { value } = await connection.getMultipleParsedAccounts([
      await tokenAddress(devnet.wallets.merchant.publicKey),
      Keypair.generate().publicKey,
    ])
    expect(value[0]?.data).toMatchObject({
      parsed: { type: 'account', info: { owner: devnet.wallets.merchant.publicKey, state: 'initialized' } },
    })
    expect(value[1]).toBeNull()
  })

  it('sends a versioned transaction and reads it back with its token balances', async () => {
    const buyer = Keypair.fromSecretKey(devnet.wallets.buyer.secretKey)
    const { merchant } = devnet.wallets
    const memo = new TransactionInstruction({
      programId: new PublicKey(MEMO_PROGRAM),
      keys: [],
      data: Buffer.from('order 7'),
    })
    const { signature } = await send(
      [await transferChecked(buyer, merchant.publicKey, 10_000n), memo],
      [payer, buyer],
    )
    const read = await connection.getTransaction(signature, { maxSupportedTransactionVersion: 0 })
    expect(read?.version).toBe(0)
    expect(read?.meta?.err).toBeNull()
    expect(read?.meta?.fee).toBe(10_000)
    const destination = read?.transaction.message.staticAccountKeys.findIndex((key) =>
      key.equals(new PublicKey(merchantAccount)),
    )
    const of = (list: typeof post) => list?.find((entry) => entry.accountIndex === destination)
    const post = read?.meta?.postTokenBalances
    expect(of(read?.meta?.preTokenBalances)?.uiTokenAmount.amount).toBe('0')
    expect(of(post)).toMatchObject({ owner: merchant.publicKey, uiTokenAmount: { amount: '10000' } })

    const parsed = await connection.getParsedTransaction(signature, { maxSupportedTransactionVersion: 0 })
    expect(parsed?.transaction.message.instructions).toMatchObject([
      {
        program: 'spl-token',
        parsed: { type: 'transferChecked', info: { tokenAmount: { amount: '10000' } } },
      },
      { program: 'spl-memo', parsed: 'order 7' },
    ])
    const [found] = await connection.getSignaturesForAddress(new PublicKey(merchantAccount))
    expect(found).toMatchObject({
      signature,
      err: null,
      memo: '[7] order 7',
      confirmationStatus: 'finalized',
    })
  })
  let merchantAccount: PublicKey
  beforeAll(async () => {
    merchantAccount = await tokenAddress(devnet.wallets.merchant.publicKey)
  })

  it('refuses to read a v0 transaction when the caller knows only legacy ones, with -32015', async () => {
    const transfer = SystemProgram.transfer({
      fromPubkey: payer.publicKey,
      toPubkey: Keypair.generate().publicKey,
      lamports: LAMPORTS_PER_SOL / 100,
    })
    const { signature } = await send([transfer], [payer])
    const read = connection.getTransaction(signature, { commitment: 'confirmed' })
    await expect(read).rejects.toMatchObject({ code: -32015 })
  })

  it('gets a preflight error with logs for a transfer beyond the balance', async () => {
    const poor = Keypair.generate()
    devnet.setLamports(poor.publicKey.toBase58(), 5_000_000n)
    const transaction = new Transaction().add(
      SystemProgram.transfer({ fromPubkey: poor.publicKey, toPubkey: payer.publicKey, lamports: 1e9 }),
    )
    const error = await sendAndConfirmTransaction(connection, transaction, [poor]).catch((thrown) => thrown)
    expect(error).toBeInstanceOf(SendTransactionError)
    expect(error.transactionError.message).toBe(
      'Transaction simulation failed: Error processing Instruction 0: custom program error: 0x1',
    )
    expect(error.logs).toContain('Program 11111111111111111111111111111111 failed: custom program error: 0x1')
  })

  it('creates, extends and uses a lookup table', async () => {
    const to = Keypair.generate().publicKey
    const [create, address] = AddressLookupTableProgram.createLookupTable({
      authority: payer.publicKey,
      payer: payer.publicKey,
      recentSlot: (await connection.getSlot()) - 1,
    })
    const extend = AddressLookupTableProgram.extendLookupTable({
      lookupTable: address,
      authority: payer.publicKey,
      payer: payer.publicKey,
      addresses: [Keypair.generate().publicKey, to],
    })
    expect((await send([create, extend], [payer])).err).toBeNull()
    devnet.advanceSlots(1)
    const table = (await connection.getAddressLookupTable(address)).value
    expect(table?.state.addresses[1]?.equals(to)).toBe(true)

    const latest = await connection.getLatestBlockhash()
    const message = new TransactionMessage({
      payerKey: payer.publicKey,
      recentBlockhash: latest.blockhash,
      instructions: [
        SystemProgram.transfer({ fromPubkey: payer.publicKey, toPubkey: to, lamports: LAMPORTS_PER_SOL }),
      ],
    }).compileToV0Message(table === null ? [] : [table])
    expect(message.addressTableLookups).toHaveLength(1)
    const transaction = new VersionedTransaction(message)
    transaction.sign([payer])
    const signature = await connection.sendTransaction(transaction)
    await connection.confirmTransaction({ signature, ...latest })
    expect(await connection.getBalance(to)).toBe(LAMPORTS_PER_SOL)
    const read = await connection.getTransaction(signature, { maxSupportedTransactionVersion: 0 })
    expect(read?.meta?.loadedAddresses?.writable.map(String)).toEqual([to.toBase58()])
  })

  it('lands a durable nonce transaction 200 slots after it was signed', async () => {
    const nonce = Keypair.generate()
    const create = new Transaction().add(
      SystemProgram.createNonceAccount({
        fromPubkey: payer.publicKey,
        noncePubkey: nonce.publicKey,
        authorizedPubkey: payer.publicKey,
        lamports: await connection.getMinimumBalanceForRentExemption(NONCE_ACCOUNT_LENGTH),
      }),
    )
    await sendAndConfirmTransaction(connection, create, [payer, nonce])
    const readNonce = async () => {
      const account = await connection.getAccountInfo(nonce.publicKey)
      return NonceAccount.fromAccountData(account?.data ?? Buffer.alloc(0)).nonce
    }
    const to = Keypair.generate().publicKey
    const before = await readNonce()
    const transaction = new Transaction({
      feePayer: payer.publicKey,
      nonceInfo: {
        nonce: before,
        nonceInstruction: SystemProgram.nonceAdvance({
          noncePubkey: nonce.publicKey,
          authorizedPubkey: payer.publicKey,
        }),
      },
    }).add(SystemProgram.transfer({ fromPubkey: payer.publicKey, toPubkey: to, lamports: 1e9 }))
    transaction.sign(payer)
    devnet.advanceSlots(200)
    const signature = await connection.sendRawTransaction(transaction.serialize())
    devnet.advanceSlots(1)
    expect((await connection.getSignatureStatus(signature)).value?.err).toBeNull()
    expect(await connection.getBalance(to)).toBe(1e9)
    expect(await readNonce()).not.toBe(before)
    const replay = connection.sendRawTransaction(transaction.serialize())
    await expect(replay).rejects.toThrow('Blockhash not found')
  })

  it('follows slots over the websocket', async () => {
    const slots: number[] = []
    await new Promise<void>((resolve) => {
      const id = connection.onSlotChange(({ slot }) => {
        slots.push(slot)
        if (slots.length === 3) connection.removeSlotChangeListener(id).then(resolve)
      })
    })
    expect(slots[1]).toBe((slots[0] ?? 0) + 1)
  })
})
