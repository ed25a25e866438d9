/**
 * What the page asks its own server, all of it at the URL it stands on: the terms as they are now, and two facts of the
 * chain. No other host is contacted.
 */
import type { PageData, PageTerms } from '../page-data.js'

/** What one payment needs beside the terms. */
export interface Challenge {
  readonly feePayer: string
  readonly memo: string
  readonly blockhash: string
}

/** How long a reload gets what was paid: longer than a blockhash lives, shorter than a forgotten tab. */
const COOKIE_SECONDS = 600

/** A fresh challenge for the terms that are shown; anything else than shown is refused. */
export async function freshChallenge(data: PageData, terms: PageTerms): Promise<Challenge> {
  const response = await fetch(location.href, { headers: { accept: 'application/json' }, cache: 'no-store' })
  const header = response.headers.get('payment-required')
  void response.body?.cancel()
  if (header === null) throw new Error('The seller asks for no payment any more. Reload the page.')
  const bytes = Uint8Array.from(atob(header), (character) => character.charCodeAt(0))
  const { accepts } = JSON.parse(new TextDecoder().decode(bytes))
  const same = (accepts as Record<string, unknown>[]).find(
    ({ amount, asset, payTo, network }) =>
      amount === terms.amount && asset === terms.asset && payTo === terms.payTo && network === data.network,
  )
  if (same === undefined) throw new Error('The seller has changed the terms. Reload the page to see them.')
  const { feePayer, memo, recentBlockhash } = same.extra as Record<string, string | undefined>
  if (feePayer === undefined) throw new Error('The seller names nobody who pays the network fee.')
  const blockhash = recentBlockhash ?? (await latestBlockhash())
  return { feePayer, memo: memo ?? randomText(), blockhash }
}

/** What an account holds, atomic; undefined when there is no such account. */
export async function balanceOf(account: string): Promise<bigint | undefined> {
  const result = await rpc('getTokenAccountBalance', [account])
  return result === null ? undefined : BigInt((result as { value: { amount: string } }).value.amount)
}

/**
 * Presents a payment by opening the page once more: what was bought arrives as the browser likes it, whatever it is, and
 * a reload brings the same payment and never a new one.
 */
export function present(data: PageData, wire: Uint8Array): void {
  const transaction = btoa(String.fromCharCode(...wire))
  const { name, networkName: network } = data
  const header = btoa(JSON.stringify({ x402Version: 1, scheme: 'exact', network, payload: { transaction } }))
  const path = location.pathname.includes(';') ? '/' : location.pathname
  const secure = location.protocol === 'https:' ? '; Secure' : ''
  // biome-ignore lint/suspicious/noDocumentCookie: the asynchronous cookie store is not in every browser
  document.cookie = `${name}=${header}; Path=${path}; Max-Age=${COOKIE_SECONDS}; SameSite=Strict${secure}`
  if (!document.cookie.includes(`${name}=`))
    throw new Error('This page needs a cookie to hand the payment over.')
  location.reload()
}

async function latestBlockhash(): Promise<string> {
  return ((await rpc('getLatestBlockhash', [])) as { value: { blockhash: string } }).value.blockhash
}

async function rpc(method: string, params: readonly string[]): Promise<unknown> {
  const response = await fetch(location.href, {
    headers: { accept: 'application/json', 'x-aetherkit-rpc': JSON.stringify([method, ...params]) },
    cache: 'no-store',
  })
  if (!response.ok) throw new Error('The seller cannot reach the network. Try again in a moment.')
  return ((await response.json()) as { result: unknown }).result
}

function randomText(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')
}
