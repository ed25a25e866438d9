/**
 * Prepaid credit (spec payments 15, 16 D17): one payment, many calls, the exact remainder back. No program and no
 * transaction per call: a balance beside the ledger, and a bearer token that names it.
 *
 *   c1.<payment id, hex>.<mac, 16 bytes base64url>         mac = HMAC-SHA256 over `credit\n<payment id>`
 *
 * The payment itself is public once it has landed, the token is not: it is for the first response, and for a buyer that
 * presents the payment again with the claim that came with it (claim.ts).
 */
import { isJsonObject, parseJson, writeJson } from '@aetherkit/core'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { PaymentError } from './errors.js'
import type { Grant } from './gate.js'
import type { LedgerStore } from './ledger/store.js'
import { type Network, parseNetwork } from './network.js'
import { bodyText } from './offer.js'
import type { Respond } from './outcome.js'
import { type Refusal, refuse } from './reason.js'
import type { RefundedPayment, RefundOutcome, Refunds } from './refund.js'
import type { Paid, Returned } from './serve.js'
import type { GateRequest, RouteTerms } from './terms.js'

export interface Balance {
  readonly paymentId: string
  readonly payer: string
  readonly network: Network
  readonly asset: string
  /** What was paid, atomic. */
  readonly total: bigint
  readonly spent: bigint
  /** Closed: nothing more is debited, the remainder is being given back. */
  readonly isOpen: boolean
}

export interface Credits {
  /** The token for a payment; the same one however often it is asked for. */
  open(paid: RefundedPayment): Promise<string>
  balance(token: string): Promise<({ ok: true } & Balance) | Refusal>
  /**
   * Takes an amount, all or nothing: `insufficient_funds`, `invalid_payment` for a token that is none or closed. `undo`
   * gives this amount back, once.
   */
  debit(token: string, amount: bigint): Promise<{ ok: true; left: bigint; undo(): Promise<void> } | Refusal>
  /** Closes it and gives back what is left; again and again the same outcome. Nothing left: undefined. */
  close(token: string, refunds: Refunds): Promise<{ ok: true; refund: RefundOutcome | undefined } | Refusal>
}

type Change = (balance: Balance) => Balance | Refusal

export const CREDIT_HEADER = 'X-Credit'
/** What is left of it, atomic, decimal digits. */
export const BALANCE_HEADER = 'X-Credit-Balance'
const TOKEN = /^c1\.([0-9a-f]{64})\.([A-Za-z0-9_-]{22})$/
const YEAR_MS = 365 * 86_400_000
const utf8 = new TextEncoder()

/** @throws PaymentError `invalid_option` for a key under 32 bytes */
export function createCredits(options: {
  readonly store: LedgerStore
  /** The first makes tokens, all of them check. */
  readonly keys: readonly Uint8Array[]
  /** How long a balance is kept after its last use, a year by default. */
  readonly keepMs?: number
}): Credits {
  const { store, keys, keepMs = YEAR_MS } = options
  if (keys.length === 0 || keys.some((key) => key.length < 32))
    throw new PaymentError('invalid_option', 'a credit key has at least 32 bytes')
  const mac = (key: Uint8Array, paymentId: string): string =>
    Buffer.from(hmac(sha256, key, utf8.encode(`credit\n${paymentId}`)).subarray(0, 16)).toString('base64url')

  /** The payment behind a token of ours. */
  const identify = (token: string): string | undefined => {
    const [, paymentId, given] = TOKEN.exec(token) ?? []
    if (paymentId === undefined || given === undefined) return undefined
    return keys.some((key) => isSame(mac(key, paymentId), given)) ? paymentId : undefined
  }

  const turns = new Map<string, Promise<unknown>>()

  /** One after the other in this process; between processes the swap decides. */
  async function update(paymentId: string, change: Change): ReturnType<typeof swap> {
    const mine = (turns.get(paymentId) ?? Promise.resolve()).then(
      () => swap(paymentId, change),
      () => swap(paymentId, change),
    )
    turns.set(paymentId, mine)
    try {
      return await mine
    } finally {
      if (turns.get(paymentId) === mine) turns.delete(paymentId)
    }
  }

  async function swap(paymentId: string, change: Change): Promise<{ ok: true; balance: Balance } | Refusal> {
    while (true) {
      const text = await store.get(`credit/${paymentId}`)
      if (text === undefined) return refuse('invalid_payment', 'no such credit')
      const next = change(readBalance(paymentId, text))
      if ('ok' in next) return next
      if (await store.swap(`credit/${paymentId}`, text, writeBalance(next), keepMs))
        return { ok: true, balance: next }
    }
  }

  const credits: Credits = {
    async open({ paymentId, payer, network, asset, amount }) {
      const balance: Balance = { paymentId, payer, network, asset, total: amount, spent: 0n, isOpen: true }
      await store.swap(`credit/${paymentId}`, undefined, writeBalance(balance), keepMs)
      return `c1.${paymentId}.${mac(keys[0] as Uint8Array, paymentId)}`
    },
    async balance(token) {
      const paymentId = identify(token)
      const text = paymentId === undefined ? undefined : await store.get(`credit/${paymentId}`)
      if (paymentId === undefined || text === undefined) return refuse('invalid_payment', 'no such credit')
      return { ok: true, ...readBalance(paymentId, text) }
    },
    async debit(token, amount) {
      if (amount <= 0n) throw new RangeError(`a debit is above zero, got ${amount}`)
      const paymentId = identify(token)
      if (paymentId === undefined) return refuse('invalid_payment', 'no credit token of ours')
      const taken = await update(paymentId, (balance) => {
        if (!balance.isOpen) return refuse('invalid_payment', 'the credit is closed')
        if (balance.total - balance.spent < amount) return refuse('insufficient_funds')
        return { ...balance, spent: balance.spent + amount }
      })
      if (!taken.ok) return taken
      let isUndone = false
      return {
        ok: true,
        left: taken.balance.total - taken.balance.spent,
        async undo() {
          if (isUndone) return
          isUndone = true
          await update(paymentId, (balance) => ({ ...balance, spent: balance.spent - amount }))
        },
      }
    },
    async close(token, refunds) {
      const paymentId = identify(token)
      if (paymentId === undefined) return refuse('invalid_payment', 'no credit token of ours')
      const closed = await update(paymentId, (balance) => ({ ...balance, isOpen: false }))
      if (!closed.ok) return closed
      const { total, spent, payer, network, asset } = closed.balance
      if (spent >= total) return { ok: true, refund: undefined }
      const refund = await refunds.refund({ paymentId, payer, network, asset, amount: total }, total - spent)
      return { ok: true, refund }
    },
  }
  return credits
}

/** A gate's `onRequest`: a request with `X-Credit` is served from its balance; what the handler fails is not charged. */
export function creditGrant(
  credits: Credits,
): (request: GateRequest, terms: RouteTerms) => Promise<Grant | Respond | undefined> {
  return async (request, terms) => {
    const token = request.header(CREDIT_HEADER.toLowerCase())
    if (token === undefined) return undefined
    const held = await credits.balance(token)
    const price =
      held.ok && terms.accepts.find(({ asset, network }) => asset === held.asset && network === held.network)
    if (!price) return spent(held.ok ? 'aetherkit_offer_mismatch' : held.reason)
    const debit = await credits.debit(token, price.amount)
    if (!debit.ok) return spent(debit.reason)
    return {
      kind: 'grant',
      headers: { [BALANCE_HEADER]: debit.left.toString(), 'Cache-Control': 'private' },
      async settle(result) {
        const isFailed = 'error' in result || !(terms.chargeOn?.(result.status) ?? result.status < 500)
        if (isFailed) await debit.undo()
      },
    }
  }
}

/** A gate's `onHandlerFailure` that keeps the money as credit; the failed answer carries the token. */
export function creditOnFailure(credits: Credits): (paid: Paid) => Promise<Returned> {
  return async (paid) => ({ returned: 'credited', headers: { [CREDIT_HEADER]: await credits.open(paid) } })
}

/** 402 without an offer to sign: whoever sent a token meant to pay with it, not to buy once more. */
function spent(reason: Refusal['reason']): Respond {
  return {
    kind: 'respond',
    status: 402,
    headers: { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' },
    body: bodyText({
      error: 'payment_invalid',
      outcome: 'payment_rejected',
      reason,
      hint: `Send the request without ${CREDIT_HEADER} for an offer.`,
    }),
    outcome: 'payment_rejected',
    reason,
  }
}

function writeBalance({ paymentId: _, ...balance }: Balance): string {
  return writeJson({ ...balance, total: balance.total.toString(), spent: balance.spent.toString() })
}

function readBalance(paymentId: string, text: string): Balance {
  const parsed = parseJson(text)
  const object = parsed.ok && isJsonObject(parsed.value) ? parsed.value : {}
  const network = parseNetwork(object.network)
  if (network === undefined) throw new TypeError(`the credit record of ${paymentId} cannot be read`)
  return {
    paymentId,
    payer: String(object.payer),
    network,
    asset: String(object.asset),
    total: BigInt(String(object.total)),
    spent: BigInt(String(object.spent)),
    isOpen: object.isOpen === true,
  }
}

/** Every character is looked at, whichever differs. */
function isSame(a: string, b: string): boolean {
  let difference = a.length ^ b.length
  for (let i = 0; i < a.length; i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i)
  return difference === 0
}
