/**
 * Buying tool calls over MCP (spec payments 12, 14): the paying fetch, with a tool call where it has a request. Its rules,
 * its budget and its journal hold unchanged, so the same call is paid once however often it is repeated.
 */
import { decodeHeader, encodeHeader } from '../codec/header.js'
import { plainJson } from '../codec/terms.js'
import { PaymentError } from '../errors.js'
import { type PayingFetch, type PayingFetchOptions, payingFetch, type Quote } from '../pay.js'
import {
  canonicalJson,
  isRecord,
  type JsonRecord,
  MCP_RECEIPT,
  type McpResult,
  offerIn,
  offerInError,
  wordsOf,
} from './mcp-result.js'

export interface McpBuyerOptions extends PayingFetchOptions {
  /**
   * Who is paid, for `perHost`, `policy.hosts` and the payee that is remembered: the URL of an HTTP server, or for one
   * over stdio a name of a-z, 0-9 and -.
   */
  readonly server: string
}

export interface ToolCall {
  readonly name: string
  readonly arguments?: unknown
}

/** Sends the call, with `payment` as `params._meta["x402/payment"]` when there is one. */
export type SendCall = (payment: unknown, signal: AbortSignal | undefined) => Promise<McpResult>

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  /** Names the purchase: paid at most once, whatever happens in between. */
  readonly idempotencyKey?: string | undefined
}

export interface McpBuyer {
  /**
   * Calls, and pays when it is asked to.
   * @throws PaymentError as the paying fetch; whatever `send` rejects with
   */
  call(tool: ToolCall, send: SendCall, options?: CallOptions): Promise<McpResult>
  /** What the call would cost now; a free tool is run by it. */
  quote(tool: ToolCall, send: SendCall, options?: CallOptions): Promise<Quote>
  /** Receipts, budget and recovery. */
  readonly payments: Pick<PayingFetch, 'receipts' | 'budgetLeft' | 'recover'>
}

interface Line {
  readonly send: SendCall
  result?: McpResult
  error?: unknown
}

const CALL = 'x-mcp-call'
const NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/
/** JSON-RPC: the server has understood that it will not run this. */
const REFUSALS = [-32_600, -32_601, -32_602, -32_603]
/** Outcomes of the gate that are not an offer (spec payments 10). */
const STATUS: Readonly<Record<string, number>> = { malformed: 400, conflict: 409, unknown: 503 }

/** @throws PaymentError as `payingFetch`, and `invalid_option` for a `server` that is neither */
export function mcpBuyer({ server, ...options }: McpBuyerOptions): McpBuyer {
  const base = serverUrl(server)
  const lines = new Map<string, Line>()
  const paying = payingFetch(async (_url, init) => {
    const headers = new Headers(init?.headers)
    const line = lines.get(headers.get(CALL) ?? '')
    if (line === undefined) throw new TypeError('a call that nobody makes any more')
    return exchange(line, paymentIn(headers), init?.signal ?? undefined, base)
  }, options)

  const open = async <T>(
    { name, arguments: given }: ToolCall,
    send: SendCall,
    { signal, idempotencyKey }: CallOptions,
    run: (line: Line, url: string, init: RequestInit) => Promise<T>,
  ): Promise<T> => {
    const id = crypto.randomUUID()
    const line: Line = { send }
    lines.set(id, line)
    const headers = { [CALL]: id, ...(idempotencyKey !== undefined && { 'Idempotency-Key': idempotencyKey }) }
    const init = { method: 'POST', headers, body: canonicalJson(given), ...(signal && { signal }) }
    try {
      return await run(line, `${base}/tools/${encodeURIComponent(name)}`, init)
    } finally {
      lines.delete(id)
    }
  }

  return {
    payments: paying,
    call: (tool, send, callOptions = {}) =>
      open(tool, send, callOptions, async (line, url, init) => {
        const response = await paying(url, init)
        await response.arrayBuffer() // its end closes the journal entry
        if (line.result === undefined) throw line.error
        return line.result
      }),
    quote: (tool, send, callOptions = {}) =>
      open(tool, send, callOptions, (_line, url, init) => paying.quote(url, init)),
  }
}

/** One exchange, as the paying fetch reads it; the result itself stays on the line. */
async function exchange(
  line: Line,
  payment: unknown,
  signal: AbortSignal | undefined,
  base: string,
): Promise<Response> {
  delete line.result
  try {
    line.result = await line.send(payment, signal)
    return toResponse(line.result, base)
  } catch (error) {
    line.error = error
    const offer = offerInError(error)
    if (offer !== undefined) return offered(offer, new Headers(), base)
    const isRefusal = isRecord(error) && REFUSALS.includes(Number(error.code))
    if (payment === undefined || !isRefusal) throw error
    return new Response(null, { status: 422 })
  }
}

function toResponse(result: McpResult, base: string): Response {
  const receipt = result._meta?.[MCP_RECEIPT]
  const headers = new Headers()
  if (isRecord(receipt)) headers.set('PAYMENT-RESPONSE', encodeHeader(receipt))
  if (result.isError !== true) return Response.json(null, { headers })
  const words = wordsOf(result)
  const offer = offerIn(words)
  if (offer !== undefined) return offered(offer, headers, base)
  const said = words.find(({ outcome }) => typeof outcome === 'string' && outcome in STATUS)
  if (said?.retryAfter !== undefined) headers.set('Retry-After', String(said.retryAfter))
  const isPaid = isRecord(receipt) && receipt.success === true
  const status = STATUS[String(said?.outcome)] ?? (isPaid ? 500 : 422)
  return Response.json(said ?? null, { status, headers })
}

/** Resources move under the server's own address, which is what the buyer's rules compare. */
function offered(offer: JsonRecord, headers: Headers, base: string): Response {
  const { resource, accepts } = offer
  const moved = (url: unknown) => `${new URL(base).origin}/${encodeURIComponent(String(url ?? ''))}`
  if (offer.x402Version === 2 && isRecord(resource))
    headers.set(
      'PAYMENT-REQUIRED',
      encodeHeader({ ...offer, resource: { ...resource, url: moved(resource.url) } }),
    )
  const entries = Array.isArray(accepts) ? accepts.filter(isRecord) : []
  const body = { ...offer, accepts: entries.map((entry) => ({ ...entry, resource: moved(entry.resource) })) }
  return Response.json(body, { status: 402, headers })
}

/** The payment in the header, with its resource as the server called it. */
function paymentIn(headers: Headers): unknown {
  const header = headers.get('payment-signature') ?? headers.get('x-payment')
  const decoded = header === null ? undefined : decodeHeader(header)
  const payment = decoded?.ok ? plainJson(decoded.value) : undefined
  if (!isRecord(payment) || !isRecord(payment.resource)) return payment
  const url = decodeURIComponent(new URL(String(payment.resource.url)).pathname.slice(1))
  return { ...payment, resource: { ...payment.resource, url } }
}

function serverUrl(server: string): string {
  if (NAME.test(server)) return `https://${server}.stdio.invalid`
  const url = URL.canParse(server) ? new URL(server) : undefined
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:')
    throw new PaymentError(
      'invalid_option',
      `server: a URL or a name of a-z, 0-9 and - expected, got ${server}`,
    )
  return url.origin + url.pathname.replace(/\/+$/, '')
}
