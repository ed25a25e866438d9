/**
 * Networks (spec payments 5): inside always CAIP-2, `solana:` and the first 32 characters of the genesis hash; outside
 * each dialect has its own spelling. A local chain presents itself as devnet.
 */
import type { Dialect } from './requirement.js'

export const MAINNET = 'solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdp'
export const DEVNET = 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1'
export const TESTNET = 'solana:4uhcVJyU9pJkvQyS88uRDiswHXSCkY3z'

export type Network = typeof MAINNET | typeof DEVNET | typeof TESTNET

const ALIASES: ReadonlyMap<string, Network> = new Map<string, Network>([
  [MAINNET, MAINNET],
  ['solana', MAINNET],
  ['solana-mainnet', MAINNET],
  ['solana-mainnet-beta', MAINNET],
  [DEVNET, DEVNET],
  ['solana-devnet', DEVNET],
  [TESTNET, TESTNET],
  ['solana-testnet', TESTNET],
])

const NAMES: Readonly<Record<Network, Readonly<Record<Dialect, string>>>> = {
  [MAINNET]: { seed: 'solana-mainnet-beta', v1: 'solana', v2: MAINNET },
  [DEVNET]: { seed: 'solana-devnet', v1: 'solana-devnet', v2: DEVNET },
  [TESTNET]: { seed: 'solana-testnet', v1: 'solana-testnet', v2: TESTNET },
}

/** The network behind any spelling of any dialect; undefined for what we do not serve (`solana:*` included). */
export function parseNetwork(name: unknown): Network | undefined {
  return typeof name === 'string' ? ALIASES.get(name) : undefined
}

/** The spelling that a reader of this dialect knows. */
export function networkName(network: Network, dialect: Dialect): string {
  return NAMES[network][dialect]
}

/** Whether a genesis hash is that of the network. */
export function isGenesisOf(network: Network, genesisHash: string): boolean {
  return network === `solana:${genesisHash.slice(0, 32)}`
}
