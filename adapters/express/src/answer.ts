/** Answers that are not the handler's. */
import type { GateRequest, Receipt, Respond } from '@aetherkit/payments'
import { type PaidRequest, type PaidResponse, setHeaders } from './middleware.js'

type Answer = Pick<Respond, 'status' | 'headers' | 'body'>

/** What `createPaymentPage` makes; any other page has these three. */
export interface BrowserPage {
  read(header: GateRequest['header']): GateRequest['header']
  ask(request: GateRequest): Promise<Answer | undefined>
  show(answer: Respond, request: GateRequest): Respond
}

export function answer(
  request: PaidRequest,
  response: PaidResponse,
  { status, headers, body }: Answer,
): false {
  response.statusCode = status
  setHeaders(response, headers)
  response.end(request.method === 'HEAD' ? undefined : body)
  return false
}

/** The rest of the body is not read, so the connection ends with the answer. */
export function refuseBody(response: PaidResponse): false {
  response.setHeader('Connection', 'close')
  json(response, 413, { error: 'payload_too_large' })
  return false
}

/** The handler took too long. The connection ends with it: the handler may still be at work. */
export function tooLate(headers: Readonly<Record<string, string>>) {
  return {
    kind: 'respond',
    status: 504,
    headers: { ...headers, 'Content-Type': 'application/json', Connection: 'close' },
    body: JSON.stringify({ error: 'handler_timeout' }),
  } as const
}

export function sendReceipt(response: PaidResponse, receipt: Receipt | undefined): void {
  const { amount, ...rest } = receipt ?? {}
  if (receipt === undefined) json(response, 404, { error: 'not_found' })
  else json(response, 200, { ...rest, ...(amount !== undefined && { amount: amount.toString() }) })
}

function json(response: PaidResponse, status: number, body: object): void {
  response.statusCode = status
  setHeaders(response, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
  response.end(JSON.stringify(body))
}
