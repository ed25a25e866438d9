/**
 * Credit that a seller gave in place of the goods (spec payments 16 D9, D17), kept in the journal by origin and spent
 * before another payment is signed. It goes where it came from and only to a route that asks for payment: a token is
 * money to whoever holds it.
 */
import { isJsonObject, parseJson } from '@aetherkit/core'
import { textMember } from '../codec/header.js'
import { BALANCE_HEADER, CREDIT_HEADER } from '../credit.js'
import type { Journal, StoredCredit } from '../journal.js'
import { readText } from './answer.js'
import type { Challenge } from './choose.js'
import type { FetchFunction, PreparedRequest } from './request.js'

/** Of visible ASCII: it goes back into a header. */
const TOKEN = /^[\x21-\x7e]{1,512}$/

/** Keeps the token of an answer to a payment; whether there was one. */
export async function keepCredit(
  journal: Journal,
  { headers }: Response,
  { url, ...credit }: Omit<StoredCredit, 'token'> & { readonly url: string },
): Promise<boolean> {
  const token = headers.get(CREDIT_HEADER)
  if (token === null || !TOKEN.test(token)) return false
  await journal.keepCredit(new URL(url).origin, { ...credit, token })
  return true
}

/** The answer that a credit of this origin buys; undefined when none of them does, and the offer stands. */
export async function spendCredit(
  { journal }: { readonly journal: Journal },
  { fetch, attemptTimeoutMs }: { readonly fetch: FetchFunction; readonly attemptTimeoutMs: number },
  request: PreparedRequest,
  url: URL,
  { offer }: Challenge,
): Promise<Response | undefined> {
  for (const { token, network, asset } of await journal.credits(url.origin)) {
    const isAsked = offer.accepts.some((each) => each.network === network && each.asset === asset)
    if (!isAsked) continue
    const response = await request.paid(fetch, url.href, [[CREDIT_HEADER, token]], attemptTimeoutMs)
    const left = response.headers.get(BALANCE_HEADER)
    // What the handler fails is not debited.
    if (left === '0' && response.status < 500) await journal.dropCredit(url.origin, token)
    if (left !== null || response.status !== 402) return request.follow(fetch, response, url.href)
    if ((await reasonOf(response)) === 'invalid_payment') await journal.dropCredit(url.origin, token)
    await response.body?.cancel().catch(() => {})
  }
  return undefined
}

async function reasonOf(response: Response): Promise<string | undefined> {
  const parsed = parseJson(await readText(response))
  return parsed.ok && isJsonObject(parsed.value) ? textMember(parsed.value, 'reason') : undefined
}
