/** RPC methods about the cluster (spec solana 10.1). */
import type { Chain } from './chain.js'
import { SLOTS_PER_EPOCH } from './clock.js'
import type { JsonObject } from './json.js'
import { randomKeypair } from './keypair.js'
import { addressParam, countOf, listOf } from './params.js'
import { API_VERSION, type RpcMethods, withContext } from './rpc.js'

/** Devnet's own: published clients accept the known networks only (spec solana 11). */
export const GENESIS_HASH = 'EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG'

const MAX_FEE_SAMPLES = 150
const MAX_FEE_ADDRESSES = 128
const identity = randomKeypair().publicKey

export const CLUSTER_METHODS: RpcMethods = {
  getHealth: () => 'ok',
  getVersion: () => ({ 'solana-core': API_VERSION, 'feature-set': 0 }),
  getGenesisHash: () => GENESIS_HASH,
  getIdentity: () => ({ identity }),
  getSlot: (_, { chain }) => chain.slot,
  getTransactionCount: (_, { chain }) => chain.transactionCount,
  getBlockHeight: (_, { chain }) => chain.height,
  getBlockTime(params, { chain }) {
    const behind = chain.slot - countOf(params[0], 'a slot')
    return behind < 0 ? null : chain.unixTime - Math.floor((behind * chain.options.slotMs) / 1000)
  },
  getEpochInfo: (_, { chain }) => epochInfo(chain),
  getEpochSchedule: () => ({
    firstNormalEpoch: 0,
    firstNormalSlot: 0,
    leaderScheduleSlotOffset: SLOTS_PER_EPOCH,
    slotsPerEpoch: SLOTS_PER_EPOCH,
    warmup: false,
  }),
  getLatestBlockhash: (_, { chain }) => withContext(chain, { ...chain.latestBlockhash }),
  isBlockhashValid: (params, { chain }) =>
    withContext(chain, chain.isBlockhashValid(addressParam(params, 0))),
  getRecentPrioritizationFees(params, { chain }) {
    if (params[0] !== undefined) listOf(params[0], 'addresses', MAX_FEE_ADDRESSES)
    return Array.from({ length: MAX_FEE_SAMPLES }, (_, index) => ({
      slot: chain.slot - MAX_FEE_SAMPLES + 1 + index,
      prioritizationFee: 0,
    }))
  },
  getMinimumBalanceForRentExemption: (params, { chain }) => chain.svm.rent(countOf(params[0], 'a size')),
}

export function epochInfo(chain: Chain): JsonObject {
  return {
    absoluteSlot: chain.slot,
    blockHeight: chain.height,
    epoch: Math.floor(chain.slot / SLOTS_PER_EPOCH),
    slotIndex: chain.slot % SLOTS_PER_EPOCH,
    slotsInEpoch: SLOTS_PER_EPOCH,
    transactionCount: chain.transactionCount,
  }
}
