import { createHash } from 'node:crypto'
import { demoWallet } from '@aetherkit/devnet'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { buyer, merchant, openShop } from '../../test/shop.js'
import { readOffer } from '../codec/classify.js'
import { DEVNET, MAINNET } from '../network.js'
import { respond } from '../outcome.js'
import type { Offer, Resource } from '../requirement.js'
import { associatedAccount, keypairSigner, signerAddress } from '../solana.js'
import { TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from '../token.js'
import { associatedAccount as inBrowser } from './browser/address.js'
import { createPaymentPage, type PaymentPageOptions } from './page.js'

const RPC = 'http://127.0.0.1:1'
const BROWSER = { accept: 'text/html,application/xhtml+xml', 'user-agent': 'Mozilla/5.0 (X11; Linux)' }

const reader = (headers: Record<string, string>) => (name: string) => headers[name]
const request = (headers: Record<string, string>, method = 'GET', url = 'https://shop.example/paid?x=1') => ({
  method,
  url,
  header: reader(headers),
})
const open = (options: Partial<PaymentPageOptions> = {}) =>
  createPaymentPage({ rpcUrl: RPC, network: 'solana-devnet', ...options })

async function offerOf(resource: Partial<Resource> = {}): Promise<Offer> {
  const shop = openShop()
  const offer = await shop.gate.offer(shop.request(), shop.terms)
  return { ...offer, resource: { ...offer.resource, ...resource } }
}

const shown = async (resource: Partial<Resource> = {}) =>
  open().show(respond({ state: 'unpaid', offer: await offerOf(resource) }), request(BROWSER))

test('a browser gets a page that shows price, payee and network, with the terms in PAYMENT-REQUIRED', async () => {
  const answer = await shown({ description: 'A report' })
  const html = String(answer.body)
  expect(answer.status).toBe(402)
  expect(answer.headers['Content-Type']).toBe('text/html; charset=utf-8')
  for (const word of [
    'A report',
    '0.10 <small>USDC',
    merchant.slice(0, 16),
    'Solana devnet',
    'shop.example',
    'before delivery',
  ])
    expect(html).toContain(word)
  const header = (name: string) =>
    name === 'payment-required' ? answer.headers['PAYMENT-REQUIRED'] : undefined
  expect(readOffer(header, '')).toMatchObject({ ok: true, dialect: 'v2' })
})

test('the whole page is smaller than 60 kB and loads nothing', async () => {
  const html = String((await shown()).body)
  expect(new TextEncoder().encode(html).length).toBeLessThan(60_000)
  expect(html).not.toMatch(/(?:src|href)="?https?:|@import|url\(/)
})

test('the policy of the page admits its own script and style by their hashes, and nothing else', async () => {
  const answer = await shown()
  const html = String(answer.body)
  const policy = answer.headers['Content-Security-Policy'] ?? ''
  const inline = [
    ...html.matchAll(/<script type="module">(.*?)<\/script>/gs),
    ...html.matchAll(/<style>(.*?)<\/style>/gs),
  ]
  expect(inline.length).toBe(2)
  for (const [, text = ''] of inline)
    expect(policy).toContain(`'sha256-${createHash('sha256').update(text).digest('base64')}'`)
  expect(policy).toContain("default-src 'none'")
  expect(policy).not.toContain('unsafe')
})

const HOSTILE = [
  '<script>alert(1)</script>',
  '</script><script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</title><svg/onload=alert(1)>',
  '<!--<script>',
  '</style><b onclick=alert(1)>',
  '&lt;script&gt;',
  `\`$\{alert(1)}\``,
  '\u2028alert(1)\u2029',
  'javascript:alert(1)',
  '<iframe srcdoc="<script>alert(1)</script>">',
]

/** Tags of a page, without what is inside scripts and styles. */
const tags = (html: string) =>
  [...html.replace(/(<(script|style)[^>]*>).*?<\/\2>/gs, '$1').matchAll(/<[a-z!/][^>]*>/gi)].map(
    ([tag]) => tag,
  )

test.each(HOSTILE)('%j in title, description or url is text and never markup', async (text) => {
  const harmless = tags(String((await shown({ description: 'x', url: 'https://shop.example/x' })).body))
  for (const resource of [
    { description: text },
    { description: 'x', url: `https://shop.example/${text}` },
    { description: 'x', serviceName: text },
  ]) {
    expect(tags(String((await shown(resource)).body))).toEqual(harmless)
  }
  const told = (url: string) => {
    const answer = respond({ state: 'unavailable', reason: 'aetherkit_facilitator_unavailable' })
    return String(open().show(answer, request(BROWSER, 'GET', url)).body)
  }
  const bare = (html: string) => tags(html).map((tag) => tag.replace(/href="https:[^"]*"/, 'href'))
  expect(bare(told(`https://shop.example/${encodeURIComponent(text)}?${encodeURIComponent(text)}`))).toEqual(
    bare(told('https://shop.example/x')),
  )
  expect(bare(told(`https://shop.example//evil.example/${text}?${text}`))).toEqual(
    bare(told('https://shop.example/x')),
  )
})

test('data in the page is JSON that no text can leave', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'binary' }), async (description) => {
      const html = String((await shown({ description })).body)
      const [, data = ''] = /<script type="application\/json" id="data">(.*?)<\/script>/s.exec(html) ?? []
      expect(data).not.toMatch(/[<>&]/)
      expect(JSON.parse(data)).toMatchObject({ network: DEVNET, chain: 'solana:devnet' })
    }),
    { numRuns: 50 },
  )
})

test.each([
  ['a program', { accept: '*/*', 'user-agent': 'node' }, 'GET'],
  ['a program that takes HTML', { accept: 'text/html', 'user-agent': 'curl/8' }, 'GET'],
  ['a script in a browser', { ...BROWSER, accept: 'application/json' }, 'GET'],
  ['a form', BROWSER, 'POST'],
])('%s gets the JSON of every buyer', async (_who, headers, method) => {
  const answer = respond({ state: 'unpaid', offer: await offerOf() })
  expect(open().show(answer, request(headers, method))).toBe(answer)
})

test('a page of the seller replaces ours, and undefined does not', async () => {
  const answer = respond({ state: 'unpaid', offer: await offerOf() })
  const own = open({ html: (_answer, offer) => (offer.accepts.length > 1 ? undefined : '<h1>mine</h1>') })
  expect(own.show(answer, request(BROWSER)).body).toBe('<h1>mine</h1>')
  expect(own.show(answer, request(BROWSER)).headers['PAYMENT-REQUIRED']).toBeDefined()
  expect(open({ html: () => undefined }).show(answer, request(BROWSER)).body).toContain('<!doctype html>')
})

test('terms of another network are shown and not paid in the page', async () => {
  const answer = respond({ state: 'unpaid', offer: await offerOf() })
  const html = String(open({ network: MAINNET }).show(answer, request(BROWSER)).body)
  expect(html).toContain('This page cannot pay these terms')
  expect(html).toContain('Solana devnet')
})

const receipt = { success: false, transaction: '5h'.padEnd(88, '1'), network: DEVNET } as const
test('every outcome is told in words; what is not decided comes again with the same payment', async () => {
  const offer = await offerOf()
  const cookie = { ...BROWSER, cookie: 'a=b; aetherkit-payment=eyJ4' }
  const told = (answer: Parameters<typeof respond>[0]) => {
    const { headers, body, status } = open().show(respond(answer), request(cookie))
    const isDropped = headers['Set-Cookie'] === 'aetherkit-payment=; Path=/paid; Max-Age=0; SameSite=Strict'
    return { status, again: headers.Refresh, isDropped, html: String(body) }
  }
  expect(told({ state: 'rejected', offer, reason: 'insufficient_funds' })).toMatchObject({
    status: 402,
    again: undefined,
    isDropped: true,
    html: expect.stringContaining('does not hold the amount'),
  })
  expect(told({ state: 'rejected', offer, reason: 'aetherkit_binding_invalid' }).html).not.toContain(
    'role="alert"',
  )
  expect(told({ state: 'failed', offer, reason: 'aetherkit_dead', receipt })).toMatchObject({
    isDropped: true,
    html: expect.stringContaining('nothing was paid'),
  })
  expect(told({ state: 'unknown', receipt })).toMatchObject({
    status: 503,
    again: '2',
    isDropped: false,
    html: expect.stringContaining(receipt.transaction.slice(0, 16)),
  })
  expect(told({ state: 'conflict', reason: 'aetherkit_in_flight', receipt })).toMatchObject({
    again: '2',
    isDropped: false,
  })
  expect(told({ state: 'conflict', reason: 'aetherkit_already_used', receipt })).toMatchObject({
    status: 409,
    again: undefined,
    isDropped: true,
    html: expect.stringContaining('href="https://shop.example/paid?x=1"'),
  })
  expect(told({ state: 'malformed', reason: 'aetherkit_malformed_payment' })).toMatchObject({
    status: 400,
    isDropped: true,
  })
})

test('a payment in the cookie is read for a navigation only, and never before a header', () => {
  const page = open()
  const cookie = 'theme=dark; aetherkit-payment=abc=; other=1'
  expect(page.read(reader({ ...BROWSER, cookie }))('x-payment')).toBe('abc=')
  expect(page.read(reader({ ...BROWSER, cookie }))('cookie')).toBe(cookie)
  expect(page.read(reader({ ...BROWSER, cookie, 'x-payment': 'own' }))('x-payment')).toBe('own')
  expect(page.read(reader({ ...BROWSER, cookie, 'payment-signature': 'own' }))('x-payment')).toBeUndefined()
  expect(page.read(reader({ cookie, accept: '*/*' }))('x-payment')).toBeUndefined()
  expect(page.read(reader({ ...BROWSER, cookie: 'aetherkit-payment=' }))('x-payment')).toBeUndefined()
})

const asking = (answer: unknown) => {
  const asked: unknown[] = []
  const page = open({
    fetch: async (_url, init) => {
      asked.push(JSON.parse(String(init.body)))
      return new Response(JSON.stringify(answer))
    },
  })
  const ask = (question: string, method = 'GET') => page.ask(request({ 'x-aetherkit-rpc': question }, method))
  return { asked, ask }
}

test.each([
  '["sendTransaction","AA=="]',
  '["requestAirdrop","4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU"]',
  '["getLatestBlockhash",{"commitment":"finalized"}]',
  '["getTokenAccountBalance","not an address"]',
  '["getTokenAccountBalance","4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU",{}]',
  '{"method":"getLatestBlockhash"}',
  'getLatestBlockhash',
  `["getLatestBlockhash"${' '.repeat(300)}]`,
])('the way to the node is closed for %s: method_not_allowed', async (question) => {
  const { ask, asked } = asking({ result: 1 })
  const answer = await ask(question)
  expect([answer?.status, answer?.body]).toEqual([403, '{"error":"method_not_allowed"}'])
  expect(asked).toEqual([])
})

test('the two questions of the page pass with parameters of ours', async () => {
  const { ask, asked } = asking({ result: { value: { blockhash: 'x' } } })
  expect(await ask('["getLatestBlockhash"]')).toMatchObject({
    status: 200,
    body: '{"result":{"value":{"blockhash":"x"}}}',
    headers: { 'Cache-Control': 'no-store' },
  })
  await ask('["getTokenAccountBalance","4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU"]')
  const confirmed = { commitment: 'confirmed' }
  expect(asked).toMatchObject([
    { method: 'getLatestBlockhash', params: [confirmed] },
    { method: 'getTokenAccountBalance', params: ['4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU', confirmed] },
  ])
  expect(await ask('["getLatestBlockhash"]', 'POST')).toBeUndefined()
})

test('a missing account is null, a node that is away 502, and too many questions 429', async () => {
  const missing = asking({ error: { code: -32602, message: 'could not find account' } })
  expect(await missing.ask('["getLatestBlockhash"]')).toMatchObject({ status: 200, body: '{"result":null}' })
  const broken = asking('nonsense')
  expect(await broken.ask('["getLatestBlockhash"]')).toMatchObject({ status: 502 })
  const answers = await Promise.all(Array.from({ length: 40 }, () => missing.ask('["getLatestBlockhash"]')))
  expect(answers.at(-1)).toMatchObject({ status: 429, body: '{"error":"aetherkit_rate_limited"}' })
})

test('a test wallet is a demo key of a local chain, or demo_key', () => {
  const { secretKey } = demoWallet('buyer')
  const refused = expect.objectContaining({ code: 'demo_key' })
  expect(() => open({ testWallet: secretKey, rpcUrl: 'https://api.devnet.solana.com' })).toThrow(refused)
  expect(() => open({ testWallet: crypto.getRandomValues(new Uint8Array(32)) })).toThrow(refused)
  expect(() => open({ testWallet: secretKey })).not.toThrow()
  expect(() => open({ network: 'base' })).toThrow(expect.objectContaining({ code: 'unknown_network' }))
})

test('the script finds the same token accounts as the library', async () => {
  for (let i = 0; i < 25; i++) {
    const owner = signerAddress(keypairSigner(crypto.getRandomValues(new Uint8Array(32))))
    const program = i % 2 === 0 ? TOKEN_PROGRAM : TOKEN_2022_PROGRAM
    const mint = signerAddress(buyer)
    expect(await inBrowser(owner, program, mint)).toBe(associatedAccount(owner, program, mint))
  }
})
