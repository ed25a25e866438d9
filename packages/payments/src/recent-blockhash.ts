/**
 * A blockhash for offers (spec payments 4, 16 P9), so that a buyer that knows the token pays without asking a node. Asked
 * for at `confirmed` (a finalized one has already aged by 30 slots), at most every two seconds, by however many requests.
 */
import { isJsonObject } from '@aetherkit/core'
import { PaymentError } from './errors.js'
import type { Network } from './network.js'
import type { RecentBlockhash } from './quote.js'
import { createRpc, type RpcOptions, resultValue } from './rpc.js'

export interface RecentBlockhashOptions extends RpcOptions {
  readonly rpcUrl: string
  readonly network: Network
  /** 2,000 ms by default. */
  readonly everyMs?: number
}

/** For a gate's `recentBlockhash`; undefined for other networks. @throws PaymentError `rpc_failed` */
export function createRecentBlockhash(
  options: RecentBlockhashOptions,
): (network: Network) => Promise<RecentBlockhash | undefined> {
  const { rpcUrl, network: served, everyMs = 2_000, ...rest } = options
  const rpc = createRpc(rpcUrl, rest)
  let last: { readonly at: number; readonly asked: Promise<RecentBlockhash> } | undefined

  async function ask(): Promise<RecentBlockhash> {
    const value = resultValue(await rpc.call('getLatestBlockhash', [{ commitment: 'confirmed' }]))
    const { blockhash, lastValidBlockHeight: height } = isJsonObject(value) ? value : {}
    if (typeof blockhash !== 'string' || (typeof height !== 'number' && typeof height !== 'bigint'))
      throw new PaymentError('rpc_failed', 'getLatestBlockhash: no blockhash in the answer')
    return { blockhash, lastValidBlockHeight: BigInt(height) }
  }

  return async (network) => {
    if (network !== served) return undefined
    const now = Date.now()
    if (last === undefined || now - last.at >= everyMs) {
      const asked = ask()
      last = { at: now, asked }
      asked.catch(() => {
        if (last?.asked === asked) last = undefined
      })
    }
    return last.asked
  }
}
