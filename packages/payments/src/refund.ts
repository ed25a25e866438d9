/**
 * Giving a payment back (spec payments 16, D9): a transfer from the seller to the payer, through the same settler, once
 * for each payment however often and by however many it is asked for.
 *
 * The signed transfer is recorded before it is first sent, and the same one is presented again until it has landed or
 * is provably dead.
 */
import { isJsonObject, parseJson, writeJson } from '@aetherkit/core'
import { readTerms } from './codec/terms.js'
import { writeRequirement } from './codec/v2.js'
import { PaymentError } from './errors.js'
import { buildPayment } from './exact/build.js'
import type { AllowedMints, Mint } from './exact/mint.js'
import type { LedgerStore } from './ledger/store.js'
import type { Reason } from './reason.js'
import type { Payment, Requirement } from './requirement.js'
import { createRpc, type Fetch } from './rpc.js'
import type { Paid, Returned } from './serve.js'
import type { Settler, Signed } from './settler.js'
import type { PaymentSigner } from './solana.js'

export type RefundOutcome =
  | { readonly state: 'refunded'; readonly transaction: string; readonly amount: bigint }
  /** Sent, and not known to have landed: ask again, or call `recover`. */
  | { readonly state: 'pending'; readonly transaction: string }
  /** Nothing was sent. */
  | { readonly state: 'failed'; readonly reason: Reason }

export interface Refunds {
  /**
   * The whole payment by default; a second call for the same payment answers for the first, whatever its amount.
   * @throws RangeError for an amount that is not within the payment
   */
  refund(paid: RefundedPayment, amount?: bigint): Promise<RefundOutcome>
  /** Goes on with every refund that was begun; how many are done now. */
  recover(): Promise<number>
}

export type RefundedPayment = Pick<Paid, 'paymentId' | 'payer' | 'network' | 'asset' | 'amount'>

export interface RefundOptions {
  /** Its sponsor pays the network fee; the seller may not be the sponsor. */
  readonly settler: Settler
  readonly store: LedgerStore
  /** The seller's wallet, which holds the tokens. */
  readonly signer: PaymentSigner
  readonly rpcUrl: string
  readonly allowedMints?: AllowedMints
  readonly fetch?: Fetch
  /** Refund records are kept so long, 90 days by default: a payment is not refunded twice within it. */
  readonly keepMs?: number
}

interface RefundRecord {
  readonly wire: string
  readonly requirement: Requirement
  readonly signed?: Signed
  readonly done?: string
}

const DAY_MS = 86_400_000
const PREFIX = 'refund/'

export function createRefunds(options: RefundOptions): Refunds {
  const { settler, store, signer, allowedMints = {}, keepMs = 90 * DAY_MS } = options
  const rpc = createRpc(options.rpcUrl, options.fetch === undefined ? {} : { fetch: options.fetch })
  const mints = new Map<string, Mint>()

  async function make(requirement: Requirement): Promise<RefundRecord> {
    const built = await buildPayment(requirement, { signer, rpc, mints, allowedMints })
    return { wire: Buffer.from(built.wire).toString('base64'), requirement }
  }

  /** One step, from the record as it is; `undefined`: somebody else was faster, look again. */
  async function advance(key: string, text: string): Promise<RefundOutcome | undefined> {
    const record = readRecord(text)
    const { requirement, signed, done } = record
    if (done !== undefined) return { state: 'refunded', transaction: done, amount: requirement.amount }
    if (signed !== undefined) {
      const fate = await settler.fate(signed, requirement)
      if (fate.state === 'unknown') return { state: 'pending', transaction: signed.transaction }
      const next = fate.state === 'landed' ? { ...record, done: signed.transaction } : await make(requirement)
      await store.swap(key, text, writeRecord(next), keepMs)
      return undefined
    }
    let current = text
    const note = async (next: RefundRecord): Promise<void> => {
      if (!(await store.swap(key, current, writeRecord(next), keepMs))) throw new Overtaken()
      current = writeRecord(next)
    }
    try {
      const result = await settler.settle(paymentOf(record), requirement, {
        onSigned: (told) => note({ ...record, signed: told }),
      })
      if (result.ok) {
        await note({ ...readRecord(current), done: result.transaction })
        return { state: 'refunded', transaction: result.transaction, amount: requirement.amount }
      }
      if (result.pending === true) return { state: 'pending', transaction: result.transaction ?? '' }
      if (current !== text) return undefined
      // Its blockhash may have died while it lay: the next attempt signs another.
      await store.swap(key, text, undefined, 0)
      return { state: 'failed', reason: result.reason }
    } catch (error) {
      if (error instanceof Overtaken) return undefined
      throw error
    }
  }

  async function drive(
    key: string,
    first: (() => Promise<RefundRecord>) | undefined,
  ): Promise<RefundOutcome | undefined> {
    for (let steps = 0; steps < 10; steps++) {
      const text = await store.get(key)
      if (text === undefined) {
        if (first === undefined) return undefined
        await store.swap(key, undefined, writeRecord(await first()), keepMs)
        continue
      }
      const outcome = await advance(key, text)
      if (outcome !== undefined) return outcome
    }
    return { state: 'pending', transaction: '' }
  }

  return {
    async refund(paid, amount = paid.amount) {
      if (amount <= 0n || amount > paid.amount)
        throw new RangeError(`a refund is within the payment of ${paid.amount}, got ${amount}`)
      const outcome = await drive(PREFIX + paid.paymentId, async () => {
        const kind = (await settler.kinds()).find(({ network }) => network === paid.network)
        if (kind === undefined) throw new PaymentError('invalid_option', `no settler for ${paid.network}`)
        return make({
          scheme: 'exact',
          network: paid.network,
          amount,
          asset: paid.asset,
          payTo: paid.payer,
          maxTimeoutSeconds: 60,
          feePayer: kind.feePayer,
          memo: `refund ${paid.paymentId.slice(0, 32)}`,
          flow: 'upfront',
        })
      })
      return outcome ?? { state: 'pending', transaction: '' }
    },
    async recover() {
      let done = 0
      for (const key of await store.keys(PREFIX)) {
        if ((await drive(key, undefined))?.state === 'refunded') done++
      }
      return done
    },
  }
}

/** A gate's `onHandlerFailure` that gives the money back; when nothing could be sent, the same payment may try again. */
export function refundOnFailure(refunds: Refunds): (paid: Paid) => Promise<Returned> {
  return async (paid) => {
    const outcome = await refunds.refund(paid)
    return { returned: outcome.state === 'failed' ? 'retry' : 'refunded' }
  }
}

class Overtaken extends Error {}

function paymentOf({ wire, requirement }: RefundRecord): Payment {
  return { dialect: 'v1', network: requirement.network, transaction: wire, raw: {} }
}

function writeRecord({ requirement, ...record }: RefundRecord): string {
  return writeJson({ ...record, requirement: writeRequirement(requirement) })
}

function readRecord(text: string): RefundRecord {
  const parsed = parseJson(text)
  const object = parsed.ok && isJsonObject(parsed.value) ? parsed.value : {}
  const terms = readTerms(object.requirement ?? null, 'v2')
  if (!terms.ok || typeof object.wire !== 'string') throw new TypeError('a refund record cannot be read')
  const { signed, done, wire } = object
  return {
    wire,
    requirement: terms.requirement,
    ...(isJsonObject(signed) && {
      signed: {
        paymentId: String(signed.paymentId),
        transaction: String(signed.transaction),
        lastValidBlockHeight: BigInt(String(signed.lastValidBlockHeight)),
      },
    }),
    ...(typeof done === 'string' && { done }),
  }
}
