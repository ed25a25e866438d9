/** What becomes of a call of the dialect, before it is put under somebody's JSON-RPC id (spec a2a 3.1, 4.2). */
import type { Respond } from '@aetherkit/payments'
import type { DispatchReply } from '../dispatch.js'
import type { Artifact, Json, JsonRecord, Part, SendMessageResponse, Task } from '../model.js'
import { isOpen } from '../payment/hold.js'
import { paymentRequired } from '../payment/required.js'
import { RECEIPTS } from '../payment/x402.js'
import { type DialectFault, INTERNAL } from './fault.js'
import { receiptHeaders } from './receipt-headers.js'

type Headers = Readonly<Record<string, string>>

export type Outcome =
  | { readonly kind: 'result'; readonly result: JsonRecord; readonly headers?: Headers }
  | { readonly kind: 'fault'; readonly fault: DialectFault }
  /** HTTP's own answer, for callers that asked for one: no JSON-RPC. */
  | { readonly kind: 'http'; readonly status: number; readonly headers: Headers; readonly body: JsonRecord }

export function replyOf(outcome: Outcome, id: Json): DispatchReply {
  switch (outcome.kind) {
    case 'result': {
      const { result, headers = {} } = outcome
      return { kind: 'single', status: 200, envelope: { jsonrpc: '2.0', id, result }, headers }
    }
    case 'fault': {
      const { code, message, data, status = 200, headers = {} } = outcome.fault
      const error = { code, message, ...(data !== undefined && { data }) }
      return { kind: 'single', status, envelope: { jsonrpc: '2.0', id, error }, headers }
    }
    case 'http': {
      const { status, body: envelope, headers } = outcome
      return { kind: 'single', status, envelope, headers }
    }
  }
}

/** The data part of the last artifact; text where there is none. */
export function resultOf(response: SendMessageResponse): Outcome {
  if ('message' in response) return success(dataOf(response.message.parts))
  const { task } = response
  const { state, message } = task.status
  if (state === 'TASK_STATE_COMPLETED') return success(dataIn(task), settledHeaders(task))
  const reason = textOf(message?.parts ?? [])
  switch (state) {
    case 'TASK_STATE_REJECTED':
      return fault('Rejected', { reason, code: 'REJECTED' })
    case 'TASK_STATE_CANCELED':
      return fault('Canceled', { reason: 'The task was canceled', code: 'CANCELED', taskId: task.id })
    case 'TASK_STATE_INPUT_REQUIRED':
    case 'TASK_STATE_AUTH_REQUIRED':
      return fault('Input required', {
        reason: 'The agent needs an answer that agent.request has no form for',
        code: 'INPUT_REQUIRED',
        taskId: task.id,
      })
    default:
      return { kind: 'fault', fault: INTERNAL }
  }
}

/** The gate's answer: in the dialect's words, or as HTTP 402 and its kin where that was asked for. */
export function paymentOutcome(respond: Respond, wantsHttp: boolean): Outcome {
  const { status, headers, body, offer, outcome, reason } = respond
  const text = typeof body === 'string' ? body : Buffer.from(body).toString('utf8')
  if (wantsHttp) return { kind: 'http', status, headers, body: JSON.parse(text) as JsonRecord }
  if (offer !== undefined) {
    const why = reason === undefined ? {} : { reason }
    const result = {
      status: 'payment_required',
      data: null,
      paymentRequired: paymentRequired(respond),
      ...why,
    }
    return { kind: 'result', result, headers: headersOf(headers) }
  }
  const { transaction } = JSON.parse(text) as JsonRecord
  const data = {
    reason: reason ?? outcome,
    code: (isOpen(respond) ? undefined : CODES[outcome]) ?? 'PAYMENT_NOT_SETTLED',
    ...(transaction !== undefined && { transaction }),
  }
  return {
    kind: 'fault',
    fault: { code: -32000, message: 'Payment not accepted', data, headers: headersOf(headers) },
  }
}

const CODES: Readonly<Record<string, string>> = {
  conflict: 'PAYMENT_CONFLICT',
  malformed: 'PAYMENT_MALFORMED',
}

/** Of the gate's headers those that mean something beside a JSON-RPC body. */
function headersOf(headers: Headers): Headers {
  const names = ['PAYMENT-RESPONSE', 'X-PAYMENT-RESPONSE', 'Retry-After', 'Cache-Control']
  return Object.fromEntries(Object.entries(headers).filter(([name]) => names.includes(name)))
}

function settledHeaders({ status }: Task): Headers {
  const receipts = status.message?.metadata?.[RECEIPTS]
  return Array.isArray(receipts) ? receiptHeaders(receipts.at(-1)) : {}
}

function dataIn({ artifacts = [], status }: Task): JsonRecord {
  const last: Artifact | undefined = artifacts.at(-1)
  return dataOf(last?.parts ?? status.message?.parts ?? [])
}

function dataOf(parts: readonly Part[]): JsonRecord {
  const data = parts.findLast((part) => part.data !== undefined)?.data
  if (data === undefined) return { text: textOf(parts) }
  return typeof data === 'object' && data !== null && !Array.isArray(data)
    ? (data as JsonRecord)
    : { value: data }
}

function textOf(parts: readonly Part[]): string {
  return parts.flatMap(({ text }) => (text === undefined ? [] : [text])).join('\n')
}

function success(data: JsonRecord, headers: Headers = {}): Outcome {
  return { kind: 'result', result: { status: 'success', data }, headers }
}

function fault(message: string, data: JsonRecord): Outcome {
  return { kind: 'fault', fault: { code: -32000, message, data } }
}
