/**
 * The decision (spec payments 10, solana 6), free of any framework: given a request and the route's terms, either run
 * the handler or send this answer.
 *
 *   match offer -> static verification -> claim -> verification on the chain and settlement -> handler
 *
 * With `authorization` the handler runs after the verification and its response is held back until it is settled.
 */
import type { Binding } from './binding.js'
import { readPaymentHeaders } from './codec/classify.js'
import { createCollector } from './collect.js'
import { PaymentError } from './errors.js'
import type { PaymentIdentifiers } from './extension/payment-identifier.js'
import { type Court, judge } from './judge.js'
import type { Ledger } from './ledger/ledger.js'
import { HEADER_BUDGET } from './offer.js'
import { type Respond, respond } from './outcome.js'
import { checkConfirmation, makeOffer, type QuoteOptions } from './quote.js'
import { createRateLimit, type RateLimit } from './rate.js'
import type { Reason } from './reason.js'
import type { Json, Offer, Receipt } from './requirement.js'
import { createServer, type Paid, type Pass, type Returned } from './serve.js'
import type { Settler } from './settler.js'
import type { GateRequest, RouteTerms } from './terms.js'

/** Runs without payment: re-access, prepaid credit, a guest list. */
export interface Grant {
  readonly kind: 'grant'
  readonly headers: Readonly<Record<string, string>>
  /** Called with the handler's status, or with what it threw. */
  settle?(result: { readonly status: number } | { readonly error: unknown }): Promise<void>
}

export type Verdict = Pass | Grant | Respond

/** What a 402 or a receipt carries beside the terms. */
export interface GateExtension {
  readonly key: string
  offer?(offer: Offer, request: GateRequest, terms: RouteTerms): Json | undefined | Promise<Json | undefined>
  receipt?(paid: Paid): Json | undefined | Promise<Json | undefined>
}

export interface GateHooks {
  /** Before anything else; a grant runs the handler free, an answer is sent as it is. */
  readonly onRequest?: (request: GateRequest, terms: RouteTerms) => Promise<Grant | Respond | undefined>
  /** Last word before the money moves; a text refuses the payment and says why. */
  readonly onBeforeSettle?: (paid: Paid) => Promise<string | undefined> | string | undefined
  readonly onSettled?: (paid: Paid) => Promise<void> | void
  readonly onRefused?: (reason: Reason, detail: string | undefined) => void
  /** The handler failed after the payment: refund, credit, or let the same payment try again (the default). */
  readonly onHandlerFailure?: (paid: Paid, cause: unknown) => Promise<Returned> | Returned
  /**
   * What went wrong beside the way of the payment. Once, a `PaymentError` `header_budget` when the terms of a 402 take
   * more than 6 KiB of header: their extensions go to the body then, and above 12 KiB the route is a fault.
   */
  readonly onError?: (error: unknown) => void
}

export interface GateOptions extends GateHooks {
  readonly settler: Settler
  readonly ledger: Ledger
  /** Binds each offer to its request; without it every payment is kept to the resource where it was used first. */
  readonly binding?: Binding
  readonly recentBlockhash?: NonNullable<QuoteOptions['recentBlockhash']>
  readonly extensions?: readonly GateExtension[]
  readonly identifiers?: PaymentIdentifiers
  /** How long a copy of a payment waits for what becomes of the first, 10 s by default. */
  readonly waitMs?: number
  readonly leaseMs?: number
  readonly watchEveryMs?: number
  /** Longest response body that is kept for the same payment, 256 KiB by default. */
  readonly keepBytes?: number
  /** Per payer and per address; 20 at once and 5 a second by default, `false` for none. */
  readonly rateLimit?: RateLimit | false
  /** Where a buyer asks what became of a payment. */
  readonly statusUrl?: (paymentId: string) => string
}

export interface Gate {
  decide(request: GateRequest, terms: RouteTerms): Promise<Verdict>
  /** The 402 of a request without payment. @throws PaymentError */
  offer(request: GateRequest, terms: RouteTerms): Promise<Offer>
  /** What a route asks for, for a catalogue: bound to nothing, good for reading and not for paying. @throws PaymentError */
  list(request: GateRequest, terms: RouteTerms): Promise<Offer>
  /** The receipt by transaction or payment id; `success: false` while it is not settled. */
  receipt(key: string): Promise<Receipt | undefined>
  /** After a restart: decides by the chain what was left open; how many it decided. */
  recover(): Promise<number>
  close(): void
}

/** Refused for its shape: never verified, never reserved. */
const MALFORMED: readonly Reason[] = [
  'aetherkit_malformed_payment',
  'aetherkit_two_payments',
  'aetherkit_bare_signature',
  'invalid_x402_version',
  'invalid_payment_requirements',
  'invalid_exact_svm_payload_missing_fee_payer',
]

/** @throws PaymentError `invalid_option` for a limit that is no finite number in range */
export function createGate(options: GateOptions): Gate {
  const { settler, ledger, extensions = [], identifiers, waitMs = 10_000, leaseMs = 15_000 } = options
  const { onError = () => {}, rateLimit = { burst: 20, perSecond: 5 }, keepBytes = 256 * 1024 } = options
  const { watchEveryMs = 1_000 } = options
  checkNumbers({ waitMs, keepBytes }, 0)
  checkNumbers({ leaseMs, watchEveryMs }, 1)
  const collector = createCollector({
    settler,
    ledger,
    leaseMs,
    watchEveryMs,
  })
  const declared: readonly GateExtension[] =
    identifiers === undefined ? extensions : [...extensions, identifiers]
  const server = createServer({
    ledger,
    collector,
    leaseMs: leaseMs * 4,
    keepBytes,
    ...(options.onHandlerFailure !== undefined && { onHandlerFailure: options.onHandlerFailure }),
    receiptExtensions: (paid) => collectMembers(declared, ({ receipt }) => receipt?.(paid)),
    onError,
  })

  const offer = (request: GateRequest, terms: RouteTerms): Promise<Offer> =>
    makeOffer(request, terms, options, (made) =>
      collectMembers(declared, (extension) => extension.offer?.(made, request, terms)),
    )

  const court: Court = {
    settler,
    ledger,
    collector,
    server,
    binding: options.binding,
    identifiers,
    waitMs,
    allow: rateLimit === false ? () => true : createRateLimit(rateLimit),
    offer,
    statusUrl: options.statusUrl,
    onBeforeSettle: options.onBeforeSettle,
    onSettled: options.onSettled,
    onRefused: options.onRefused,
    onError,
  }

  const decide = async (request: GateRequest, terms: RouteTerms): Promise<Verdict> => {
    try {
      const early = await options.onRequest?.(request, terms)
      if (early !== undefined) return early
      const read = readPaymentHeaders(request.header)
      if (read === undefined) return respond({ state: 'unpaid', offer: await offer(request, terms) })
      if (read.ok) {
        if (terms.confirmation !== undefined) checkConfirmation(await settler.kinds(), terms)
        return await judge(court, request, terms, read.payment)
      }
      if (MALFORMED.includes(read.reason)) return respond({ state: 'malformed', reason: read.reason })
      options.onRefused?.(read.reason, read.detail)
      return respond({ state: 'rejected', offer: await offer(request, terms), reason: read.reason })
    } catch (error) {
      onError(error)
      if (isFault(error)) throw error
      // Our node, facilitator or ledger was away; whatever was sent is in the ledger, and the same payload finds it.
      return respond({ state: 'unavailable', reason: 'aetherkit_facilitator_unavailable' })
    }
  }

  let isWarned = false
  /** Node.js and undici stop at 16 KiB of headers, and proxies earlier. */
  const warn = (bytes: number, { resource }: RouteTerms): void => {
    if (isWarned || bytes <= HEADER_BUDGET) return
    isWarned = true
    const message = `the terms of ${resource.url} take ${bytes} bytes of header, over ${HEADER_BUDGET}`
    onError(
      new PaymentError('header_budget', `${message}: shorten the description, or serve fewer extensions`),
    )
  }

  return {
    offer,
    list: (request, terms) =>
      makeOffer(request, terms, { settler }, (made) =>
        collectMembers(
          declared.filter(({ key }) => key === 'bazaar'),
          (extension) => extension.offer?.(made, request, terms),
        ),
      ),
    async decide(request, terms) {
      const verdict = await decide(request, terms)
      if (verdict.kind === 'respond') warn(verdict.headerBytes ?? 0, terms)
      return verdict
    },
    async receipt(key) {
      const record = await ledger.find(key)
      const { settled, sent } = record ?? {}
      if (record === undefined) return undefined
      const network = sent?.requirement.network
      if (network === undefined) return undefined
      if (settled === undefined)
        return {
          success: false,
          transaction: sent?.transaction ?? '',
          network,
          errorReason: 'settlement_pending',
        }
      const { transaction, payer, received } = settled
      return { success: true, transaction, network, payer, amount: received }
    },
    recover: () => collector.recover(),
    close: () => collector.close(),
  }
}

/** A `NaN` from an unset variable is no limit. */
function checkNumbers(numbers: Readonly<Record<string, number>>, least: number): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (!(Number.isFinite(value) && value >= least))
      throw new PaymentError('invalid_option', `${name}: a number from ${least} expected, got ${value}`)
  }
}

/** A mistake in code or configuration, which is a crash: everything else is somebody who did not answer. */
function isFault(error: unknown): boolean {
  if (PaymentError.is(error)) return error.code !== 'rpc_failed' && error.code !== 'facilitator_failed'
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError
}

async function collectMembers(
  extensions: readonly GateExtension[],
  ask: (extension: GateExtension) => Json | undefined | Promise<Json | undefined>,
): Promise<Readonly<Record<string, Json>>> {
  const members = await Promise.all(
    extensions.map(async (extension) => [extension.key, await ask(extension)] as const),
  )
  return Object.fromEntries(members.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])))
}
