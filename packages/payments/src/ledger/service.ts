/**
 * Who serves a paid request, and that it has been served (spec solana 6, steps 3 and 5): the handler runs to success
 * once for each payment, whoever settled it.
 */
import { isJsonObject, parseJson, writeJson } from '@aetherkit/core'
import type { LedgerStore } from './store.js'

/** What was delivered; `body` only when it was kept, base64. */
export interface Delivery {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  /** The payment was given back instead: nothing more is served for it. */
  readonly returned?: 'refunded' | 'credited'
  /** SHA-256 of the buyer's claim, hex: whoever brings it gets `headers` again, with `returned`. */
  readonly claim?: string
}

export interface Service {
  /** ONE atomic step: `new` for exactly one caller, `serving` while it is anybody's, or what was delivered. */
  serve(paymentId: string, claimant: string, ttlMs: number): Promise<'new' | 'serving' | Delivery>
  /** Prolongs an own service; false when it lapsed. */
  serving(paymentId: string, claimant: string, ttlMs: number): Promise<boolean>
  /** It is served; the first delivery stands. True for the one call that made it so. */
  delivered(paymentId: string, delivery: Delivery): Promise<boolean>
  /** What was delivered, if anything was. */
  delivery(paymentId: string): Promise<Delivery | undefined>
  /** The handler failed: the same payment may be served again. Does nothing after `delivered`. */
  unserved(paymentId: string, claimant: string): Promise<boolean>
}

export function createService(store: LedgerStore, namespace: string, keepMs: number): Service {
  const key = (paymentId: string): string => `${namespace}-served/${paymentId}`
  const serving = (claimant: string): string => writeJson({ claimant })
  return {
    async serve(paymentId, claimant, ttlMs) {
      while (true) {
        if (await store.swap(key(paymentId), undefined, serving(claimant), ttlMs)) return 'new'
        const text = await store.get(key(paymentId))
        if (text !== undefined) return readDelivery(text) ?? 'serving'
      }
    },
    serving: (paymentId, claimant, ttlMs) =>
      store.swap(key(paymentId), serving(claimant), serving(claimant), ttlMs),
    async delivered(paymentId, delivery) {
      while (true) {
        const text = await store.get(key(paymentId))
        if (text !== undefined && readDelivery(text) !== undefined) return false
        if (await store.swap(key(paymentId), text, writeJson({ delivery }), keepMs)) return true
      }
    },
    async delivery(paymentId) {
      const text = await store.get(key(paymentId))
      return text === undefined ? undefined : readDelivery(text)
    },
    unserved: (paymentId, claimant) => store.swap(key(paymentId), serving(claimant), undefined, 0),
  }
}

function readDelivery(text: string): Delivery | undefined {
  const parsed = parseJson(text)
  const delivery = parsed.ok && isJsonObject(parsed.value) ? parsed.value.delivery : undefined
  if (!isJsonObject(delivery)) return undefined
  const { status, headers, body, returned, claim } = delivery
  const entries = Object.entries(isJsonObject(headers) ? headers : {})
  return {
    status: Number(status),
    headers: Object.fromEntries(entries.map(([name, value]) => [name, String(value)])),
    ...(typeof body === 'string' && { body }),
    ...((returned === 'refunded' || returned === 'credited') && { returned }),
    ...(typeof claim === 'string' && { claim }),
  }
}
