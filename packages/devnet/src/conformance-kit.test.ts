/** Unmodified @solana/kit against the devnet (spec solana 10.1): the websocket is on the RPC's own port. */
import {
  AccountRole,
  type Address,
  address,
  airdropFactory,
  appendTransactionMessageInstruction,
  assertIsTransactionWithBlockhashLifetime,
  createKeyPairSignerFromBytes,
  createSolanaRpc,
  createSolanaRpcSubscriptions,
  createTransactionMessage,
  devnet as devnetUrl,
  generateKeyPairSigner,
  getSignatureFromTransaction,
  isSolanaError,
  type KeyPairSigner,
  lamports,
  pipe,
  SOLANA_ERROR__INSTRUCTION_ERROR__CUSTOM,
  SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE,
  SOLANA_ERROR__TRANSACTION_ERROR__BLOCKHASH_NOT_FOUND,
  sendAndConfirmTransactionFactory,
  setTransactionMessageFeePayerSigner,
  setTransactionMessageLifetimeUsingBlockhash,
  signTransactionMessageWithSigners,
} from '@solana/kit'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Devnet, startDevnet } from './devnet.js'
import { SYSTEM_PROGRAM } from './program-ids.js'

let devnet: Devnet
let payer: KeyPairSigner

// slots and sockets are slow on a busy machine
vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })
beforeAll(async () => {
  devnet = await startDevnet({ slotMs: 40 })
  payer = await createKeyPairSignerFromBytes(devnet.wallets.facilitator.secretKey)
})
afterAll(() => devnet.close())

function connect() {
  const rpc = createSolanaRpc(devnetUrl(devnet.rpcUrl))
  const rpcSubscriptions = createSolanaRpcSubscriptions(devnetUrl(devnet.wsUrl))
  return {
    rpc,
    rpcSubscriptions,
    sendAndConfirm: sendAndConfirmTransactionFactory({ rpc, rpcSubscriptions }),
  }
}

async function signedTransfer(
  to: Address,
  amount: bigint,
  lifetime: Parameters<typeof setTransactionMessageLifetimeUsingBlockhash>[0],
) {
  const data = new DataView(new ArrayBuffer(12))
  data.setUint32(0, 2, true)
  data.setBigUint64(4, amount, true)
  const transaction = await signTransactionMessageWithSigners(
    pipe(
      createTransactionMessage({ version: 0 }),
      (message) => setTransactionMessageFeePayerSigner(payer, message),
      (message) => setTransactionMessageLifetimeUsingBlockhash(lifetime, message),
      (message) =>
        appendTransactionMessageInstruction(
          {
            programAddress: address(SYSTEM_PROGRAM),
            accounts: [
              { address: payer.address, role: AccountRole.WRITABLE_SIGNER, signer: payer },
              { address: to, role: AccountRole.WRITABLE },
            ],
            data: new Uint8Array(data.buffer),
          },
          message,
        ),
    ),
  )
  assertIsTransactionWithBlockhashLifetime(transaction)
  return transaction
}

describe('kit', () => {
  it('gets an airdrop', async () => {
    const { rpc, rpcSubscriptions } = connect()
    const { address: recipientAddress } = await generateKeyPairSigner()
    const airdrop = airdropFactory({ rpc, rpcSubscriptions })
    await airdrop({ commitment: 'confirmed', lamports: lamports(1_000_000_000n), recipientAddress })
    expect((await rpc.getBalance(recipientAddress).send()).value).toBe(1_000_000_000n)
  })

  it('sends and confirms', async () => {
    const { rpc, sendAndConfirm } = connect()
    const { address: to } = await generateKeyPairSigner()
    const { value: latest } = await rpc.getLatestBlockhash().send()
    const transaction = await signedTransfer(to, 1_000_000_000n, latest)
    await sendAndConfirm(transaction, { commitment: 'confirmed' })
    const { value } = await rpc.getSignatureStatuses([getSignatureFromTransaction(transaction)]).send()
    expect(value[0]).toMatchObject({ err: null, confirmationStatus: 'finalized' })
    expect((await rpc.getBalance(to).send()).value).toBe(1_000_000_000n)
  })

  it('reads 64-bit numbers with all their digits', async () => {
    const { rpc } = connect()
    const { value } = await rpc.getAccountInfo(payer.address, { encoding: 'base64' }).send()
    expect(value?.space).toBe(0n)
    devnet.setLamports(payer.address, 2n ** 63n + 1n)
    expect((await rpc.getBalance(payer.address).send()).value).toBe(2n ** 63n + 1n)
    devnet.setLamports(payer.address, 10_000_000_000n)
  })

  it('throws its typed error, with the cause, on a transfer beyond the balance', async () => {
    const { rpc, sendAndConfirm } = connect()
    const { address: to } = await generateKeyPairSigner()
    const { value: latest } = await rpc.getLatestBlockhash().send()
    const transaction = await signedTransfer(to, 999_000_000_000n, latest)
    const error = await sendAndConfirm(transaction, { commitment: 'confirmed' }).catch((thrown) => thrown)
    expect(
      isSolanaError(error, SOLANA_ERROR__JSON_RPC__SERVER_ERROR_SEND_TRANSACTION_PREFLIGHT_FAILURE),
    ).toBe(true)
    expect(isSolanaError(error.cause, SOLANA_ERROR__INSTRUCTION_ERROR__CUSTOM)).toBe(true)
    expect(error.cause.context).toMatchObject({ index: 0, code: 1 })
  })

  it('throws its typed error on a dead blockhash', async () => {
    const { rpc, sendAndConfirm } = connect()
    const { address: to } = await generateKeyPairSigner()
    const { value: latest } = await rpc.getLatestBlockhash().send()
    const transaction = await signedTransfer(to, 1_000_000_000n, latest)
    devnet.expireBlockhashes()
    const error = await sendAndConfirm(transaction, { commitment: 'confirmed' }).catch((thrown) => thrown)
    expect(isSolanaError(error.cause, SOLANA_ERROR__TRANSACTION_ERROR__BLOCKHASH_NOT_FOUND)).toBe(true)
  })
})
