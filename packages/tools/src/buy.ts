/**
 * One purchase (spec payments 12, frameworks 3): asked, checked against what was agreed, paid by the paying fetch, and
 * looked up in the journal afterwards. The call id names the purchase, so that the same call pays once whatever replays it.
 */
import { blake3, toHex } from '@aetherkit/core'
import type { FetchFunction, JournalEntry } from '@aetherkit/payments'
import { dollarText } from './dollars.js'
import type { PaymentContext, Purchase } from './payment-context.js'
import { paidOf, paymentFailure } from './payment-error.js'
import type { RunOptions } from './tool-definition.js'
import { ToolError } from './tool-error.js'
import type { WebRequest } from './web-request.js'

export interface Agreed {
  /** Micro-dollars. */
  readonly maxPrice: bigint
  /** Base58; any payee when left out. */
  readonly payTo: string | undefined
}

export interface Bought<T> {
  readonly status: number
  readonly answer: T
  /** Undefined when no payment was sent. */
  readonly entry: JournalEntry | undefined
}

/**
 * Runs the request and pays when it is asked to; `read` takes the answer.
 * @throws ToolError with `paid`; the reason of the signal
 */
export async function buy<T>(
  ctx: PaymentContext,
  { url, init }: WebRequest,
  agreed: Agreed,
  { signal, callId, onProgress }: RunOptions,
  read: (response: Response) => Promise<T>,
): Promise<Bought<T>> {
  let sent: string | undefined
  const fetch: FetchFunction = (input, request) => {
    sent = paymentIn(request) ?? sent
    return ctx.fetch(input, request)
  }
  const approve = (purchase: Purchase) => {
    checkPrice(purchase, agreed)
    onProgress?.({ state: 'paying', price: purchase.price, pay_to: purchase.payTo, host: purchase.host })
    return true
  }
  const headers = new Headers(init.headers)
  if (callId !== undefined) headers.set('idempotency-key', purchaseKey(ctx.scope, callId))
  try {
    const response = await ctx
      .payingFor({ fetch, approve })
      .call(undefined, url, { ...init, headers, ...(signal && { signal }) })
    const answer = await read(response)
    return { status: response.status, answer, entry: await entryOf(ctx, sent) }
  } catch (cause) {
    signal?.throwIfAborted()
    const paid = sent === undefined ? false : await paidBy(ctx, sent)
    const known = paymentFailure(cause, paid)
    if (known !== undefined) throw known
    throw new ToolError({
      code: 'INTERNAL',
      message: 'paid_fetch failed; nothing was paid',
      paid: false,
      cause,
    })
  }
}

/** What the human or the model agreed to, against what will be signed. @throws ToolError */
function checkPrice({ dollars, price, payTo, host }: Purchase, agreed: Agreed): void {
  if (dollars > agreed.maxPrice) {
    const message = `${host} asks ${price}, max_price is ${dollarText(agreed.maxPrice)}; nothing was paid`
    throw new ToolError({ code: 'OVER_LIMIT', message, paid: false })
  }
  if (agreed.payTo === undefined || agreed.payTo === payTo) return
  const message = `${host} wants to be paid through another payee than pay_to; nothing was paid`
  throw new ToolError({ code: 'REJECTED', message, paid: false })
}

/** An opaque key for sellers and for the journal; ids of conversations stay here. */
function purchaseKey(scope: string, callId: string): string {
  return toHex(blake3(new TextEncoder().encode(JSON.stringify([scope, callId]))))
}

/** The header that pays, in either dialect. */
function paymentIn(init: RequestInit | undefined): string | undefined {
  const headers = new Headers(init?.headers)
  return headers.get('payment-signature') ?? headers.get('x-payment') ?? undefined
}

async function entryOf({ purchases }: PaymentContext, sent: string | undefined) {
  if (sent === undefined) return undefined
  const entries = await purchases.entries()
  return entries.find(({ header }) => header[1] === sent)
}

/** A journal that cannot be read decides nothing. */
async function paidBy(ctx: PaymentContext, sent: string) {
  try {
    return paidOf((await entryOf(ctx, sent))?.state ?? 'open')
  } catch {
    return 'unknown'
  }
}
