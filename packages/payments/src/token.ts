/** Known tokens (spec payments 5): mint, decimals and token program come from here or from the chain, never from a server. */
import { DEVNET, MAINNET, type Network, TESTNET } from './network.js'

export const TOKEN_PROGRAM = 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA'
export const TOKEN_2022_PROGRAM = 'TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb'

export interface Token {
  readonly symbol: string
  /** Mint address, base58. */
  readonly mint: string
  readonly decimals: number
  readonly program: typeof TOKEN_PROGRAM | typeof TOKEN_2022_PROGRAM
}

const token = (symbol: string, mint: string, program: Token['program'] = TOKEN_PROGRAM): Token => ({
  symbol,
  mint,
  decimals: 6,
  program,
})

const TEST_TOKENS: readonly Token[] = [
  token('USDC', '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU'),
  token('USDG', '4F6PM96JJxngmHnZLBh9n58RH4aTVNWvDs2nuwrT5BP7', TOKEN_2022_PROGRAM),
  token('PYUSD', 'CXk2AMBfi3TwaEL2468s6zP8xq9NxTXjp9gjMgzeUynM', TOKEN_2022_PROGRAM),
]

/** USDC is the first of each network: the default of every price without a ticker. */
export const TOKENS: Readonly<Record<Network, readonly Token[]>> = {
  [MAINNET]: [
    token('USDC', 'EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v'),
    token('USDT', 'Es9vMFrzaCERmJfrF4H2FYD4KCoNkY11McCe8BenwNYB'),
    token('USDG', '2u1tszSeqZ3qBWF3uNGPFc8TzMk2tdiwknnRMWGWjGWH', TOKEN_2022_PROGRAM),
    token('PYUSD', '2b1kV6DkPAnxd5ixfnxCpjxmKwqjjaYmCZfHsFu24GXo', TOKEN_2022_PROGRAM),
    token('CASH', 'CASHx9KJUStyftLFWGvEVf59SGeG9sh5FfcnZMVPCASH', TOKEN_2022_PROGRAM),
  ],
  [DEVNET]: TEST_TOKENS,
  [TESTNET]: TEST_TOKENS,
}

/** A known token by mint address. */
export function tokenByMint(network: Network, mint: string): Token | undefined {
  return TOKENS[network].find((candidate) => candidate.mint === mint)
}

/** A known token by ticker, in any case. */
export function tokenBySymbol(network: Network, symbol: string): Token | undefined {
  return TOKENS[network].find((candidate) => candidate.symbol === symbol.toUpperCase())
}

/** Decimals of a known token; 6, as every stablecoin we know, for one that is not. */
export function tokenDecimals(network: Network, mint: string): number {
  return tokenByMint(network, mint)?.decimals ?? 6
}
