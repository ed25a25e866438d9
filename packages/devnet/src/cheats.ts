/**
 * Cheat codes (spec solana 10.1): `surfnet_*` under the names and shapes of surfpool, `devnet_*` our own. They are for
 * tests and demos and answer at once, whatever fault switches are set.
 */
import { SLOTS_PER_EPOCH } from './clock.js'
import { epochInfo } from './cluster.js'
import { isObject, type Json, type JsonObject } from './json.js'
import { applyOptions } from './options.js'
import { addressOf, addressParam, countOf, u64Of } from './params.js'
import { SYSTEM_PROGRAM, TOKEN_PROGRAM } from './program-ids.js'
import { type RpcContext, type RpcMethods, withContext } from './rpc.js'
import { invalidParams } from './rpc-error.js'
import { RENT_EXEMPT } from './svm.js'
import { associatedTokenAddress, mintOf, placeTokenAccount } from './token.js'

/** Blocks that may be made in one call. */
const MAX_ADVANCE = 100_000

export const CHEAT_METHODS: RpcMethods = {
  surfnet_setAccount(params, { chain }) {
    const address = addressParam(params, 0)
    const update = objectParam(params[1])
    const before = chain.svm.account(address)
    chain.svm.setAccount(address, {
      lamports: update.lamports === undefined ? (before?.lamports ?? 0n) : u64Of(update.lamports, 'lamports'),
      data: update.data === undefined ? (before?.data ?? new Uint8Array()) : hexBytes(update.data),
      owner: update.owner === undefined ? (before?.owner ?? SYSTEM_PROGRAM) : addressOf(update.owner),
      executable:
        update.executable === undefined ? (before?.executable ?? false) : update.executable === true,
      rentEpoch:
        update.rentEpoch === undefined
          ? (before?.rentEpoch ?? RENT_EXEMPT)
          : u64Of(update.rentEpoch, 'rentEpoch'),
    })
    return withContext(chain, null)
  },
  async surfnet_setTokenAccount(params, { chain }) {
    const owner = addressParam(params, 0)
    const mint = addressParam(params, 1)
    const update = objectParam(params[2])
    const program = params[3] === undefined ? TOKEN_PROGRAM : addressParam(params, 3)
    if (mintOf(chain.svm, mint) === undefined) throw invalidParams('Invalid param: not a Token mint')
    const address = await associatedTokenAddress(owner, mint, program)
    const optional = <Name extends string>(name: Name, value: Json | undefined) =>
      typeof value === 'string' ? { [name]: addressOf(value) } : {}
    placeTokenAccount(
      chain.svm,
      address,
      {
        mint,
        owner,
        amount: u64Of(update.amount ?? 0, 'amount'),
        ...(update.state === 'frozen' || update.state === 'initialized' ? { state: update.state } : {}),
        ...(update.delegatedAmount === undefined
          ? {}
          : { delegatedAmount: u64Of(update.delegatedAmount, 'delegatedAmount') }),
        ...optional('delegate', update.delegate),
        ...optional('closeAuthority', update.closeAuthority),
      },
      program,
    )
    return withContext(chain, null)
  },
  surfnet_timeTravel(params, { chain }) {
    const { absoluteSlot, absoluteEpoch, absoluteTimestamp } = objectParam(params[0])
    misuse(() => {
      if (absoluteSlot !== undefined) chain.jumpToSlot(countOf(absoluteSlot, 'absoluteSlot'))
      else if (absoluteEpoch !== undefined) {
        chain.jumpToSlot(countOf(absoluteEpoch, 'absoluteEpoch') * SLOTS_PER_EPOCH)
      } else chain.jumpToTime(countOf(absoluteTimestamp, 'absoluteTimestamp') / 1000)
    })
    return epochInfo(chain)
  },
  surfnet_pauseClock(_, { chain }) {
    chain.pause()
    return epochInfo(chain)
  },
  surfnet_resumeClock(_, { chain }) {
    chain.resume()
    return epochInfo(chain)
  },
  devnet_advanceSlots(params, { chain }) {
    const count = countOf(params[0], 'a number of slots', 1)
    if (count > MAX_ADVANCE) throw invalidParams(`Invalid params: at most ${MAX_ADVANCE} slots at once.`)
    chain.advanceSlots(count)
    return epochInfo(chain)
  },
  devnet_expireBlockhashes(_, { chain }) {
    chain.expireBlockhashes()
    return { ...chain.latestBlockhash }
  },
  devnet_setOptions(params, context) {
    misuse(() => applyOptions(objectParam(params[0]), context))
    return { ...context.chain.options, ...context.faults.options }
  },
  devnet_stats: (_, context) => statsOf(context),
  devnet_resetStats(_, context) {
    context.requests.clear()
    context.chain.resetCounts()
    return null
  },
}

/** Counts since the last reset. `dropped`: what a leader threw away without status or fee, by reason. */
export type DevnetStats = Readonly<{
  requests: Readonly<Record<string, number>>
  landed: number
  failed: number
  dropped: Readonly<Record<string, number>>
  pending: number
  slot: number
  blockHeight: number
}>

export function statsOf({ chain, requests }: RpcContext): DevnetStats {
  return {
    requests: Object.fromEntries(requests),
    landed: chain.counts.landed,
    failed: chain.counts.failed,
    dropped: { ...chain.counts.dropped },
    pending: chain.pendingCount,
    slot: chain.slot,
    blockHeight: chain.height,
  }
}

/** What throws for a caller in this process is -32602 for one outside. */
function misuse(act: () => void): void {
  try {
    act()
  } catch (error) {
    if (error instanceof RangeError) throw invalidParams(`Invalid params: ${error.message}`)
    throw error
  }
}

function objectParam(value: Json | undefined): JsonObject {
  if (!isObject(value)) throw invalidParams('Invalid params: an object expected.')
  return value
}

function hexBytes(value: Json): Uint8Array {
  if (typeof value !== 'string' || !/^(?:[\da-f]{2})*$/i.test(value)) {
    throw invalidParams('Invalid params: data expected as hex.')
  }
  return new Uint8Array(Buffer.from(value, 'hex'))
}
