import { expect, test } from 'vitest'
import { DEVNET } from '../network.js'
import { receiptHeaders } from '../offer.js'
import { type AnswerKind, readAnswer } from './answer.js'

const paid = receiptHeaders({ success: true, transaction: 'T', network: DEVNET })
const failed = receiptHeaders({
  success: false,
  transaction: 'T',
  network: DEVNET,
  errorReason: 'transaction_failed',
})

test.each<[AnswerKind, number, unknown, Readonly<Record<string, string>>]>([
  ['served', 200, undefined, {}],
  ['served', 204, undefined, paid],
  ['served', 302, undefined, { ...paid, location: '/x' }],
  ['served', 404, undefined, paid],
  ['served', 409, undefined, paid],
  ['elsewhere', 307, undefined, { location: 'https://elsewhere.example' }],
  ['unserved', 500, undefined, paid],
  ['unclear', 500, undefined, {}],
  ['unclear', 500, { error: 'settlement_failed' }, {}],
  ['unclear', 503, { error: 'settlement_unknown', outcome: 'unknown', transaction: 'T' }, {}],
  ['unclear', 408, undefined, {}],
  ['unclear', 425, undefined, {}],
  ['unclear', 429, undefined, {}],
  ['unclear', 409, undefined, {}],
  ['unclear', 409, { outcome: 'conflict', reason: 'aetherkit_in_flight' }, {}],
  ['unclear', 409, { outcome: 'conflict', reason: 'aetherkit_in_flight' }, paid],
  ['closed', 409, { outcome: 'conflict', reason: 'aetherkit_already_used' }, paid],
  ['declined', 409, { outcome: 'conflict', reason: 'aetherkit_payment_id_reused' }, {}],
  ['declined', 404, undefined, {}],
  ['declined', 400, { error: 'what?' }, {}],
  ['rejected', 400, { outcome: 'malformed', reason: 'invalid_x402_version' }, {}],
  ['rejected', 402, { outcome: 'payment_rejected', reason: 'insufficient_funds' }, {}],
  ['failed', 402, { outcome: 'settle_failed' }, {}],
  ['failed', 402, undefined, failed],
  ['unpaid', 402, undefined, {}],
  ['unpaid', 402, { x402Version: 1, error: 'X-PAYMENT header is required', accepts: [] }, {}],
])('%s: %i %j', async (kind, status, body, headers) => {
  const text = body === undefined ? null : JSON.stringify(body)
  const answer = await readAnswer(new Response(text, { status, headers }), 0)
  expect(answer.kind).toBe(kind)
  if (status !== 204) expect(await answer.response.text()).toBe(text ?? '')
})

test('reason and transaction come from the body, the receipt or the offer', async () => {
  const read = async (body: unknown, headers = {}, status = 402) => {
    const { reason, transaction, retryAfterMs } = await readAnswer(
      new Response(JSON.stringify(body), { status, headers }),
      0,
    )
    return { reason, transaction, retryAfterMs }
  }
  const offer = btoa(JSON.stringify({ x402Version: 2, error: 'invalid_exact_svm_payload_amount_mismatch' }))
  expect(await read({ reason: 'a', transaction: 'B' })).toMatchObject({ reason: 'a', transaction: 'B' })
  expect(await read({}, failed)).toMatchObject({ reason: 'transaction_failed', transaction: 'T' })
  expect(await read({}, { 'payment-required': offer })).toMatchObject({
    reason: 'invalid_exact_svm_payload_amount_mismatch',
  })
  expect(await read({}, { 'retry-after': '2' }, 503)).toMatchObject({ retryAfterMs: 2_000 })
})
