/** What the ledger keeps of a payment, and as which text. */
import { isJsonObject, type JsonObject, parseJson, writeJson } from '@aetherkit/core'
import { readTerms } from '../codec/terms.js'
import { writeRequirement } from '../codec/v2.js'
import { isConfirmation } from '../confirmation.js'
import type { Requirement } from '../requirement.js'

/** What was paid. */
export interface Settled {
  /** Transaction id, base58. */
  readonly transaction: string
  /** Transfer authority, base58. */
  readonly payer: string
  /** What the destination gained, atomic. */
  readonly received: bigint
}

/** What is known before a broadcast. */
export interface Sent {
  /** Transaction id; empty when only a remote facilitator knows it. */
  readonly transaction: string
  readonly lastValidBlockHeight?: bigint
  readonly payer: string
  /** The terms under which it was sent. */
  readonly requirement: Requirement
  /** When it was recorded, milliseconds since 1970. */
  readonly at: number
}

export interface PaymentRecord {
  readonly paymentId: string
  readonly state: 'claimed' | 'sent' | 'settled'
  readonly claimant: string
  /** Until when the claimant is taken to be alive, milliseconds since 1970. */
  readonly until: number
  readonly resource?: string
  readonly sent?: Sent
  readonly settled?: Settled
}

export function writeRecord({ paymentId: _, ...record }: PaymentRecord): string {
  const { sent } = record
  if (sent === undefined) return writeJson(record)
  const { confirmation } = sent.requirement
  const requirement = writeRequirement(sent.requirement)
  return writeJson({
    ...record,
    sent: { ...sent, requirement, ...(confirmation !== undefined && { confirmation }) },
  })
}

/** @throws TypeError for a text that no ledger wrote */
export function readRecord(paymentId: string, text: string): PaymentRecord {
  const parsed = parseJson(text)
  const object = parsed.ok && isJsonObject(parsed.value) ? parsed.value : undefined
  const { state, claimant, until, resource } = object ?? {}
  if (
    (state !== 'claimed' && state !== 'sent' && state !== 'settled') ||
    typeof claimant !== 'string' ||
    typeof until !== 'number'
  ) {
    throw new TypeError(`the ledger's record of ${paymentId} cannot be read`)
  }
  return {
    paymentId,
    state,
    claimant,
    until,
    ...(typeof resource === 'string' && { resource }),
    ...(isJsonObject(object?.sent) && { sent: readSent(object.sent) }),
    ...(isJsonObject(object?.settled) && { settled: readSettled(object.settled) }),
  }
}

function readSent(object: JsonObject): Sent {
  const { transaction, lastValidBlockHeight: height, payer, confirmation, at } = object
  const read = readTerms(object.requirement ?? null, 'v2')
  if (!read.ok) throw new TypeError('the ledger has a sent payment without readable terms')
  if (confirmation !== undefined && !isConfirmation(confirmation))
    throw new TypeError('the ledger has a sent payment with a confirmation level that is none')
  return {
    transaction: String(transaction),
    ...((typeof height === 'number' || typeof height === 'bigint') && {
      lastValidBlockHeight: BigInt(height),
    }),
    payer: String(payer),
    requirement: { ...read.requirement, ...(confirmation !== undefined && { confirmation }) },
    at: Number(at),
  }
}

function readSettled({ transaction, payer, received }: JsonObject): Settled {
  return {
    transaction: String(transaction),
    payer: String(payer),
    received: BigInt(
      Number.isInteger(received) || typeof received === 'bigint' ? (received as number | bigint) : 0,
    ),
  }
}
