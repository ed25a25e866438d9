/**
 * Presenting a payment until something definite comes of it (spec payments 10, 12): the same bytes, again and again, and
 * the buyer's own node between. Another payment is signed only when this one is provably dead or failed.
 */
import { CLAIM_HEADER } from '../claim.js'
import { PaymentError } from '../errors.js'
import type { BuyerFate } from '../fate.js'
import type { Journal, JournalEntry } from '../journal.js'
import type { Receipt } from '../requirement.js'
import { type Answer, readAnswer } from './answer.js'
import { keepCredit } from './credit.js'
import type { FetchFunction, Header, PreparedRequest } from './request.js'
import type { Wallet } from './wallet.js'

export interface Presenting {
  readonly fetch: FetchFunction
  readonly wallet: Wallet
  readonly journal: Journal
  readonly now: () => number
  /** How long one call keeps presenting. */
  readonly patienceMs: number
  /** How long one answer may take, to its headers. */
  readonly attemptTimeoutMs: number
  readonly onReceipt: (entry: JournalEntry, receipt: Receipt) => void
}

/** `over`: provably not paid, and another payment may be signed. */
export type Presented =
  | { readonly kind: 'response'; readonly response: Response }
  | { readonly kind: 'over'; readonly state: 'dead' | 'failed'; readonly reason?: string }

/** Answers in a row that say the same before one believes that nothing else will come. */
const PERSISTENT = 3
const FIRST_PAUSE_MS = 200
const LONGEST_PAUSE_MS = 5_000
const LONGEST_RETRY_AFTER_MS = 30_000

/** @throws PaymentError `payment_refused`, `payment_unknown`; the reason of the signal when the caller gives up */
export async function present(
  context: Presenting,
  request: PreparedRequest,
  entry: JournalEntry,
): Promise<Presented> {
  const { now, patienceMs } = context
  const deadline = now() + patienceMs
  let landed = entry.state === 'paid' || entry.state === 'served'
  let unwilling = 0
  for (let attempt = 1; ; attempt++) {
    const answer = await ask(context, request, entry)
    if (answer !== undefined) {
      const end = await ending(context, request, entry, answer)
      if (end !== undefined) return end
      if (answer.receipt?.success === true) landed = true
    }
    const isAnswered = answer !== undefined && answer.kind !== 'unclear'
    if (isAnswered || attempt > 1) {
      const fate = await learnFate(context, entry, answer)
      if (fate.state === 'dead' || fate.state === 'failed') return over(fate.state, answer)
      if (fate.state === 'landed') landed = true
    }
    if (answer?.kind === 'rejected' && !landed) {
      await context.journal.update(entry.id, { state: 'refused', ...reasonOf(answer) })
      throw refused(answer)
    }
    // That settlement failed is for the chain to say: until it does, or the payment is dead, it is asked for again.
    unwilling = isAnswered && (answer.kind !== 'failed' || landed) ? unwilling + 1 : 0
    if (unwilling >= PERSISTENT) {
      if (answer?.kind === 'unserved') return { kind: 'response', response: answer.response }
      if (answer?.kind === 'unpaid' && !landed) throw refused(answer)
      throw unknown(entry, landed, answer)
    }
    await answer?.response.body?.cancel().catch(() => {})
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** (attempt - 1), LONGEST_PAUSE_MS)
    const until = now() + Math.min(answer?.retryAfterMs ?? pause, LONGEST_RETRY_AFTER_MS)
    if (until >= deadline) throw unknown(entry, landed, answer)
    await sleep(until - now(), request.signal)
  }
}

async function ask(
  { fetch, attemptTimeoutMs, now }: Presenting,
  request: PreparedRequest,
  { url, header, claim }: JournalEntry,
): Promise<Answer | undefined> {
  const claiming: readonly Header[] = claim === undefined ? [] : [[CLAIM_HEADER, claim]]
  let response: Response
  try {
    response = await request.paid(fetch, url, [header, ...claiming], attemptTimeoutMs)
  } catch {
    request.signal.throwIfAborted()
    return undefined
  }
  return readAnswer(response, now())
}

/** The answers that end it. */
async function ending(
  context: Presenting,
  request: PreparedRequest,
  entry: JournalEntry,
  answer: Answer,
): Promise<Presented | undefined> {
  const { journal, fetch } = context
  const { response, receipt } = answer
  let { kind } = answer
  if (receipt?.success === true) {
    await noteReceipt(context, entry, receipt)
    const { url, network, asset } = entry
    const isCredited = await keepCredit(journal, response, { url, network, asset })
    // Given back: nothing else comes of this payment, and the next call spends the credit.
    if (isCredited && kind === 'unserved') kind = 'closed'
  }
  switch (kind) {
    case 'served': {
      const delivered = await request.follow(fetch, response, entry.url)
      journal.handOver(entry.id, true)
      return { kind: 'response', response: await watched(journal, request, entry, delivered) }
    }
    case 'closed':
      await journal.update(entry.id, { state: 'served', ...reasonOf(answer) })
      return { kind: 'response', response }
    case 'declined':
      return { kind: 'response', response }
    case 'elsewhere':
      await response.body?.cancel()
      throw new PaymentError(
        'payment_unknown',
        `${entry.url} leads to another origin; the payment stays in the journal`,
      )
    default:
      return undefined
  }
}

async function noteReceipt(
  { journal, onReceipt }: Presenting,
  entry: JournalEntry,
  receipt: Receipt,
): Promise<void> {
  const { transaction } = receipt
  // It is paid: a journal that cannot be written keeps it open, and the chain will tell.
  await journal
    .update(entry.id, { state: 'paid', ...(transaction !== '' && { transaction }) })
    .catch(() => {})
  if (entry.state !== 'served') onReceipt({ ...entry, transaction }, receipt)
}

async function learnFate(
  { wallet, journal }: Presenting,
  entry: JournalEntry,
  answer: Answer | undefined,
): Promise<BuyerFate> {
  const told = answer?.transaction ?? entry.transaction
  const fate = await wallet.fate({ ...entry, ...(told !== undefined && { transaction: told }) })
  if (fate.state === 'landed')
    await journal.update(entry.id, { state: 'paid', transaction: fate.transaction })
  if (fate.state === 'failed')
    await journal.update(entry.id, { state: 'failed', transaction: fate.transaction })
  if (fate.state === 'dead')
    await journal.update(entry.id, { state: 'dead', ...(answer && reasonOf(answer)) })
  return fate
}

/** The response as it came; its end, or the caller's, closes the journal entry, a broken body leaves it for a retry. */
async function watched(
  journal: Journal,
  request: PreparedRequest,
  { id }: JournalEntry,
  response: Response,
): Promise<Response> {
  const end = () => journal.update(id, { state: 'served' }).catch(() => {})
  if (response.body === null) {
    await end()
    return response
  }
  const reader: ReadableStreamDefaultReader<Uint8Array> = response.body.getReader()
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (!done) return controller.enqueue(value)
          await end()
          controller.close()
        } catch (error) {
          if (request.signal.aborted) await end()
          else journal.handOver(id, false)
          controller.error(error)
        }
      },
      async cancel(reason) {
        await end()
        await reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
  const { status, statusText, headers, url, redirected } = response
  const copy = new Response(body, { status, statusText, headers })
  return Object.defineProperties(copy, { url: { value: url }, redirected: { value: redirected } })
}

function over(state: 'dead' | 'failed', answer: Answer | undefined): Presented {
  return { kind: 'over', state, ...(answer && reasonOf(answer)) }
}

function reasonOf({ reason }: Answer): { readonly reason?: string } {
  return reason === undefined ? {} : { reason }
}

function refused(answer: Answer): PaymentError {
  return new PaymentError(
    'payment_refused',
    `the seller does not take the payment: ${answer.reason ?? 'no reason given'}`,
    reasonOf(answer),
  )
}

function unknown({ url, id }: JournalEntry, landed: boolean, answer: Answer | undefined): PaymentError {
  const what = landed ? 'is paid and was not served' : 'may be paid'
  const said = answer === undefined ? 'no answer' : `HTTP ${answer.response.status}`
  return new PaymentError(
    'payment_unknown',
    `${url} ${what} (${said}); payment ${id} is in the journal and is presented again by an equal request`,
    answer && reasonOf(answer),
  )
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
