/** A whole local chain in this process: start state of spec solana 14, identity of devnet (spec solana 11). */
import { ACCOUNT_METHODS } from './accounts.js'
import { CHAIN_DEFAULTS, Chain } from './chain.js'
import { CHEAT_METHODS, type DevnetStats, statsOf } from './cheats.js'
import { CLUSTER_METHODS, GENESIS_HASH } from './cluster.js'
import { demoWallets, type Wallets } from './demo-keys.js'
import { createFaucet } from './faucet.js'
import { createFaults } from './faults.js'
import { applyOptions, type DevnetOptions } from './options.js'
import { SYSTEM_PROGRAM, TOKEN_PROGRAM } from './program-ids.js'
import type { RpcContext } from './rpc.js'
import { HOST, startServer } from './server.js'
import { RENT_EXEMPT } from './svm.js'
import { associatedTokenAddress, placeMint, placeTokenAccount, tokenAccountOf } from './token.js'
import { TRANSACTION_METHODS } from './transactions.js'

/** First 32 characters of the genesis hash, as CAIP-2 has it. */
const NETWORK = `solana:${GENESIS_HASH.slice(0, 32)}` as const
/** Devnet USDC's address, with our own mint authority. */
const MINT = '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU'
const DECIMALS = 6
const START_LAMPORTS = 10_000_000_000n
const START_TOKENS = 100_000_000n

export interface StartOptions extends Partial<DevnetOptions> {
  /** 0 (default) takes a free one; the port above it must be free too. */
  readonly port?: number
}

/** A running chain. Amounts are atomic: lamports, and token units of `decimals` digits. Addresses are base58. */
export interface Devnet {
  readonly rpcUrl: string
  /** The same port; web3.js finds it on the port above as well. */
  readonly wsUrl: string
  /** `solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1`: it presents itself as devnet. */
  readonly network: typeof NETWORK
  readonly genesisHash: string
  readonly mint: string
  readonly decimals: number
  /** Fixed demo keys: authority and facilitator with 10 SOL, buyer with 100 USDC and no SOL, merchant with a token account. */
  readonly wallets: Wallets
  /** Milliseconds from the call until requests were answered. */
  readonly readyMs: number
  /** Fault switches, speed and landing. @throws RangeError for an unknown or impossible one */
  setOptions(options: Partial<DevnetOptions>): void
  /** Makes that many blocks now; pending transactions land in the first. */
  advanceSlots(count: number): void
  pauseClock(): void
  resumeClock(): void
  /** Every blockhash given out so far is dead. */
  expireBlockhashes(): void
  stats(): DevnetStats
  resetStats(): void
  lamportsOf(address: string): bigint
  /** Of the owner's associated token account; undefined when there is none. */
  tokensOf(owner: string, mint?: string): Promise<bigint | undefined>
  setLamports(address: string, lamports: bigint): void
  /** Creates the owner's associated token account when there is none. */
  setTokens(owner: string, amount: bigint, mint?: string): Promise<void>
  /** Stops the clock, ends all connections and frees both ports. */
  close(): Promise<void>
}

/**
 * Starts a local chain on 127.0.0.1.
 * @throws DevnetError `platform_unsupported` without a LiteSVM binary, `port_in_use`; RangeError for an impossible option
 */
export async function startDevnet({ port = 0, ...options }: StartOptions = {}): Promise<Devnet> {
  const started = performance.now()
  const chain = await Chain.create(CHAIN_DEFAULTS)
  const faults = createFaults()
  const wallets = demoWallets()
  const setLamports = (address: string, lamports: bigint) =>
    chain.svm.setAccount(address, {
      lamports,
      data: chain.svm.account(address)?.data ?? new Uint8Array(),
      owner: chain.svm.account(address)?.owner ?? SYSTEM_PROGRAM,
      executable: false,
      rentEpoch: RENT_EXEMPT,
    })
  const programOf = (mint: string) => chain.svm.account(mint)?.owner ?? TOKEN_PROGRAM
  const setTokens = async (owner: string, amount: bigint, mint = MINT) => {
    const address = await associatedTokenAddress(owner, mint, programOf(mint))
    placeTokenAccount(chain.svm, address, { owner, mint, amount }, programOf(mint))
  }
  const context: RpcContext = { chain, faults, faucet: createFaucet(chain), requests: new Map() }
  try {
    applyOptions(options, context)
    placeMint(
      chain.svm,
      MINT,
      {
        authority: wallets.authority.publicKey,
        supply: 0n,
        decimals: DECIMALS,
        isInitialized: true,
        freezeAuthority: undefined,
      },
      TOKEN_PROGRAM,
    )
    setLamports(wallets.authority.publicKey, START_LAMPORTS)
    setLamports(wallets.facilitator.publicKey, START_LAMPORTS)
    await setTokens(wallets.buyer.publicKey, START_TOKENS)
    await setTokens(wallets.merchant.publicKey, 0n)
    const methods = { ...CLUSTER_METHODS, ...ACCOUNT_METHODS, ...TRANSACTION_METHODS, ...CHEAT_METHODS }
    const server = await startServer(port, methods, context)
    return {
      rpcUrl: `http://${HOST}:${server.port}`,
      wsUrl: `ws://${HOST}:${server.port}`,
      network: NETWORK,
      genesisHash: GENESIS_HASH,
      mint: MINT,
      decimals: DECIMALS,
      wallets,
      readyMs: Math.round(performance.now() - started),
      setOptions: (change) => applyOptions(change, context),
      advanceSlots: (count) => chain.advanceSlots(count),
      pauseClock: () => chain.pause(),
      resumeClock: () => chain.resume(),
      expireBlockhashes: () => chain.expireBlockhashes(),
      stats: () => statsOf(context),
      resetStats() {
        context.requests.clear()
        chain.resetCounts()
      },
      lamportsOf: (address) => chain.svm.lamports(address),
      async tokensOf(owner, mint = MINT) {
        const address = await associatedTokenAddress(owner, mint, programOf(mint))
        return tokenAccountOf(chain.svm, address)?.amount
      },
      setLamports,
      setTokens,
      async close() {
        chain.stop()
        await server.close()
      },
    }
  } catch (error) {
    chain.stop()
    throw error
  }
}
