/** The buyer's key and node: what is asked of the chain before signing, and the signed payment (spec payments 12). */
import { toHex } from '@aetherkit/core'
import { sha256 } from '@noble/hashes/sha2.js'
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
import { tokensIn } from '../token-account.js'

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

type Lifetime = Pick<Requirement, 'recentBlockhash' | 'lastValidBlockHeight'>

/** A blockhash lives for 150 blocks. */
const BLOCKHASH_LIFE = 150n
/** For as long a seller offers the same blockhash. */
const TRUST_MS = 2_000

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
  const lifetimeOf = createLifetimes(node)
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
      const lifetime = await lifetimeOf(requirement)
      const { recentBlockhash: _hash, lastValidBlockHeight: _height, ...terms } = requirement
      const built = await buildPayment({ ...terms, ...lifetime }, { ...build, signer, withMemo })
      const base64 = Buffer.from(built.wire).toString('base64')
      const { memo: asked, ...unbound } = terms
      const demanded: Requirement = withMemo && asked !== undefined ? { ...unbound, memo: asked } : unbound
      const mint = await resolveMint(requirement, build)
      const verdict = verifyStatic({ dialect: 'v2', network, transaction: base64, raw: {} }, demanded, mint, {
        sponsors: new Set([requirement.feePayer]),
        network,
        limits: DEFAULT_SPONSOR_LIMITS,
        allowedMints,
        mayPaySponsor: true,
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
 * understates it would have the buyer sign again while the first payment can still land. What the node said holds for
 * the other payments of the next two seconds: the last height of a blockhash never changes.
 */
function createLifetimes(node: Rpc | undefined): (requirement: Requirement) => Promise<Lifetime> {
  let last: { readonly at: number; readonly lifetime: Lifetime } | undefined
  return async ({ recentBlockhash }) => {
    if (node === undefined) {
      if (recentBlockhash !== undefined) return { recentBlockhash }
      throw new PaymentError(
        'offer_refused',
        'the offer has no blockhash, and there is no node to ask for one',
      )
    }
    if (recentBlockhash === undefined || decodeAddress(recentBlockhash) === undefined) return {}
    const at = performance.now()
    const isKnown = last?.lifetime.recentBlockhash === recentBlockhash && at - last.at < TRUST_MS
    if (last !== undefined && isKnown) return last.lifetime
    if (!(await validity(node, recentBlockhash)).valid) return {}
    const height = await node.call('getBlockHeight', [{ commitment: 'confirmed' }])
    if (typeof height !== 'number' && typeof height !== 'bigint') return {}
    const lifetime = { recentBlockhash, lastValidBlockHeight: BigInt(height) + BLOCKHASH_LIFE }
    last = { at, lifetime }
    return lifetime
  }
}

async function checkGenesis(node: Rpc, network: Network): Promise<void> {
  const genesis = await node.call('getGenesisHash', [])
  if (typeof genesis === 'string' && isGenesisOf(network, genesis)) return
  throw new PaymentError('unknown_network', `the node at ${node.url} is not on ${network}`)
}

async function balanceAt(node: Rpc, account: string): Promise<bigint> {
  const options = { encoding: 'base64', commitment: 'confirmed' }
  return tokensIn(resultValue(await node.call('getAccountInfo', [account, options])))
}
