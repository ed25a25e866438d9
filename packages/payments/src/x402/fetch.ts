/** `wrapFetchWithPayment` as in `@x402/fetch` (spec payments 12), in front of {@link payingFetch}. */
import type { FetchFunction } from '../buyer/request.js'
import { PaymentError } from '../errors.js'
import { type Network, parseNetwork } from '../network.js'
import { type PayingFetch, type PayingFetchOptions, payingFetch } from '../pay.js'
import { createRpc } from '../rpc.js'
import { ANY, type X402ClientConfig, x402Client } from './client.js'

/** What a paying fetch has beyond the client's settings: the journal first of all. A `budget` here is the whole budget. */
export type X402FetchOptions = Pick<
  PayingFetchOptions,
  'journal' | 'budget' | 'patienceMs' | 'attemptTimeoutMs' | 'now' | 'rpcFetch'
> & {
  /** A response hook that failed. */
  readonly onError?: (error: unknown) => void
}

/**
 * A `fetch` that pays by the client's settings. Without a journal of your own, a crash forgets what was paid.
 * @throws PaymentError `invalid_option` when the client has no scheme; what {@link payingFetch} throws, at the first call
 * where the network is `solana:*`
 */
export function wrapFetchWithPayment(
  fetch: FetchFunction,
  client: x402Client,
  options: X402FetchOptions = {},
): FetchFunction {
  const { onError = () => {}, ...more } = options
  const { network } = client.registered
  const on = (known: Network): PayingFetch =>
    payingFetch(fetch, { ...client.settings(known, onError), ...more })
  const known = parseNetwork(network)
  if (network !== ANY && known !== undefined) return on(known)
  let paying: Promise<PayingFetch> | undefined
  return async (input, init) => {
    paying ??= networkOf(client, options).then(on)
    try {
      return await (await paying)(input, init)
    } catch (error) {
      if (PaymentError.is(error) && error.code === 'rpc_failed') paying = undefined
      throw error
    }
  }
}

/** @throws PaymentError as {@link wrapFetchWithPayment}, and `unsupported` */
export function wrapFetchWithPaymentFromConfig(
  fetch: FetchFunction,
  config: X402ClientConfig,
  options: X402FetchOptions = {},
): FetchFunction {
  return wrapFetchWithPayment(fetch, x402Client.fromConfig(config), options)
}

/** `solana:*` is the network of the scheme's node. */
async function networkOf(client: x402Client, { rpcFetch }: X402FetchOptions): Promise<Network> {
  const { rpcUrl } = client.registered.scheme
  if (rpcUrl === undefined)
    throw new PaymentError('invalid_option', 'solana:* is the network of a node: give the scheme an rpcUrl')
  const rpc = createRpc(rpcUrl, rpcFetch === undefined ? {} : { fetch: rpcFetch })
  const genesis = await rpc.call('getGenesisHash', [])
  const network = parseNetwork(`solana:${String(genesis).slice(0, 32)}`)
  if (network !== undefined) return network
  throw new PaymentError('unknown_network', `the node at ${rpcUrl} is on no network we know`)
}
