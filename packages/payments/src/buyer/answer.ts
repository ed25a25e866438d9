/**
 * What an answer to a presented payment means (spec payments 10, 12). Only what is definite ends the matter: every
 * unclear one leads back to the same payload.
 */
import { isJsonObject, parseJson } from '@aetherkit/core'
import { readReceiptHeaders } from '../codec/classify.js'
import { decodeHeader, textMember } from '../codec/header.js'
import type { Receipt } from '../requirement.js'
import { readRetryAfter } from '../retry-after.js'

export type AnswerKind =
  /** Sent to another origin, without a receipt: the payment does not go along. */
  | 'elsewhere'
  /** The goods, or the handler's own refusal of a paid request. */
  | 'served'
  /** Paid, and the handler failed: the same payment may try again. */
  | 'unserved'
  /** Delivered before, or given back: nothing more comes of this payment. */
  | 'closed'
  /** In our words: it was not and will not be settled. */
  | 'rejected'
  /** Says that settlement failed: the chain knows. */
  | 'failed'
  /** Asks for payment as if none had come. */
  | 'unpaid'
  /** Not now, or nobody knows. */
  | 'unclear'
  /** The handler's refusal without a receipt: the payment is as good as before. */
  | 'declined'

export interface Answer {
  readonly kind: AnswerKind
  /** Whole, also where the body had to be read. */
  readonly response: Response
  readonly receipt?: Receipt
  readonly reason?: string
  readonly transaction?: string
  readonly retryAfterMs?: number
}

/** Longest body that is looked at, bytes. */
const MAX_BODY = 262_144
const BODY_MS = 10_000

export async function readAnswer(response: Response, now: number): Promise<Answer> {
  const { status, headers } = response
  const read = (name: string) => headers.get(name) ?? undefined
  const receipt = readReceiptHeaders(read)
  const base = { response, ...(receipt !== undefined && { receipt }) }
  if (status < 400) {
    const leads = status >= 300 && headers.has('location') && receipt?.success !== true
    return { ...base, kind: leads ? 'elsewhere' : 'served' }
  }
  const words = await readWords(response)
  const reason = words.reason ?? receipt?.errorReason ?? offerError(read('payment-required'))
  const transaction = receipt?.transaction || words.transaction
  const retryAfterMs = readRetryAfter(headers.get('retry-after'), now)
  return {
    ...base,
    kind: kindOf(status, words, receipt, reason),
    ...(reason !== undefined && { reason }),
    ...(transaction !== undefined && transaction !== '' && { transaction }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  }
}

interface Words {
  readonly error?: string
  readonly outcome?: string
  readonly reason?: string
  readonly transaction?: string
}

function kindOf(
  status: number,
  { error, outcome }: Words,
  receipt: Receipt | undefined,
  reason: string | undefined,
): AnswerKind {
  const isPaid = receipt?.success === true
  if (status === 402) {
    if (outcome === 'payment_rejected') return 'rejected'
    return receipt?.success === false || outcome === 'settle_failed' ? 'failed' : 'unpaid'
  }
  if (status === 400 && outcome === 'malformed') return 'rejected'
  if (status === 409 && (outcome === 'conflict' || error === 'payment_conflict')) {
    if (reason === 'aetherkit_already_used') return 'closed'
    return reason === 'aetherkit_payment_id_reused' ? 'declined' : 'unclear'
  }
  if (status >= 500) return isPaid ? 'unserved' : 'unclear'
  if (isPaid) return 'served'
  return status === 408 || status === 409 || status === 425 || status === 429 ? 'unclear' : 'declined'
}

/** The words of spec payments 10 in a body, if it is one of ours or of the seed's. */
async function readWords(response: Response): Promise<Words> {
  const parsed = parseJson(await readText(response))
  if (!parsed.ok || !isJsonObject(parsed.value)) return {}
  const words: { -readonly [Name in keyof Words]: Words[Name] } = {}
  for (const name of ['error', 'outcome', 'reason', 'transaction'] as const) {
    const text = textMember(parsed.value, name)
    if (text !== undefined) words[name] = text
  }
  return words
}

function offerError(header: string | undefined): string | undefined {
  const decoded = header === undefined ? undefined : decodeHeader(header)
  const error = decoded?.ok ? textMember(decoded.value, 'error') : undefined
  return error === 'payment_required' || error === 'Payment required' ? undefined : error
}

/** The text of a body that stays readable; empty when it is too long, too slow, or breaks off. */
export async function readText(response: Response): Promise<string> {
  const reader = response.clone().body?.getReader()
  if (reader === undefined) return ''
  const decoder = new TextDecoder()
  let text = ''
  let length = 0
  // A branch of a tee is cancelled for good only together with the other: nobody waits for it.
  const stop = () => void reader.cancel().catch(() => {})
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    stop()
  }, BODY_MS)
  try {
    while (true) {
      const { done, value } = await reader.read()
      if (isLate) return ''
      if (done) return text + decoder.decode()
      length += value.length
      text += decoder.decode(value, { stream: true })
      if (length <= MAX_BODY) continue
      stop()
      return ''
    }
  } catch {
    return ''
  } finally {
    clearTimeout(timer)
  }
}
