/**
 * Calling an agent in the `agent.request` dialect (spec a2a 3): stamped to the millisecond, with a nonce, signed, and on a
 * failure of the network sent again as the very same bytes, which the agent answers without doing the work twice.
 */
import { randomBytes } from 'node:crypto'
import { A2A_ERRORS, A2AError, type A2AErrorCode } from '../errors.js'
import type { Json, JsonRecord } from '../model.js'
import { isRecord } from '../read-fields.js'
import { AGENT_REQUEST } from './params.js'
import { signParams } from './profile.js'
import { DEFAULT_WINDOW, writeStamp } from './stamp.js'

export interface AgentRequestOptions {
  /** The sender's Ed25519 seed, 32 bytes: a Solana key pair's first half. */
  readonly key: Uint8Array
  /** The recipient's address, base58. */
  readonly to: string
  readonly action: string
  readonly payload: JsonRecord
  readonly fetch?: (input: string, init: RequestInit) => Promise<Response>
  readonly signal?: AbortSignal
  /** For all attempts together, ms; 30 000 by default. */
  readonly timeoutMs?: number
  /** Such as `PAYMENT-SIGNATURE`, or `Authorization`. */
  readonly headers?: Readonly<Record<string, string>>
  readonly now?: () => number
}

export type AgentResult =
  | { readonly status: 'success'; readonly data: JsonRecord; readonly receipt?: JsonRecord }
  | { readonly status: 'payment_required'; readonly paymentRequired: JsonRecord; readonly reason?: string }

const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 5_000
const MAX_ANSWER = 4 * 1024 * 1024
/** Statuses of what stands before an agent, when it is not there. */
const AWAY = [502, 503, 504]

/**
 * @throws A2AError with the code of the JSON-RPC error, its `data.reason` as the message and `data.code` in the metadata;
 * RATE_LIMITED; UNAUTHENTICATED; INVALID_AGENT_RESPONSE; whatever `fetch` rejects with once time is up; the signal's reason.
 */
export async function agentRequest(url: string, options: AgentRequestOptions): Promise<AgentResult> {
  const { fetch = globalThis.fetch, timeoutMs = 30_000, headers = {}, now = Date.now } = options
  const { key, to, action, payload } = options
  const id = randomBytes(16).toString('hex')
  const stamped = now()
  const nonce = randomBytes(16).toString('hex')
  const params = signParams({ to, action, payload, timestamp: writeStamp(stamped), nonce }, key)
  const body = JSON.stringify({ jsonrpc: '2.0', method: AGENT_REQUEST, id, params })
  const time = AbortSignal.timeout(timeoutMs)
  const signal = options.signal === undefined ? time : AbortSignal.any([time, options.signal])
  // A copy that comes after the window is refused.
  const until = stamped + Math.min(timeoutMs, DEFAULT_WINDOW.pastMs)
  const init = { method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body, signal }
  for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
    const wait = now() + pause < until ? pause : undefined
    let response: Response | undefined
    try {
      response = await fetch(url, init)
    } catch (error) {
      signal.throwIfAborted()
      if (wait === undefined) throw error
    }
    if (response !== undefined && (wait === undefined || !AWAY.includes(response.status)))
      return readAnswer(response, id)
    await response?.body?.cancel()
    await sleep(wait ?? 0, signal)
  }
}

async function readAnswer(response: Response, id: string): Promise<AgentResult> {
  const { status, headers } = response
  const answer = await readJson(response)
  if (status === 401) throw new A2AError('UNAUTHENTICATED')
  if (status === 402 && answer !== undefined) return offered(headers, answer)
  if (!isRecord(answer) || answer.jsonrpc !== '2.0') throw invalid(`HTTP ${status} without a JSON-RPC answer`)
  const { error, result } = answer
  if (isRecord(error)) throw toError(error, headers)
  if (answer.id !== id) throw invalid('the answer is of another request')
  if (!isRecord(result)) throw invalid('the answer has no result')
  if (result.status === 'payment_required' && isRecord(result.paymentRequired)) {
    const { paymentRequired, reason } = result
    return { status: 'payment_required', paymentRequired, ...(typeof reason === 'string' && { reason }) }
  }
  if (result.status !== 'success') throw invalid('the result has a status that is not known')
  const receipt = decode(headers.get('payment-response'))
  const data = isRecord(result.data) ? result.data : {}
  return { status: 'success', data, ...(receipt !== undefined && { receipt }) }
}

/** HTTP 402, in the shape of the dialect's own `paymentRequired`. */
function offered(headers: Headers, body: JsonRecord): AgentResult {
  const x402 = decode(headers.get('payment-required'))
  const { requirements, reason } = body
  const first = isRecord(requirements) ? requirements : {}
  const { maxAmountRequired: amount = null, asset = null, payTo = null, network = null } = first
  const paymentRequired = {
    ...{ amount, asset, payTo, network },
    ...(x402 !== undefined && { x402 }),
    x402v1: body,
  }
  return { status: 'payment_required', paymentRequired, ...(typeof reason === 'string' && { reason }) }
}

function toError({ code, message, data }: JsonRecord, headers: Headers): A2AError {
  const { reason, code: word, issues, ...more } = isRecord(data) ? data : {}
  const name = word === 'RATE_LIMITED' ? 'RATE_LIMITED' : (NAMES.get(Number(code)) ?? 'INTERNAL')
  const texts = Object.entries({ reason, code: word, ...more }).filter(
    ([, value]) => typeof value === 'string',
  )
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  return new A2AError(name, String(reason ?? message ?? A2A_ERRORS[name].text), {
    metadata: Object.fromEntries(texts) as Record<string, string>,
    ...(Array.isArray(issues) && { violations: issues.filter(isRecord).map(violationOf) }),
    ...(Number.isFinite(seconds) && { retryAfterSeconds: seconds }),
  })
}

const NAMES: ReadonlyMap<number, A2AErrorCode> = new Map<number, A2AErrorCode>([
  [-32700, 'PARSE_ERROR'],
  [-32600, 'INVALID_REQUEST'],
  [-32601, 'METHOD_NOT_FOUND'],
  [-32602, 'INVALID_PARAMS'],
  [-32603, 'INTERNAL'],
  [-32000, 'INVALID_REQUEST'],
])

function violationOf({ message, path }: JsonRecord): { field: string; description: string } {
  return { field: Array.isArray(path) ? path.join('.') : '', description: String(message ?? '') }
}

async function readJson(response: Response): Promise<JsonRecord | undefined> {
  let length = 0
  const chunks: Uint8Array[] = []
  for await (const chunk of response.body ?? []) {
    length += chunk.length
    if (length > MAX_ANSWER) throw invalid('the answer is too long')
    chunks.push(chunk)
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'))
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

function decode(header: string | null): JsonRecord | undefined {
  if (header === null) return undefined
  try {
    const value = JSON.parse(Buffer.from(header, 'base64').toString('utf8')) as Json
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

function invalid(message: string): A2AError {
  return new A2AError('INVALID_AGENT_RESPONSE', message)
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason)
    const abort = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', abort)
      resolve()
    }, ms)
    signal.addEventListener('abort', abort, { once: true })
  })
}
