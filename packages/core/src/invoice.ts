/** Invoice attachment: the content of a capability offer, kind 10002 (spec 2.1, 11.3). */
import { type Reject, reject } from './codes.js'
import { hasDuplicateKeys, isJsonObject, parseJson, writeJson } from './json.js'

export interface Invoice {
  /** Not empty; opaque here. */
  readonly invoice: string
  /** May be empty, which is not the same as absent. */
  readonly memo?: string
  /** Millisatoshi, 0 to 2^64 - 1. */
  readonly amountMsat?: bigint
}

const MAX_AMOUNT = 2n ** 64n - 1n

/**
 * The JSON text of an attachment, `{invoice, memo?, amount_msat?}`, all digits of the amount kept.
 * @throws TypeError or RangeError for what {@link readInvoice} would refuse.
 */
export function writeInvoice({ invoice, memo, amountMsat }: Invoice): string {
  if (invoice === '') throw new TypeError('invoice is required')
  if (amountMsat !== undefined && (amountMsat < 0n || amountMsat > MAX_AMOUNT))
    throw new RangeError(`amountMsat must be 0 to 2^64 - 1, got ${amountMsat}`)
  return writeJson({ invoice, memo, amount_msat: amountMsat })
}

/**
 * Reads an attachment. `null` counts as absent, unknown members are skipped. Not a JSON object or a member of the wrong
 * shape: `invalid_event`.
 */
export function readInvoice(content: string): { ok: true; invoice: Invoice } | Reject {
  const json = parseJson(content)
  if (!json.ok) return reject('invalid_event', 'invoice is required', json.detail)
  if (!isJsonObject(json.value)) return reject('invalid_event', 'invoice is required', 'not an object')
  if (hasDuplicateKeys(json.value)) return reject('invalid_event', 'invoice is required', 'a member twice')
  const { invoice, memo = null, amount_msat = null } = json.value
  if (typeof invoice !== 'string' || invoice === '') return reject('invalid_event', 'invoice is required')
  if (memo !== null && typeof memo !== 'string') return reject('invalid_event', 'memo must be str')
  if (amount_msat === null) return { ok: true, invoice: { invoice, ...(memo !== null && { memo }) } }
  if (typeof amount_msat !== 'number' && typeof amount_msat !== 'bigint')
    return reject('invalid_event', 'amount_msat must be int')
  const amountMsat = BigInt(amount_msat)
  if (amountMsat < 0n || amountMsat > MAX_AMOUNT) return reject('invalid_event', 'amount_msat must be int')
  return { ok: true, invoice: { invoice, ...(memo !== null && { memo }), amountMsat } }
}
