/**
 * Buying over a carrier that is no HTTP (spec a2a 4; payments 12, 14): the paying fetch of the payments package, with a
 * call of any kind where it has a request. Its rules, budget and journal hold unchanged: a call is paid once however often
 * it is repeated, and a payment of unknown fate is presented again, never replaced.
 */
import { type PayingFetch, type PayingFetchOptions, payingFetch, type Quote } from '@aetherkit/payments'
import { A2AError, type A2AErrorCode } from '../errors.js'
import type { JsonRecord } from '../model.js'
import { isRecord } from '../read-fields.js'

/** What a call came to. */
export type Told<T> =
  | { readonly kind: 'served'; readonly value: T; readonly receipt?: JsonRecord | undefined }
  /** Terms to pay, x402 v2 or v1; `reason` and `receipt` of a payment that was refused, or failed on the chain. */
  | {
      readonly kind: 'required'
      readonly required: JsonRecord
      readonly reason?: string | undefined
      readonly receipt?: JsonRecord | undefined
    }
  /** The payment was used already; nothing more comes of it here. */
  | { readonly kind: 'used'; readonly value: T }
  /** Not settled yet, or nobody knows. */
  | { readonly kind: 'unknown'; readonly retryAfterSeconds?: number | undefined }

/** A payment as it is presented: the object for metadata, and the header for HTTP. */
interface Presented {
  readonly payload: JsonRecord
  readonly header: readonly [name: string, value: string]
}

type Present<T> = (payment: Presented | undefined, signal: AbortSignal | undefined) => Promise<Told<T>>

export interface Purchase {
  /** Whom to pay: URL of the agent, or `aether:<key>`. Budgets, allowed hosts and the known payee go by it. */
  readonly agent: string
  /** Names what is bought: paid at most once. */
  readonly key: string
  readonly signal?: AbortSignal | undefined
}

export interface CallBuyer {
  /** @throws PaymentError as the paying fetch; whatever `present` rejects with */
  buy<T>(purchase: Purchase, present: Present<T>): Promise<T>
  /** What it would cost now, by the buyer's rules. @throws PaymentError `offer_refused` and others */
  quote(purchase: Purchase, required: JsonRecord): Promise<Quote>
  readonly payments: Pick<PayingFetch, 'receipts' | 'budgetLeft' | 'recover'>
}

interface Line {
  readonly present: Present<unknown>
  value?: unknown
  error?: unknown
}

const LINE = 'x-call-line'

/** @throws PaymentError `unknown_network`, `invalid_option`, `demo_key` */
export function createCallBuyer(options: PayingFetchOptions): CallBuyer {
  const lines = new Map<string, Line>()
  const paying = payingFetch(async (input, init) => {
    const headers = new Headers(init?.headers)
    const line = lines.get(headers.get(LINE) ?? '')
    if (line === undefined) throw new TypeError('a call that nobody makes any more')
    return exchange(line, headers, new URL(String(input)), init?.signal ?? undefined)
  }, options)

  const open = async <T>(
    { agent, key, signal }: Purchase,
    line: Line,
    run: (url: string, init: RequestInit) => Promise<T>,
  ): Promise<T> => {
    const id = crypto.randomUUID()
    lines.set(id, line)
    const headers = { [LINE]: id, 'Idempotency-Key': key }
    try {
      return await run(sellerUrl(agent), { method: 'POST', headers, ...(signal && { signal }) })
    } finally {
      lines.delete(id)
    }
  }

  return {
    payments: paying,
    async buy<T>(purchase: Purchase, present: Present<T>): Promise<T> {
      const line: Line = { present }
      return open(purchase, line, async (url, init) => {
        const response = await paying(url, init)
        await response.arrayBuffer() // its end closes the journal entry
        if (!('value' in line)) throw line.error ?? new TypeError('the call came to nothing')
        return line.value as T
      })
    },
    quote: (purchase, required) =>
      open(purchase, { present: async () => ({ kind: 'required', required }) }, (url, init) =>
        paying.quote(url, init),
      ),
  }
}

/** One call, as the paying fetch reads it; its value stays on the line. */
async function exchange(
  line: Line,
  headers: Headers,
  url: URL,
  signal: AbortSignal | undefined,
): Promise<Response> {
  delete line.value
  try {
    const told = await line.present(presentedIn(headers), signal)
    if (told.kind === 'served' || told.kind === 'used') line.value = told.value
    return toResponse(told, url)
  } catch (error) {
    line.error = error
    const status = A2AError.is(error) ? (STATUS_OF[error.code] ?? 422) : undefined
    // A definite no to a payment ends it; whatever else went wrong leaves its fate open.
    if (status === undefined || presentedIn(headers) === undefined) throw error
    return new Response(null, { status })
  }
}

const STATUS_OF: Partial<Record<A2AErrorCode, number>> = {
  RATE_LIMITED: 429,
  INTERNAL: 503,
  INVALID_AGENT_RESPONSE: 503,
}

function toResponse(told: Told<unknown>, url: URL): Response {
  const headers = new Headers()
  if ('receipt' in told && told.receipt !== undefined) headers.set('PAYMENT-RESPONSE', encode(told.receipt))
  switch (told.kind) {
    case 'served':
      return Response.json(null, { headers })
    case 'used':
      return Response.json({ outcome: 'conflict', reason: 'aetherkit_already_used' }, { status: 409 })
    case 'unknown': {
      const { retryAfterSeconds } = told
      if (retryAfterSeconds !== undefined) headers.set('Retry-After', String(retryAfterSeconds))
      return Response.json({ outcome: 'unknown' }, { status: 503, headers })
    }
    case 'required': {
      const { required, reason, receipt } = told
      const moved = moveOffer(required, url)
      if (required.x402Version === 2) headers.set('PAYMENT-REQUIRED', encode(moved))
      const failed = receipt?.success === false ? 'settle_failed' : 'payment_rejected'
      const why = reason === undefined ? {} : { outcome: failed, reason }
      return Response.json({ ...moved, ...why }, { status: 402, headers })
    }
  }
}

/** Resources move under the seller's own address, which is what the buyer's rules compare. */
function moveOffer(offer: JsonRecord, { origin }: URL): JsonRecord {
  const moved = (url: unknown) => `${origin}/${encodeURIComponent(String(url ?? ''))}`
  const { resource, accepts } = offer
  if (isRecord(resource)) return { ...offer, resource: { ...resource, url: moved(resource.url) } }
  const entries = Array.isArray(accepts) ? accepts.filter(isRecord) : []
  return { ...offer, accepts: entries.map((entry) => ({ ...entry, resource: moved(entry.resource) })) }
}

/** The payment in the headers, with its resource as the seller called it. */
function presentedIn(headers: Headers): Presented | undefined {
  const name = headers.has('payment-signature') ? 'PAYMENT-SIGNATURE' : 'X-PAYMENT'
  const value = headers.get(name)
  if (value === null) return undefined
  const decoded = JSON.parse(Buffer.from(value, 'base64').toString('utf8')) as JsonRecord
  const { resource } = decoded
  if (!isRecord(resource)) return { payload: decoded, header: [name, value] }
  const url = decodeURIComponent(new URL(String(resource.url)).pathname.slice(1))
  const payload = { ...decoded, resource: { ...resource, url } }
  return { payload, header: [name, encode(payload)] }
}

/** `aether:<key>` has no host of its own. */
function sellerUrl(agent: string): string {
  const key = /^aether:(?:\/\/)?([0-9a-f]{64})$/.exec(agent)?.[1]
  return key === undefined ? agent : `https://${key.slice(0, 32)}.${key.slice(32)}.aether.invalid`
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64')
}
