/** What of Express is used, structurally: versions 4 and 5 have it, and no copy of their types is needed. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Json, Offer, Paid, PricedRoute } from '@aetherkit/payments'

export interface PaidRequest extends IncomingMessage {
  originalUrl?: string
  /** Where the router stands, and the path it looks at from there. */
  baseUrl?: string
  path?: string
  route?: { readonly path?: unknown }
  ip?: string | undefined
  /** From {@link keepRawBody}, or from the paywall's own reader. */
  rawBody?: Uint8Array
  /** There behind the paywall: what was paid. */
  payment?: Paid
}

export interface PaidResponse extends ServerResponse {
  json?(body: unknown): unknown
}

export type Middleware = (
  request: PaidRequest,
  response: PaidResponse,
  next: (error?: unknown) => void,
) => void

export type Route = PricedRoute<PaidRequest> & RouteOptions

interface RouteOptions {
  /**
   * The client left and the handler did not finish either, in its `finishMs` and within `keepBytes`. `retry` (default):
   * the gate's `onHandlerFailure` decides, else the same payment may come again and the handler runs again. `charge`: it
   * counts as delivered, and the payment is used up.
   */
  readonly onDisconnect?: 'retry' | 'charge'
  /**
   * How long the handler may still finish after its client has left, ms; 30,000 by default. What it finishes is kept,
   * and the same payment gets it.
   */
  readonly finishMs?: number
  /**
   * How long the handler may take to its first byte (with `authorization` to its end), ms; no limit by default. Then the
   * answer is 504, and the payment is not charged, or given back by the gate's `onHandlerFailure`.
   */
  readonly timeoutMs?: number
  /** As {@link settlementFailedResponseBody}, for a request without payment; `unpaidBody` is the shorter form. */
  readonly unpaidResponseBody?: (request: PaidRequest) => ResponseBody | Promise<ResponseBody>
  /**
   * What a 402 says when the settlement failed for good, for programs, under the name that x402 servers have it. A JSON
   * object keeps the members that buyers read.
   */
  readonly settlementFailedResponseBody?: (
    request: PaidRequest,
    failure: SettleFailure,
  ) => ResponseBody | Promise<ResponseBody>
  /** More members for the JSON of a 402; those that buyers read stay. */
  readonly unpaidBody?: (
    request: PaidRequest,
    offer: Offer,
  ) => Readonly<Record<string, Json>> | Promise<Readonly<Record<string, Json>>>
}

export interface ResponseBody {
  readonly contentType: string
  readonly body: unknown
}

export interface SettleFailure {
  readonly success: false
  readonly errorReason: string
  /** Base58; empty when nothing was sent. */
  readonly transaction: string
  /** CAIP-2. */
  readonly network: string
  readonly payer?: string
  /** What the answer carries anyway. */
  readonly headers: Readonly<Record<string, string>>
}

/** For `express.json({ verify: keepRawBody })`, where a parser must stand before the paywall. */
export function keepRawBody(request: PaidRequest, _response: unknown, body: Uint8Array): void {
  request.rawBody = body
}

/** What was paid for this request; undefined in front of the paywall, and where the gate let somebody in without payment. */
export function paymentOf(request: IncomingMessage): Paid | undefined {
  return (request as PaidRequest).payment
}

export function setHeaders(response: PaidResponse, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
}
