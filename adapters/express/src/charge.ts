/** One request at the paywall: the gate is asked, and what it says is done. */
import { type GateRequest, PaymentError, type priceRoute } from '@aetherkit/payments'
import { answer, refuseBody } from './answer.js'
import { dress } from './dress.js'
import { gateRequest } from './gate-request.js'
import { type PaidRequest, type PaidResponse, type Route, setHeaders } from './middleware.js'
import type { PaywallOptions } from './paywall.js'
import { allow } from './preflight.js'
import { readRawBody } from './raw-body.js'
import { watchGrant, watchPass } from './watch.js'

export interface Priced {
  readonly route: Route
  readonly terms: ReturnType<typeof priceRoute<PaidRequest>>
}

/** Whether the handler is to run; else the answer is on its way. */
export async function charge(
  request: PaidRequest,
  response: PaidResponse,
  { route, terms }: Priced,
  pattern: string | undefined,
  options: PaywallOptions,
): Promise<boolean> {
  const { gate, baseUrl, page, origin, rawBody = false, maxBodyBytes = 1_048_576 } = options
  // Never to the handler: `app.all` would serve it for nothing.
  if (request.method === 'OPTIONS') return allow(response, options)
  if (origin !== undefined) response.setHeader('Access-Control-Allow-Origin', origin)
  if (rawBody || route.bind === 'request') {
    const read = await readRawBody(request, maxBodyBytes)
    if (read === 'consumed')
      throw new PaymentError(
        'invalid_option',
        'a parser read the body before the paywall: put the paywall first, or give the parser verify: keepRawBody',
      )
    if (read !== 'ok') return refuseBody(response)
  }
  const plain = gateRequest(request, baseUrl)
  const told = await page?.ask(plain)
  if (told !== undefined) return answer(request, response, told)
  const asked: GateRequest = page === undefined ? plain : { ...plain, header: page.read(plain.header) }
  const verdict = await gate.decide(asked, await terms(plain, request, pattern))
  if (verdict.kind === 'respond')
    return answer(request, response, await dress(verdict, request, plain, route, page))
  setHeaders(response, verdict.headers)
  if (verdict.kind === 'grant') watchGrant(verdict, response, options)
  else watchPass(verdict, request, response, route, options)
  return true
}
