/** The page as text (spec payments 11): every word that a seller or a request brought is escaped, here and only here. */
import { createHash } from 'node:crypto'
import { writeJson } from '@aetherkit/core'
import { PAGE_SCRIPT, TEST_WALLET_SCRIPT } from './generated/scripts.js'
import type { Note } from './note.js'
import type { PageData } from './page-data.js'
import { STYLE } from './style.js'

/** What a person reads; plain text all of it. */
export interface PageText {
  readonly host: string
  readonly title: string
  readonly url: string
  /** `0.10 USDC`, one for each way to pay. */
  readonly prices: readonly string[]
  readonly payTo: string
  readonly networkName: string
  readonly isTestNetwork: boolean
  readonly flow: 'upfront' | 'authorization'
  /** Why the last payment was not taken. */
  readonly note?: Note
}

const SCRIPT_POLICY = [PAGE_SCRIPT, TEST_WALLET_SCRIPT].map(hashOf).join(' ')

export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': `default-src 'none'; script-src ${SCRIPT_POLICY}; style-src ${hashOf(STYLE)}; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  Vary: 'Accept, User-Agent, Cookie',
}

/** The page that asks for a payment. */
export function paymentPage(text: PageText, data: PageData): string {
  const { payTo, networkName, isTestNetwork, flow } = text
  const badge = isTestNetwork ? ' <span class="test">test money, worth nothing</span>' : ''
  const [first, second, third] = STEPS[flow]
  const wallet = `<div id="wallets"></div>
<p id="none">No Solana wallet has been found in this browser. Install one that supports the wallet standard, then reload.<noscript> Scripts are off: they are needed to ask a wallet for its signature.</noscript></p>
<p id="status" role="status" aria-live="polite"></p>`
  const unpayable = '<p id="none">This page cannot pay these terms. A program can: see below.</p>'
  return document(
    `${text.host} asks for a payment`,
    text.title,
    `${note(text.note)}
${price(text.prices)}
<dl><dt>Paid to</dt><dd>${address(payTo)}</dd><dt>Network</dt><dd>${escapeText(networkName)}${badge}</dd><dt>Network fee</dt><dd>none for you, the seller pays it</dd></dl>
<h2>What happens</h2>
<ol><li>${first}</li><li>${second}</li><li>${third}</li></ol>
${data.terms.length > 0 ? wallet : unpayable}
<details><summary>For programs</summary><p>This address speaks x402, versions 1 and 2: the terms are in the header <code>PAYMENT-REQUIRED</code>, the payment goes into <code>PAYMENT-SIGNATURE</code>.</p><p><code>${escapeText(text.url)}</code></p></details>`,
    `<script type="application/json" id="data">${json(data)}</script>
<script type="module">${PAGE_SCRIPT}</script>${data.testWallet === undefined ? '' : `\n<script type="module">${TEST_WALLET_SCRIPT}</script>`}`,
  )
}

/** A page that only tells. */
export function notePage(host: string, what: Note, again: string): string {
  const label = what.tone === 'wait' ? 'Look again now' : 'Back to the offer'
  const link = `<p><a class="button" href="${escapeText(again)}">${label}</a></p>`
  return document(host, what.title, `${note(what)}\n${link}`, '')
}

const STEPS = {
  upfront: [
    'Your wallet shows this payment. Nothing moves before you confirm it there.',
    'You pay before delivery: the seller sends the payment to the network and waits for it, about a second.',
    'What you bought opens here. A reload in the next minutes shows it again and costs nothing.',
  ],
  authorization: [
    'Your wallet shows this payment. Nothing moves before you confirm it there.',
    'The seller does the work first, and then sends the payment to the network.',
    'What you bought opens here once it is paid. If the work fails, nothing is paid.',
  ],
} as const

function document(host: string, title: string, body: string, scripts: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex"><title>Payment: ${escapeText(title)}</title><style>${STYLE}</style></head>
<body><main><div class="card"><p class="host">${escapeText(host)}</p><h1>${escapeText(title)}</h1>
${body}
</div></main>
${scripts}
</body></html>
`
}

function price(prices: readonly string[]): string {
  const [only = ''] = prices
  if (prices.length > 1) {
    const choices = prices.map(
      (each, i) =>
        `<label><input type="radio" name="terms" value="${i}"${i === 0 ? ' checked' : ''}>${escapeText(each)}</label>`,
    )
    return `<fieldset><legend>Choose what you pay</legend>${choices.join('')}</fieldset>`
  }
  const [amount = '', ...unit] = only.split(' ')
  return `<p class="price">${escapeText(amount)} <small>${escapeText(unit.join(' '))}</small></p>`
}

/** In parts of equal length, so that a narrow screen breaks it between them. */
function address(text: string): string {
  const parts = text.match(/.{1,22}/gs) ?? []
  return `<code>${parts.map((part) => `<b>${escapeText(part)}</b>`).join('')}</code>`
}

function note(what: Note | undefined): string {
  if (what === undefined) return ''
  const named = what.transaction === undefined ? '' : `<p>Transaction ${address(what.transaction)}</p>`
  const lines = what.lines.map((line) => `<p>${escapeText(line)}</p>`).join('') + named
  return `<div class="note${what.tone === 'wait' ? ' wait' : ''}" role="alert">${lines}</div>`
}

/** For element content and quoted attributes. */
function escapeText(text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => `&#${character.charCodeAt(0)};`)
}

/** JSON inside a script element: no `<` may open a tag or a comment there. */
function json(data: PageData): string {
  return writeJson(data).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

function hashOf(text: string): string {
  return `'sha256-${createHash('sha256').update(text).digest('base64')}'`
}
