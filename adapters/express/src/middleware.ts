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

export interface Route extends PricedRoute<PaidRequest> {
  /**
   * The client left before the response ended. `retry` (default): the gate's `onHandlerFailure` decides, else the same
   * payment may come again and the handler runs again. `charge`: it counts as delivered, and the payment is used up.
   */
  readonly onDisconnect?: 'retry' | 'charge'
  /** More members for the JSON of a 402; those that buyers read stay. */
  readonly unpaidBody?: (
    request: PaidRequest,
    offer: Offer,
  ) => Readonly<Record<string, Json>> | Promise<Readonly<Record<string, Json>>>
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
