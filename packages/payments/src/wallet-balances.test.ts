/** Balances as a chain tells them. */
import { type Devnet, startDevnet } from '@aetherkit/devnet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { keypairSigner, signerAddress } from './solana.js'
import { walletBalances } from './wallet-balances.js'

let chain: Devnet

beforeAll(async () => {
  chain = await startDevnet({ slotMs: 20 })
})
afterAll(() => chain?.close())

test('the known tokens of an address are told as amounts and as text, 0 without an account', async () => {
  const { rpcUrl, mint } = chain
  const owner = chain.wallets.buyer.publicKey
  const [usdc, usdg] = await walletBalances({ owner, network: 'solana-devnet', rpcUrl })
  expect(usdc).toEqual({ symbol: 'USDC', asset: mint, amount: 100_000_000n, text: '100.00 USDC' })
  expect(usdg).toMatchObject({ symbol: 'USDG', amount: 0n, text: '0.00 USDG' })
  const nobody = signerAddress(keypairSigner(crypto.getRandomValues(new Uint8Array(32))))
  const empty = await walletBalances({ owner: nobody, network: chain.network, rpcUrl })
  expect(empty.map(({ amount }) => amount)).toEqual([0n, 0n, 0n])
})

test('another network than the node is on gives unknown_network', async () => {
  const { rpcUrl } = chain
  const owner = chain.wallets.buyer.publicKey
  for (const network of ['solana-mainnet', 'bitcoin']) {
    await expect(walletBalances({ owner, network, rpcUrl })).rejects.toMatchObject({
      code: 'unknown_network',
    })
  }
})

test('a node that does not answer as it must gives rpc_failed', async () => {
  const owner = chain.wallets.buyer.publicKey
  const answer = { jsonrpc: '2.0', id: 1, result: { context: { slot: 1 }, value: [] } }
  const fetch = async (_url: string, { body }: RequestInit) =>
    String(body).includes('getGenesisHash')
      ? Response.json({ jsonrpc: '2.0', id: 1, result: chain.genesisHash })
      : Response.json(answer)
  const options = { owner, network: 'solana-devnet', rpcUrl: chain.rpcUrl, fetch }
  await expect(walletBalances(options)).rejects.toMatchObject({ code: 'rpc_failed' })
})
