/** Each outcome of a payment in words for a person, and whether the page comes again by itself (spec payments 10). */
import { isJsonObject, parseJson } from '@aetherkit/core'
import { textMember } from '../codec/header.js'
import type { Respond } from '../outcome.js'

export interface Note {
  /** `wait`: the page comes again by itself, with the same payment. */
  readonly tone: 'bad' | 'wait'
  readonly title: string
  readonly lines: readonly string[]
  readonly transaction?: string
  /** Seconds until it comes again. */
  readonly againIn?: number
}

const WORDS: Readonly<Record<string, string>> = {
  insufficient_funds: 'The paying wallet does not hold the amount.',
  aetherkit_binding_expired: 'The offer was too old when the payment came.',
  aetherkit_destination_missing: 'The seller has no account for this token.',
  aetherkit_rate_limited: 'Too many payments at once. Wait a moment.',
}

/** Undefined when there is nothing to tell: no payment came, or one that was meant for a neighbouring page. */
export function noteOf({ outcome, reason, body, headers }: Respond): Note | undefined {
  const parsed = parseJson(typeof body === 'string' ? body : '')
  const json = parsed.ok && isJsonObject(parsed.value) ? parsed.value : undefined
  const transaction = json === undefined ? undefined : textMember(json, 'transaction')
  const named = transaction !== undefined && { transaction }
  switch (outcome) {
    case 'unpaid':
      return undefined
    case 'payment_rejected': {
      if (reason === 'aetherkit_binding_invalid') return undefined
      const why = WORDS[reason ?? ''] ?? `The seller did not take it: ${reason}.`
      return bad(['The payment was not accepted, and nothing was paid.', why])
    }
    case 'settle_failed':
      return { ...bad(['The network refused the payment: nothing was paid.']), ...named }
    case 'malformed':
      return bad(['The payment could not be read, and nothing was paid.'])
    case 'unknown': {
      const againIn = Number(headers['Retry-After'] ?? 5)
      const state =
        reason === 'settlement_pending'
          ? 'The payment is on its way and not confirmed yet.'
          : (WORDS[reason ?? ''] ?? 'The seller cannot reach the payment network right now.')
      return { ...wait([state, 'The same payment is never charged twice.'], againIn), ...named }
    }
    default:
      if (reason === 'aetherkit_in_flight')
        return { ...wait(['This payment is being served in another window.'], 2), ...named }
      return {
        ...bad(['This payment has been used already, and what it bought is not kept here.']),
        title: 'Already used',
        ...named,
      }
  }
}

function bad(lines: readonly string[]): Note {
  return { tone: 'bad', title: 'Not paid', lines }
}

function wait(lines: readonly string[], againIn: number): Note {
  return { tone: 'wait', title: 'One moment', lines: [...lines, 'This page looks again by itself.'], againIn }
}
