/**
 * A shop for tests: real keys, real transactions, the real static rules, and a settler whose chain half is scripted - for
 * outcomes that a chain does not produce on demand. What a chain can do is tested on the devnet.
 */
import { toHex } from '@aetherkit/core'
import { sha256 } from '@noble/hashes/sha2.js'
import { createBinding } from '../src/binding.js'
import { encodeHeader } from '../src/codec/header.js'
import { writePayment as writeV1 } from '../src/codec/v1.js'
import { writePayment as writeV2 } from '../src/codec/v2.js'
import { buildPayment, knownMint } from '../src/exact/build.js'
import { DEFAULT_SPONSOR_LIMITS, type StaticRules, verifyStatic } from '../src/exact/static.js'
import { createGate, type GateOptions, type Verdict } from '../src/gate.js'
import { createLedger } from '../src/ledger/ledger.js'
import { memoryStore } from '../src/ledger/memory.js'
import { DEVNET } from '../src/network.js'
import { refuse } from '../src/reason.js'
import type { Json, Offer, Payment, Requirement } from '../src/requirement.js'
import { createRpc } from '../src/rpc.js'
import type { Fate, Settlement, SettleRefusal, Settler } from '../src/settler.js'
import { encodeBase58, keypairSigner, type PaymentSigner, signerAddress } from '../src/solana.js'
import type { GateRequest, RouteTerms } from '../src/terms.js'

export const USDC = '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU'
export const PRICE = 100_000n

const newSigner = (): PaymentSigner => keypairSigner(crypto.getRandomValues(new Uint8Array(32)))
export const sponsor = newSigner()
export const buyer = newSigner()
export const merchant = signerAddress(newSigner())

/** No test may ask a node for anything. */
const offline = createRpc('http://127.0.0.1:1', {
  fetch: () => Promise.reject(new Error('a scripted shop has no node')),
})

export interface Script {
  settle?: (paymentId: string) => Promise<Settlement | SettleRefusal>
  /** Whether `onSigned` is called before the settle script runs; true by default. */
  signs?: boolean
  fate?: () => Promise<Fate>
  verify?: () => Promise<ReturnType<typeof refuse> | undefined>
}

export interface ScriptedSettler extends Settler {
  readonly script: Script
  settled: number
}

export const transactionOf = (paymentId: string): string =>
  encodeBase58(sha256(new TextEncoder().encode(paymentId)))

export function scriptedSettler(script: Script = {}): ScriptedSettler {
  const judge = async (payment: Payment, requirement: Requirement) => {
    const mint = knownMint(requirement)
    if (mint === undefined) return refuse('invalid_exact_svm_payload_mint_mismatch')
    const sponsors = new Set([signerAddress(sponsor)])
    const rules: StaticRules = { sponsors, network: DEVNET, limits: DEFAULT_SPONSOR_LIMITS, allowedMints: {} }
    return verifyStatic(payment, requirement, mint, rules)
  }
  return {
    script,
    settled: 0,
    kinds: async () => [{ scheme: 'exact', network: DEVNET, feePayer: signerAddress(sponsor) }],
    verifyStatic: judge,
    async verify(payment, requirement) {
      return (await script.verify?.()) ?? judge(payment, requirement)
    },
    async settle(payment, requirement, { onSigned } = {}) {
      const verified = await judge(payment, requirement)
      if (!verified.ok) return verified
      const { paymentId, payer } = verified
      const transaction = transactionOf(paymentId)
      if (script.signs !== false) await onSigned?.({ paymentId, transaction, lastValidBlockHeight: 1000n })
      this.settled++
      if (script.settle !== undefined) return script.settle(paymentId)
      return { ok: true, paymentId, transaction, payer, received: requirement.amount }
    },
    fate: async () => (await script.fate?.()) ?? { state: 'unknown' },
  }
}

export interface Shop {
  readonly settler: ScriptedSettler
  readonly gate: ReturnType<typeof createGate>
  readonly terms: RouteTerms
  handled: number
  request(headers?: Record<string, string>, change?: Partial<GateRequest>): GateRequest
  /** Payment headers for the offer of this request. */
  pay(dialect?: 'v1' | 'v2', change?: PayChange): Promise<Record<string, string>>
  decide(headers: Record<string, string>, change?: Partial<GateRequest>, terms?: RouteTerms): Promise<Verdict>
  /** Decides and, when it passes, runs a handler that answers `ok`. */
  visit(
    headers: Record<string, string>,
    change?: Partial<GateRequest>,
  ): Promise<{ status: number; headers: Readonly<Record<string, string>>; body: string }>
}

interface PayChange {
  readonly url?: string
  readonly signer?: PaymentSigner
  readonly withMemo?: boolean
  readonly accepted?: (accepted: Requirement) => Requirement
  readonly extensions?: (offered: Readonly<Record<string, Json>>) => Readonly<Record<string, Json>>
}

const URL_PAID = 'https://shop.example/paid?x=1'

export function openShop(
  options: Partial<GateOptions> & { script?: Script; terms?: Partial<RouteTerms> } = {},
): Shop {
  const { script, terms: change, ...gateOptions } = options
  const settler = scriptedSettler(script)
  const gate = createGate({
    settler,
    ledger: createLedger(memoryStore()),
    binding: createBinding({ keys: [new Uint8Array(32).fill(7)] }),
    waitMs: 500,
    rateLimit: false,
    ...gateOptions,
  })
  const terms: RouteTerms = {
    resource: { url: URL_PAID, description: 'a thing', mimeType: 'text/plain' },
    accepts: [{ network: DEVNET, amount: PRICE, asset: USDC, payTo: merchant, maxTimeoutSeconds: 60 }],
    ...change,
  }
  return {
    settler,
    gate,
    terms,
    handled: 0,
    request: (headers = {}, more = {}) => ({
      method: 'GET',
      url: URL_PAID,
      header: (name) => headers[name],
      ...more,
    }),
    async pay(
      dialect = 'v2',
      { url = URL_PAID, signer = buyer, withMemo = true, accepted: alter, extensions } = {},
    ) {
      const offer: Offer = await gate.offer(this.request({}, { url }), terms)
      const [first] = offer.accepts
      if (first === undefined) throw new Error('an empty offer')
      const { memo: _, ...bare } = first
      const chosen = alter === undefined ? first : alter(first)
      const blockhash = encodeBase58(crypto.getRandomValues(new Uint8Array(32)))
      const built = await buildPayment(
        { ...(withMemo ? chosen : bare), recentBlockhash: blockhash },
        { signer, rpc: offline, mints: new Map(), allowedMints: {}, withMemo },
      )
      const transaction = Buffer.from(built.wire).toString('base64')
      if (dialect === 'v1') return { 'x-payment': encodeHeader(writeV1(chosen, transaction, 'v1')) }
      const echoed = { ...offer, extensions: extensions?.(offer.extensions ?? {}) ?? offer.extensions ?? {} }
      return { 'payment-signature': encodeHeader(writeV2(echoed, chosen, transaction)) }
    },
    decide(headers, more, decided = terms) {
      return gate.decide(this.request(headers, more), decided)
    },
    async visit(headers, more) {
      const verdict = await this.decide(headers, more)
      if (verdict.kind === 'respond') {
        const { status, headers: sent, body } = verdict
        return {
          status,
          headers: sent,
          body: typeof body === 'string' ? body : new TextDecoder().decode(body),
        }
      }
      this.handled++
      await new Promise((resolve) => setTimeout(resolve, 5))
      const result = { status: 200, headers: {}, body: new TextEncoder().encode('ok') }
      if (verdict.kind === 'grant') return { status: 200, headers: verdict.headers, body: 'ok' }
      const completed = await verdict.complete(result)
      if (completed.kind === 'respond') return { ...completed, body: String(completed.body) }
      return { status: 200, headers: { ...verdict.headers, ...completed.headers }, body: 'ok' }
    },
  }
}

export function bodyHash(text: string): string {
  return toHex(sha256(new TextEncoder().encode(text)))
}
