/**
 * `payment-identifier`, served and not only declared (spec payments 13, 16 D10). The buyer names its intent; whatever
 * it signs under that name, it is charged once and gets one answer.
 *
 *   new id                           process
 *   same id, same fingerprint        the answer of the first payment, nothing is charged
 *   same id, another fingerprint     409
 *   required and missing, malformed  400
 *
 * Fingerprint: method, URL, body, payer and terms. A first payment of unknown outcome holds the id until it is decided.
 */

import { isJsonObject, parseJson, toHex, writeJson } from '@aetherkit/core'
import { sha256 } from '@noble/hashes/sha2.js'
import type { LedgerStore } from '../ledger/store.js'
import { type Refusal, refuse } from '../reason.js'
import type { Json, Payment } from '../requirement.js'
import { boundMethod, type GateRequest, type RouteTerms } from '../terms.js'

const KEY = 'payment-identifier'
const ID = /^[a-zA-Z0-9_-]{16,128}$/
const utf8 = new TextEncoder()

/** Who holds an id. */
export interface IdentifierUse {
  /** The payment that holds the id: this one when nobody did. Undefined when the id belongs to something else. */
  bind(paymentId: string): Promise<string | undefined>
  /** The holder turned out not to be paid: another payment takes the id, unless somebody was faster. */
  rebind(from: string, to: string): Promise<void>
}

export interface PaymentIdentifiers {
  readonly key: typeof KEY
  offer(): Json
  /** `aetherkit_payment_id_required` (v2 payments only: v1 has no place for it), `aetherkit_malformed_payment`. */
  read(
    payment: Payment,
    request: GateRequest,
    terms: RouteTerms,
    paid: {
      readonly payer: string
      readonly amount: bigint
      readonly asset: string
      readonly network: string
    },
  ): { ok: true; use?: IdentifierUse } | Refusal
}

export interface PaymentIdentifierOptions {
  /** The ledger's store: whoever shares the ledger shares the ids. */
  readonly store: LedgerStore
  readonly required?: boolean
  /** 24 h by default. */
  readonly keepMs?: number
}

export function createPaymentIdentifiers(options: PaymentIdentifierOptions): PaymentIdentifiers {
  const { store, required = false, keepMs = 86_400_000 } = options
  return {
    key: KEY,
    offer: () => ({
      info: { required },
      schema: {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'object',
        properties: {
          required: { type: 'boolean' },
          id: { type: 'string', minLength: 16, maxLength: 128, pattern: '^[a-zA-Z0-9_-]+$' },
        },
        required: ['required'],
      },
    }),
    read(payment, request, terms, paid) {
      const id = readId(payment)
      if (id === undefined)
        return required && payment.dialect === 'v2' ? refuse('aetherkit_payment_id_required') : { ok: true }
      if (typeof id !== 'string' || !ID.test(id)) return refuse('aetherkit_malformed_payment', 'payment id')
      return { ok: true, use: useOf(store, `id/${id}`, fingerprint(request, terms, paid), keepMs) }
    },
  }
}

/** An id for one intent, for buyers: `pay_` and 32 hex digits. */
export function createPaymentId(): string {
  return `pay_${crypto.randomUUID().replaceAll('-', '')}`
}

/** The extensions that a buyer sends back, with its id in the place the server declared; undefined when it declared none. */
export function withPaymentId(
  extensions: Readonly<Record<string, Json>> | undefined,
  id: string,
): Readonly<Record<string, Json>> | undefined {
  const declared = extensions?.[KEY]
  if (!isJsonObject(declared) || !isJsonObject(declared.info)) return undefined
  const members = declared as Record<string, Json>
  return { ...extensions, [KEY]: { ...members, info: { ...(members.info as Record<string, Json>), id } } }
}

function useOf(store: LedgerStore, key: string, print: string, keepMs: number): IdentifierUse {
  const write = (paymentId: string): string => writeJson({ print, paymentId })
  return {
    async bind(paymentId) {
      while (true) {
        if (await store.swap(key, undefined, write(paymentId), keepMs)) return paymentId
        const text = await store.get(key)
        if (text === undefined) continue
        const parsed = parseJson(text)
        if (!parsed.ok || !isJsonObject(parsed.value) || parsed.value.print !== print) return undefined
        return String(parsed.value.paymentId)
      }
    },
    async rebind(from, to) {
      await store.swap(key, write(from), write(to), keepMs)
    },
  }
}

function readId(payment: Payment): unknown {
  const extension = payment.extensions?.[KEY]
  const info = isJsonObject(extension) ? extension.info : undefined
  return isJsonObject(info) ? (info.id ?? undefined) : undefined
}

function fingerprint(
  request: GateRequest,
  terms: RouteTerms,
  paid: { readonly payer: string; readonly amount: bigint; readonly asset: string; readonly network: string },
): string {
  const { payer, amount, asset, network } = paid
  const lines = [
    boundMethod(request.method),
    request.url,
    request.bodySha256 ?? '',
    payer,
    network,
    asset,
    amount.toString(),
    ...terms.accepts.map(({ payTo }) => payTo),
  ]
  return toHex(sha256(utf8.encode(lines.join('\n'))))
}
