/** Money: a local Solana chain, a wallet for each seller, a wallet with a budget for the buyer. Worth nothing outside. */
import { fromHex, generateSecretKey, publicKeyOf } from '@aetherkit/core'
import { startDevnet } from '@aetherkit/devnet'
import {
  createBinding,
  createGate,
  createLedger,
  createSolanaSettler,
  DEVNET,
  keypairSigner,
  memoryStore,
  signerAddress,
} from '@aetherkit/payments'

export type Market = Awaited<ReturnType<typeof openMarket>>

export async function openMarket() {
  const devnet = await startDevnet({ slotMs: 100 })
  const { buyer, facilitator } = devnet.wallets
  const settler = createSolanaSettler({
    rpcUrl: devnet.rpcUrl,
    network: DEVNET,
    sponsors: [keypairSigner(facilitator.secretKey)],
  })
  const gate = createGate({
    settler,
    ledger: createLedger(memoryStore()),
    binding: createBinding({ keys: [generateSecretKey()] }),
  })
  const names = new Map([[buyer.publicKey, 'planner']])

  return {
    chain: devnet.rpcUrl,
    readyMs: devnet.readyMs,
    /** A new seller: what `createAgent` needs to be paid. */
    async seller(name: string, price: string) {
      const secret = generateSecretKey()
      const payTo = signerAddress(keypairSigner(Buffer.concat([secret, fromHex(publicKeyOf(secret))])))
      names.set(payTo, name)
      await devnet.setTokens(payTo, 0n)
      return { gate, network: 'solana-devnet', payTo, price }
    },
    /** The planner's: what one call may cost, what a day may. */
    wallet: {
      signer: keypairSigner(buyer.secretKey),
      network: 'solana-devnet',
      rpcUrl: devnet.rpcUrl,
      budget: { perCall: '$0.20', perDay: '$1' },
    },
    nameOf: (address: string) => names.get(address) ?? address.slice(0, 8),
    async balances(): Promise<ReadonlyMap<string, bigint>> {
      const found = [...names].map(
        async ([address, name]) => [name, (await devnet.tokensOf(address)) ?? 0n] as const,
      )
      return new Map(await Promise.all(found))
    },
    async close() {
      gate.close()
      await devnet.close()
    },
  }
}
