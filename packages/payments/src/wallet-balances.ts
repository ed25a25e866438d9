/** What an address holds of the known tokens (spec payments 5): one question to a node, and no key is needed. */
import { PaymentError } from './errors.js'
import { formatMoney } from './money.js'
import { isGenesisOf, parseNetwork } from './network.js'
import { createRpc, type Fetch, resultValue } from './rpc.js'
import { associatedAccount } from './solana.js'
import { TOKENS } from './token.js'
import { tokensIn } from './token-account.js'

export interface WalletBalance {
  readonly symbol: string
  /** Mint address, base58. */
  readonly asset: string
  /** Atomic; 0 without an account. */
  readonly amount: bigint
  /** As people read it: `0.10 USDC`. */
  readonly text: string
}

export interface WalletBalancesOptions {
  /** Owner of the token accounts, base58; of a signer it is `signerAddress(signer)`. */
  readonly owner: string
  /** In any spelling: `solana-devnet`, or CAIP-2. */
  readonly network: string
  readonly rpcUrl: string
  readonly fetch?: Fetch | undefined
}

/**
 * Confirmed balances, in the order of the token table.
 * @throws PaymentError `unknown_network` for a name that is none or a node of another chain, `rpc_failed`
 */
export async function walletBalances(options: WalletBalancesOptions): Promise<readonly WalletBalance[]> {
  const { owner, rpcUrl, fetch } = options
  const network = parseNetwork(options.network)
  if (network === undefined)
    throw new PaymentError('unknown_network', `no network is called ${options.network}`)
  const rpc = createRpc(rpcUrl, fetch === undefined ? {} : { fetch })
  const tokens = TOKENS[network]
  const accounts = tokens.map(({ mint, program }) => associatedAccount(owner, program, mint))
  const [genesis, found] = await Promise.all([
    rpc.call('getGenesisHash', []),
    rpc.call('getMultipleAccounts', [accounts, { encoding: 'base64', commitment: 'confirmed' }]),
  ])
  if (typeof genesis !== 'string' || !isGenesisOf(network, genesis))
    throw new PaymentError('unknown_network', `the node at ${rpcUrl} is not on ${network}`)
  const values = resultValue(found)
  if (!Array.isArray(values) || values.length !== tokens.length)
    throw new PaymentError('rpc_failed', 'getMultipleAccounts: one value for each account expected')
  return tokens.map(({ symbol, mint: asset }, index) => {
    const amount = tokensIn(values[index])
    return { symbol, asset, amount, text: formatMoney({ asset, amount }, network) }
  })
}
