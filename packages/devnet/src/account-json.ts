/** Accounts as JSON in the encodings of a node: base58, base64, jsonParsed, with a slice of the data. */
import { encodeBase58 } from './base58.js'
import { isObject, type Json, type JsonObject } from './json.js'
import { countOf } from './params.js'
import { parseAccount } from './parsed-account.js'
import { invalidParams, RpcError } from './rpc-error.js'
import type { Account, Svm } from './svm.js'

/** Conversion to base58 takes quadratic time, so nodes refuse it beyond this. */
const MAX_BASE58 = 128
const ENCODINGS = ['base58', 'base64', 'jsonParsed', 'binary'] as const
export type AccountEncoding = (typeof ENCODINGS)[number]

export interface AccountView {
  readonly encoding: AccountEncoding
  readonly slice?: { readonly offset: number; readonly length: number }
}

/** `encoding` and `dataSlice` of the options. */
export function accountView(config: JsonObject, fallback: AccountEncoding = 'binary'): AccountView {
  const encoding = ENCODINGS.find((known) => known === (config.encoding ?? fallback))
  if (encoding === undefined) {
    throw invalidParams(`Invalid params: encoding ${String(config.encoding)} is not served, use base64.`)
  }
  const { dataSlice } = config
  if (!isObject(dataSlice)) return { encoding }
  return {
    encoding,
    slice: { offset: countOf(dataSlice.offset, 'an offset'), length: countOf(dataSlice.length, 'a length') },
  }
}

export function accountJson(svm: Svm, account: Account, view: AccountView): JsonObject {
  const { lamports, owner, executable, rentEpoch, data } = account
  const parsed = view.encoding === 'jsonParsed' ? parseAccount(svm, account) : undefined
  const encoded = parsed ?? encodeData(data, view)
  return { data: encoded, executable, lamports, owner, rentEpoch, space: data.length }
}

function encodeData(data: Uint8Array, { encoding, slice }: AccountView): Json {
  const bytes = slice === undefined ? data : data.subarray(slice.offset, slice.offset + slice.length)
  if (encoding === 'base64' || encoding === 'jsonParsed')
    return [Buffer.from(bytes).toString('base64'), 'base64']
  if (bytes.length > MAX_BASE58) {
    throw new RpcError(
      'invalidRequest',
      'Encoded binary (base 58) data should be less than 128 bytes, please use Base64 encoding.',
    )
  }
  // the oldest form is a bare text
  return encoding === 'binary' ? encodeBase58(bytes) : [encodeBase58(bytes), 'base58']
}
