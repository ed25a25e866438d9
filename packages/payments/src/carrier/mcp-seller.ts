/**
 * Selling tool calls over MCP (spec payments 14): the same gate as over HTTP, with the tool as the resource. Unknown never
 * becomes an offer, and nothing of the tool's result leaves before it is paid.
 */
import { toHex } from '@aetherkit/core'
import { sha256 } from '@noble/hashes/sha2.js'
import { decodeHeader, encodeHeader } from '../codec/header.js'
import { plainJson } from '../codec/terms.js'
import { writeChallenge } from '../codec/v2.js'
import type { Gate } from '../gate.js'
import type { Respond } from '../outcome.js'
import { type PricedRoute, priceRoute, type SellerDefaults } from '../price-list.js'
import type { Pass } from '../serve.js'
import type { GateRequest } from '../terms.js'
import {
  canonicalJson,
  errorResult,
  isRecord,
  MCP_PAYMENT,
  type McpResult,
  toolUrl,
  withReceipt,
} from './mcp-result.js'

/** The price of a tool; `bind` is `request` by default: a payment is for these arguments. */
export type PricedTool = PricedRoute<McpCall>

export interface McpCall {
  readonly name: string
  readonly arguments: unknown
  /** `params._meta` as it came. */
  readonly meta?: Readonly<Record<string, unknown>> | undefined
}

export interface McpSellerOptions extends SellerDefaults {
  readonly gate: Gate
}

/** Runs the tool when the call is paid, and says what the gate says when it is not. */
export type PaidCall = (call: McpCall, run: () => Promise<McpResult>) => Promise<McpResult>

type Headers = Readonly<Record<string, string>>

/** The carrier's name stands where HTTP has its method. */
const METHOD = 'MCP'

/**
 * One priced tool. A result with `isError` counts as a failed handler: with the money back, or good for another try.
 * @throws PaymentError as `priceRoute`; the call rejects with what the tool throws
 */
export function sellTool({ gate, ...seller }: McpSellerOptions, tool: PricedTool): PaidCall {
  const terms = priceRoute<McpCall>({ bind: 'request', ...tool }, seller)
  return async (call, run) => {
    const request = requestOf(call)
    const verdict = await gate.decide(request, await terms(request, call, toolUrl(call.name)))
    if (verdict.kind === 'respond') return told(verdict, call)
    if (verdict.kind === 'pass') return paidRun(verdict, call, run)
    const result = await run().catch(async (error: unknown) => {
      await verdict.settle?.({ error })
      throw error
    })
    await verdict.settle?.({ status: statusOf(result) })
    return result
  }
}

function requestOf({ name, arguments: given, meta }: McpCall): GateRequest {
  const payment = meta?.[MCP_PAYMENT]
  const header = payment === undefined || payment === null ? undefined : encodeHeader(payment)
  return {
    method: METHOD,
    url: toolUrl(name),
    header: (asked) => (asked === 'payment-signature' ? header : undefined),
    bodySha256: toHex(sha256(new TextEncoder().encode(canonicalJson(given)))),
  }
}

async function paidRun(pass: Pass, call: McpCall, run: () => Promise<McpResult>): Promise<McpResult> {
  let result: McpResult
  try {
    result = await run()
  } catch (error) {
    await pass.fail(error)
    throw error
  }
  const body = new TextEncoder().encode(JSON.stringify(result))
  const headers = { 'Content-Type': 'application/json' }
  const end = await pass.complete({ status: statusOf(result), headers, body })
  if (end.kind === 'respond') return told(end, call)
  return withReceipt(result, receiptIn({ ...pass.headers, ...end.headers }))
}

/** Every answer that is not the tool's, and the one that was kept. */
function told(verdict: Respond, { meta }: McpCall): McpResult {
  const { body, headers, offer, outcome } = verdict
  const said = readBody(body)
  const receipt = receiptIn(headers)
  if (said === undefined) return errorResult({ error: 'not_served', outcome }, receipt)
  if (outcome === 'replayed') return withReceipt({ content: [], ...said }, receipt)
  const { error, reason, hint } = said
  if (offer === undefined) {
    const retryAfter = headers['Retry-After']
    return errorResult(
      { ...said, ...(retryAfter !== undefined && { retryAfter: Number(retryAfter) }) },
      receipt,
    )
  }
  const payment = meta?.[MCP_PAYMENT]
  if (isRecord(payment) && payment.x402Version === 1) return errorResult(said, receipt)
  return errorResult({ ...writeChallenge(offer), error, outcome, reason, hint }, receipt)
}

/** JSON, unless a hook of the gate has answered in its own way. */
function readBody(body: string | Uint8Array): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(typeof body === 'string' ? body : new TextDecoder().decode(body))
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

function statusOf({ isError }: McpResult): number {
  return isError === true ? 500 : 200
}

function receiptIn(headers: Headers): unknown {
  const header = headers['PAYMENT-RESPONSE']
  const decoded = header === undefined ? undefined : decodeHeader(header)
  return decoded?.ok ? plainJson(decoded.value) : undefined
}
