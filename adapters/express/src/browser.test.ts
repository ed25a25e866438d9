/** The page in a real browser: a person buys with a wallet, on the local chain, with no other host contacted. */
import { existsSync } from 'node:fs'
import { createPaymentPage, keypairSigner, signerAddress } from '@aetherkit/payments'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { type Shop, VERSIONS } from '../test/shop.js'
import { useShops } from '../test/shops.js'

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const BROWSER_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
/** A folder for screenshots, for whoever wants to look. */
const { SCREENSHOTS } = process.env

const hasBrowser = existsSync(CHROMIUM)
if (!hasBrowser) console.warn(`skipped: no Chromium at ${CHROMIUM}, set CHROMIUM_PATH`)

describe.skipIf(!hasBrowser)('in Chromium', () => {
  const shops = useShops()
  let browser: Browser
  const faults: string[] = []

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: BROWSER_ARGS })
  })
  afterAll(() => browser?.close())
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close()
    expect(faults.splice(0)).toEqual([])
  })

  async function open(
    express: (typeof VERSIONS)[number][1] = VERSIONS[1][1],
    options: { readonly testWallet?: boolean; readonly confirmTimeoutMs?: number } = {},
  ): Promise<Shop> {
    const { testWallet, confirmTimeoutMs } = options
    const shop = await shops.on(express)({
      ...(confirmTimeoutMs !== undefined && { confirmTimeoutMs, gates: { watchEveryMs: 50, waitMs: 200 } }),
      page: createPaymentPage({
        rpcUrl: shops.devnet.rpcUrl,
        network: 'solana-devnet',
        ...(testWallet && { testWallet: shops.devnet.wallets.buyer.secretKey }),
      }),
    })
    shop.app.get(
      '/report',
      shop.paid({ price: '$0.10', description: 'Weather report for Cluj, the next seven days' }),
      (_request, response) => void response.send(`<h1>Sunny</h1><p>copy ${++shop.runs}</p>`),
    )
    return shop
  }

  async function visit(shop: Shop, path = '/report', width = 1280): Promise<Page> {
    const page = await browser.newPage({ viewport: { width, height: width < 500 ? 844 : 900 } })
    page.on('pageerror', (error) => faults.push(error.message))
    page.on('console', (message) => {
      // A 402 is what the page is about, and the browser asks for an icon of its own; both it reports as failed loads.
      const isExpected =
        /status of (?:402|409|503)/.test(message.text()) || message.location().url.endsWith('/favicon.ico')
      if (message.type() === 'error' && !isExpected) faults.push(message.text())
    })
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url())
      if (protocol !== 'data:' && origin !== shop.base) faults.push(`another host: ${request.url()}`)
    })
    await page.goto(shop.base + path)
    return page
  }

  const tokens = async (owner: string) => (await shops.devnet.tokensOf(owner)) ?? 0n
  const shoot = async (page: Page, name: string) => {
    if (SCREENSHOTS !== undefined)
      await page.screenshot({ path: `${SCREENSHOTS}/${name}.png`, fullPage: true })
  }

  /** A wallet by the standard, as an extension injects it: it signs outside of the page. */
  async function inject(page: Page, secretKey: Uint8Array, refuses = false): Promise<string> {
    const signer = keypairSigner(secretKey)
    const address = signerAddress(signer)
    if (!('secretKey' in signer)) throw new TypeError('a key pair expected')
    const key = await crypto.subtle.importKey(
      'pkcs8',
      Buffer.concat([
        Buffer.from('302e020100300506032b657004220420', 'hex'),
        signer.secretKey.subarray(0, 32),
      ]),
      'Ed25519',
      false,
      ['sign'],
    )
    await page.exposeFunction('signOutside', async (bytes: number[]) => {
      if (refuses) throw new Error('The user said no.')
      return [...new Uint8Array(await crypto.subtle.sign('Ed25519', key, Uint8Array.from(bytes)))]
    })
    await page.addInitScript(`
      const account = { address: ${JSON.stringify(address)}, chains: ['solana:devnet'], features: [] }
      const wallet = {
        version: '1.0.0', name: 'Injected', icon: 'data:image/svg+xml;base64,PHN2Zy8+', chains: ['solana:devnet'], accounts: [],
        features: {
          'standard:connect': { version: '1.0.0', connect: async () => ({ accounts: [account] }) },
          'solana:signTransaction': { version: '1.0.0', supportedTransactionVersions: ['legacy', 0],
            signTransaction: async ({ transaction }) => {
              const wire = Uint8Array.from(transaction)
              wire.set(await window.signOutside([...wire.slice(129)]), 65)
              return [{ signedTransaction: wire }]
            } },
        },
      }
      const register = ({ register }) => register(wallet)
      window.addEventListener('wallet-standard:app-ready', ({ detail }) => register(detail))
      window.dispatchEvent(new CustomEvent('wallet-standard:register-wallet', { detail: register }))
    `)
    await page.reload()
    return address
  }

  test.each(VERSIONS)(
    'on Express %s a person buys with an injected wallet, and a reload costs nothing',
    async (_version, express) => {
      const shop = await open(express)
      const page = await visit(shop)
      const address = await inject(page, shops.devnet.wallets.buyer.secretKey)
      const [had, earned] = [await tokens(address), await shop.earned()]
      await page.getByRole('button', { name: 'Pay with Injected' }).click()
      await page.getByRole('heading', { name: 'Sunny' }).waitFor()
      expect(await page.textContent('p')).toBe('copy 1')
      expect([had - (await tokens(address)), (await shop.earned()) - earned]).toEqual([100_000n, 100_000n])
      await page.reload()
      expect(await page.textContent('p')).toBe('copy 1')
      expect((await shop.earned()) - earned).toBe(100_000n)
      expect(shop.runs).toBe(1)
    },
  )

  test('in the demo a local test wallet pays, and what is bought may be anything', async () => {
    const shop = await open(undefined, { testWallet: true })
    shop.app.get(
      '/picture',
      shop.paid({ price: '$0.05', description: 'A picture' }),
      (_request, response) => {
        response.type('svg').send('<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>')
      },
    )
    const earned = await shop.earned()
    const page = await visit(shop, '/picture')
    await page.getByRole('button', { name: 'Pay with local test wallet' }).click()
    await page.locator('svg[width="10"]').waitFor({ state: 'attached' })
    expect((await shop.earned()) - earned).toBe(50_000n)
  })

  test.each([
    [1280, 'desktop'],
    [390, 'phone'],
  ])('at %i pixels the page shows what is asked and fits', async (width, name) => {
    const shop = await open(undefined, { testWallet: true })
    const page = await visit(shop, '/report', width)
    await page.getByRole('button', { name: 'Pay with local test wallet' }).waitFor()
    const text = await page.textContent('main')
    const { publicKey } = shops.devnet.wallets.merchant
    for (const word of [
      'Weather report for Cluj',
      '0.10',
      'USDC',
      publicKey,
      'Solana devnet',
      'What happens',
    ])
      expect(text).toContain(word)
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
    await shoot(page, name)
    await page.emulateMedia({ colorScheme: 'dark' })
    await shoot(page, `${name}-dark`)
  })

  test('a wallet that says no, or holds too little, is told in words and charges nothing', async () => {
    const shop = await open()
    const earned = await shop.earned()
    const refusing = await visit(shop, '/report', 390)
    await inject(refusing, shops.devnet.wallets.buyer.secretKey, true)
    await refusing.getByRole('button', { name: 'Pay with Injected' }).click()
    await expect.poll(() => refusing.textContent('#status')).toContain('The user said no.')
    await shoot(refusing, 'refused')
    const poor = await visit(shop)
    await inject(poor, crypto.getRandomValues(new Uint8Array(32)))
    await poor.getByRole('button', { name: 'Pay with Injected' }).click()
    await expect.poll(() => poor.textContent('#status')).toContain('This wallet holds 0 USDC: not enough.')
    expect(await shop.earned()).toBe(earned)
    expect(shop.runs).toBe(0)
  })

  test('without a wallet the page says so; terms that changed behind it are not paid', async () => {
    const shop = await open()
    let price = '$0.10'
    shop.app.get(
      '/moving',
      shop.paid({ price: () => price, description: 'A moving target' }),
      (_request, response) => {
        response.send(String(++shop.runs))
      },
    )
    const bare = await visit(shop, '/moving')
    expect(await bare.isVisible('#none')).toBe(true)
    await shoot(bare, 'no-wallet')
    const page = await visit(shop, '/moving')
    await inject(page, shops.devnet.wallets.buyer.secretKey)
    price = '$0.20'
    await page.getByRole('button', { name: 'Pay with Injected' }).click()
    await expect.poll(() => page.textContent('#status')).toContain('The seller has changed the terms.')
    expect(shop.runs).toBe(0)
  })

  test('a payment whose outcome is not known yet comes again by itself, and is served once it landed', async () => {
    const shop = await open(undefined, { testWallet: true, confirmTimeoutMs: 200 })
    const earned = await shop.earned()
    const page = await visit(shop, '/report', 390)
    shops.devnet.setOptions({ confirmDelayMs: 600_000 })
    await page.getByRole('button', { name: 'Pay with local test wallet' }).click()
    await page.getByText('on its way and not confirmed yet').waitFor()
    await shoot(page, 'waiting')
    shops.devnet.setOptions({ confirmDelayMs: 0 })
    await page.getByRole('heading', { name: 'Sunny' }).waitFor()
    expect((await shop.earned()) - earned).toBe(100_000n)
    expect(shop.runs).toBe(1)
  })

  test('a payment that was used up is told, and the way back leads to the offer', async () => {
    const shop = await open(undefined, { testWallet: true })
    shop.app.get(
      '/large',
      shop.paid({ price: '$0.10', description: 'A large file' }),
      (_request, response) => {
        shop.runs++
        response.type('html').send(`<h1>Large</h1>${'x'.repeat(300_000)}`)
      },
    )
    const page = await visit(shop, '/large')
    const opened = page.waitForEvent('load')
    await page.getByRole('button', { name: 'Pay with local test wallet' }).click()
    await opened
    expect(await page.textContent('h1')).toBe('Large')
    await page.reload()
    await page.getByText('This payment has been used already').waitFor()
    await shoot(page, 'used')
    await page.getByRole('link', { name: 'Back to the offer' }).click()
    await page.getByRole('button', { name: 'Pay with local test wallet' }).waitFor()
    expect(shop.runs).toBe(1)
  })

  test('hostile words run nothing in a browser', async () => {
    const shop = await open()
    const hostile = '</script><script>window.pwned=1</script><img src=x onerror="window.pwned=1">'
    shop.app.get('/hostile', shop.paid({ price: '$0.10', description: hostile }), (_request, response) => {
      response.end()
    })
    const page = await visit(
      shop,
      `/hostile?${encodeURIComponent(hostile)}&"><script>window.pwned=1</script>`,
    )
    expect(await page.textContent('h1')).toBe(hostile)
    expect(await page.evaluate('window.pwned')).toBeUndefined()
  })
})
