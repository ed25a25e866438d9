/** A refusal as this caller likes it: a page for the eye, else JSON with what the route adds. */
import type { GateRequest, Respond } from '@aetherkit/payments'
import type { BrowserPage } from './answer.js'
import type { PaidRequest, ResponseBody, Route } from './middleware.js'

export async function dress(
  verdict: Respond,
  request: PaidRequest,
  plain: GateRequest,
  route: Route,
  page: BrowserPage | undefined,
): Promise<Respond> {
  const shown = page?.show(verdict, plain) ?? verdict
  if (shown !== verdict || verdict.offer === undefined) return shown
  const { unpaidBody, unpaidResponseBody } = route
  const own =
    verdict.outcome === 'unpaid' ? await unpaidResponseBody?.(request) : await failed(verdict, request, route)
  if (own !== undefined) return wear(verdict, own)
  const members = await unpaidBody?.(request, verdict.offer)
  return members === undefined ? verdict : { ...verdict, body: merged(verdict, members) }
}

/** The route's own words for a settlement that failed for good. */
async function failed(
  { outcome, receipt, headers }: Respond,
  request: PaidRequest,
  { settlementFailedResponseBody }: Route,
): Promise<ResponseBody | undefined> {
  if (outcome !== 'settle_failed' || receipt === undefined) return undefined
  const { transaction, network, payer, errorReason = '' } = receipt
  const failure = { success: false, errorReason, transaction, network, headers } as const
  return settlementFailedResponseBody?.(request, { ...failure, ...(payer !== undefined && { payer }) })
}

function wear(verdict: Respond, { contentType, body }: ResponseBody): Respond {
  const headers = { ...verdict.headers, 'Content-Type': contentType }
  if (typeof body === 'string' || body instanceof Uint8Array) return { ...verdict, headers, body }
  const isPlain = typeof body === 'object' && body !== null && !Array.isArray(body)
  return { ...verdict, headers, body: isPlain ? merged(verdict, body) : JSON.stringify(body ?? null) }
}

/** What buyers read stays. */
function merged({ body }: Respond, members: object): string {
  return JSON.stringify({ ...members, ...JSON.parse(String(body)) })
}
