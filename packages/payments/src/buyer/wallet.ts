/** The buyer's key and node: what is asked of the chain before signing, and the signed payment (spec payments 12). */
import { isJsonObject, toHex } from '@aetherkit/core'
import { sha256 } from '@noble/hashes/sha2.js'
import { decodeBase64 } from '../codec/header.js'
import { PaymentError } from '../errors.js'
import { type BuildOptions, buildPayment, resolveMint } from '../exact/build.js'
import type { AllowedMints, Mint } from '../exact/mint.js'
import { refuseDemoKeys } from '../exact/settle.js'
import { DEFAULT_SPONSOR_LIMITS, verifyStatic } from '../exact/static.js'
import { type BuyerFate, fateOf, type SeenTransactions, type Traceable, validity } from '../fate.js'
import { isGenesisOf, type Network } from '../network.js'
import type { Requirement } from '../requirement.js'
import { createRpc, type Fetch, type Rpc, resultValue } from '../rpc.js'
import {
  associatedAccount,
  decodeAddress,
  encodeBase58,
  type PaymentSigner,
  signerAddress,
} from '../solana.js'

export interface SignedPayment extends Omit<Traceable, 'createdAt'> {
  readonly id: string
  readonly payer: string
  /** Wire bytes, base64. */
  readonly base64: string
}

export interface Wallet {
  readonly address: string
  readonly hasNode: boolean
  decimalsOf(requirement: Requirement): Promise<number>
  /** Atomic; 0 without an account, undefined without a node. */
  balanceOf(requirement: Requirement): Promise<bigint | undefined>
  /** @throws PaymentError `unknown_network` when the node is on another chain */
  checkNetwork(): Promise<void>
  sign(requirement: Requirement, withMemo: boolean): Promise<SignedPayment>
  fate(payment: Traceable): Promise<BuyerFate>
}

export interface WalletOptions {
  readonly signer: PaymentSigner
  readonly network: Network
  /** Without it nothing is asked: blockhash from the offer, known tokens only, no balance, no fate. */
  readonly rpcUrl: string | undefined
  readonly allowedMints: AllowedMints
  readonly rpcFetch: Fetch | undefined
}

/** A blockhash lives for 150 blocks. */
const BLOCKHASH_LIFE = 150n
/** The amount in a token account: u64 at 64. */
const AMOUNT_AT = 64

/** @throws PaymentError `demo_key` for a demo key with a node that is not on this machine */
export function createWallet({ signer, network, rpcUrl, allowedMints, rpcFetch }: WalletOptions): Wallet {
  const address = signerAddress(signer)
  refuseDemoKeys([address], rpcUrl ?? 'https://no-node.invalid')
  const node =
    rpcUrl === undefined ? undefined : createRpc(rpcUrl, rpcFetch === undefined ? {} : { fetch: rpcFetch })
  const build: Omit<BuildOptions, 'signer' | 'withMemo'> = {
    rpc: node ?? withoutNode,
    mints: new Map<string, Mint>(),
    allowedMints,
  }
  const seen: SeenTransactions = new Map()
  let checked: Promise<void> | undefined

  return {
    address,
    hasNode: node !== undefined,
    decimalsOf: async (requirement) => (await resolveMint(requirement, build)).decimals,
    async balanceOf(requirement) {
      if (node === undefined) return undefined
      const { program } = await resolveMint(requirement, build)
      return balanceAt(node, associatedAccount(address, program, requirement.asset))
    },
    async checkNetwork() {
      if (node === undefined) return
      checked ??= checkGenesis(node, network)
      try {
        await checked
      } catch (error) {
        checked = undefined
        throw error
      }
    },
    async sign(requirement, withMemo) {
      const lifetime = await lifetimeOf(requirement, node)
      const { recentBlockhash: _hash, lastValidBlockHeight: _height, ...terms } = requirement
      const built = await buildPayment({ ...terms, ...lifetime }, { ...build, signer, withMemo })
      const base64 = btoa(String.fromCharCode(...built.wire))
      const { memo: asked, ...unbound } = terms
      const demanded: Requirement = withMemo && asked !== undefined ? { ...unbound, memo: asked } : unbound
      const mint = await resolveMint(requirement, build)
      const verdict = verifyStatic({ dialect: 'v2', network, transaction: base64, raw: {} }, demanded, mint, {
        sponsors: new Set([requirement.feePayer]),
        network,
        limits: DEFAULT_SPONSOR_LIMITS,
        allowedMints,
      })
      if (!verdict.ok)
        throw new PaymentError('offer_refused', `the terms make no valid payment: ${verdict.reason}`)
      const last = node === undefined ? undefined : built.lastValidBlockHeight
      return {
        id: toHex(sha256(built.message)),
        payer: built.payer,
        source: built.source,
        signature: encodeBase58(built.signature),
        blockhash: built.blockhash,
        base64,
        ...(built.memo !== undefined && { memo: built.memo }),
        ...(last !== undefined && { lastValidBlockHeight: last.toString() }),
      }
    },
    async fate(payment) {
      return node === undefined ? { state: 'unknown' } : fateOf(node, payment, seen)
    },
  }
}

const withoutNode: Rpc = {
  url: 'https://no-node.invalid',
  async call(method) {
    throw new PaymentError('rpc_failed', `${method}: there is no node to ask; give an rpcUrl`)
  },
}

/**
 * The seller's blockhash only when the node takes it for a recent one; and its last height is ours to know: a seller who
 * understates it would have the buyer sign again while the first payment can still land.
 */
async function lifetimeOf(
  { recentBlockhash }: Requirement,
  node: Rpc | undefined,
): Promise<Pick<Requirement, 'recentBlockhash' | 'lastValidBlockHeight'>> {
  if (node === undefined) {
    if (recentBlockhash !== undefined) return { recentBlockhash }
    throw new PaymentError('offer_refused', 'the offer has no blockhash, and there is no node to ask for one')
  }
  if (recentBlockhash === undefined || decodeAddress(recentBlockhash) === undefined) return {}
  if (!(await validity(node, recentBlockhash)).valid) return {}
  const height = await node.call('getBlockHeight', [{ commitment: 'confirmed' }])
  if (typeof height !== 'number' && typeof height !== 'bigint') return {}
  return { recentBlockhash, lastValidBlockHeight: BigInt(height) + BLOCKHASH_LIFE }
}

async function checkGenesis(node: Rpc, network: Network): Promise<void> {
  const genesis = await node.call('getGenesisHash', [])
  if (typeof genesis === 'string' && isGenesisOf(network, genesis)) return
  throw new PaymentError('unknown_network', `the node at ${node.url} is not on ${network}`)
}

async function balanceAt(node: Rpc, account: string): Promise<bigint> {
  const options = { encoding: 'base64', commitment: 'confirmed' }
  const value = resultValue(await node.call('getAccountInfo', [account, options]))
  const text = isJsonObject(value) && Array.isArray(value.data) ? value.data[0] : undefined
  const data = typeof text === 'string' ? decodeBase64(text) : undefined
  if (data === undefined || data.length < AMOUNT_AT + 8) return 0n
  return new DataView(data.buffer, data.byteOffset, data.byteLength).getBigUint64(AMOUNT_AT, true)
}
