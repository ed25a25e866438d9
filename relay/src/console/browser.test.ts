/** The console in a real browser: an operator signs in, looks, filters, and sends; no other host is contacted. */
import { existsSync } from 'node:fs'
import { createRelay, type Relay } from '@aetherkit/relay'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { createAuthor } from '../../test/signing.js'

// A browser on a busy machine: what is waited for may come late, and what hangs ends all the same.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 })
const PATIENCE_MS = 120_000

const ADMIN_TOKEN = 'correct-horse-battery'
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
const HOSTILE = '<script>window.hacked = 1</script><img src=x onerror="window.hacked = 1">'

const hasBrowser = existsSync(CHROMIUM)
if (!hasBrowser) console.warn(`skipped: no Chromium at ${CHROMIUM}, set CHROMIUM_PATH`)

describe.skipIf(!hasBrowser)('in Chromium', () => {
  let browser: Browser
  let relay: Relay
  const sockets: WebSocket[] = []
  const faults: string[] = []

  beforeAll(async () => {
    browser = await chromium.launch({
      ...{ executablePath: CHROMIUM, args: BROWSER_ARGS, timeout: PATIENCE_MS },
    })
    relay = await createRelay({
      verifyWorkers: 1,
      name: 'Relay <of> mine',
      http: { adminToken: ADMIN_TOKEN },
    })
  })
  afterAll(async () => {
    await browser?.close()
    await relay?.close()
  })
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close()
    for (const socket of sockets.splice(0)) socket.close()
    expect(faults.splice(0)).toEqual([])
  })

  const base = () => relay.http?.url ?? ''

  async function visit(options: Parameters<Browser['newPage']>[0] = {}): Promise<Page> {
    const page = await browser.newPage({ viewport: { width: 1360, height: 900 }, ...options })
    page.setDefaultTimeout(PATIENCE_MS)
    page.on('pageerror', (error) => faults.push(error.message))
    page.on('console', (message) => {
      // The browser reports refusals, which are what some of it is about, as failed loads.
      if (message.type() === 'error' && !/status of 40[01]/.test(message.text())) faults.push(message.text())
    })
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url())
      if (protocol !== 'data:' && origin !== base()) faults.push(`another host: ${request.url()}`)
    })
    await page.goto(base())
    return page
  }

  async function signIn(page: Page, token = ADMIN_TOKEN): Promise<void> {
    await page.getByLabel('Token').fill(token)
    await page.getByRole('button', { name: 'Open the console' }).click()
  }

  async function enter(options: Parameters<Browser['newPage']>[0] = {}): Promise<Page> {
    const page = await visit(options)
    await signIn(page)
    await page.locator('#connections').filter({ hasText: /\d/ }).waitFor()
    return page
  }

  async function subscribe(filter: object): Promise<void> {
    const socket = new WebSocket(relay.url)
    sockets.push(socket)
    await new Promise((resolve) => socket.once('open', resolve))
    const answered = new Promise((resolve) => socket.once('message', resolve))
    socket.send(JSON.stringify({ type: 'subscribe', sub_id: 'mine', filters: [filter] }))
    await answered
  }

  const row = (page: Page, text: string) => page.locator('#events li').filter({ hasText: text })
  const shoot = async (page: Page, name: string) => {
    if (SCREENSHOTS !== undefined)
      await page.screenshot({ path: `${SCREENSHOTS}/${name}.png`, fullPage: true })
  }

  test('a wrong token is refused; the right one is kept by the tab through a reload, until the sign-out', async () => {
    const page = await visit()
    await shoot(page, 'console-login')
    await signIn(page, 'not-the-admin-token')
    await page.getByText('This is not the admin token').waitFor()
    await signIn(page)
    await page.getByText('live', { exact: true }).waitFor()
    await page.reload()
    await page.getByText('live', { exact: true }).waitFor()
    const kept = () => page.evaluate(() => [{ ...sessionStorage }, { ...localStorage }, document.cookie])
    expect(await kept()).toEqual([{ 'aether-admin-token': ADMIN_TOKEN }, {}, ''])
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('Token').waitFor()
    expect(await kept()).toEqual([{}, {}, ''])
  })

  test('a live event appears, and hostile ones are text', async () => {
    const author = createAuthor()
    const page = await enter()
    await relay.publish(author.sign({ content: 'breaking news', tags: [['t', 'news']] }))
    await row(page, 'breaking news').waitFor()
    const hostile = author.sign({
      content: HOSTILE,
      tags: [
        ['t', HOSTILE],
        ['<b>', 'x'],
      ],
    })
    expect(await relay.publish(hostile)).toMatchObject({ ok: true })
    await relay.publish(
      author.sign({ kind: 0, content: JSON.stringify({ name: HOSTILE, description: HOSTILE }) }),
    )
    await page.locator('#agents').filter({ hasText: HOSTILE }).waitFor()
    expect(await page.locator(`#events li[data-id="${hostile.id}"] .text`).textContent()).toBe(HOSTILE)
    expect(await page.evaluate(() => 'hacked' in window)).toBe(false)
    expect(await page.locator('img, main script').count()).toBe(0)
    expect(await page.locator('#name').textContent()).toBe('Relay <of> mine')
  })

  test('filters by kind, author and tag hold for live and for stored events', async () => {
    const [ann, bob] = [createAuthor(), createAuthor()]
    const page = await enter()
    await relay.publish(ann.sign({ kind: 1234, content: 'ann stored' }))
    await row(page, 'ann stored').waitFor()
    const filter = async (name: string, value: string) => {
      await page.getByRole('button', { name: 'Clear' }).click()
      await page.locator('#filter').getByLabel(name).fill(value)
      await page.getByRole('button', { name: 'Filter' }).click()
    }
    /** Publishes what the filter lets through after what it does not: the latter is not there when the former is. */
    const passes = async (
      text: string,
      hidden: Parameters<typeof ann.sign>[0],
      seen: typeof hidden,
      by = ann,
    ) => {
      await relay.publish(bob.sign({ content: `not ${text}`, ...hidden }))
      await relay.publish(by.sign({ content: text, ...seen }))
      await row(page, text).waitFor()
      expect(await row(page, `not ${text}`).count()).toBe(0)
    }
    await filter('Kind', '1234, 1235')
    await passes('by kind', { kind: 1236 }, { kind: 1235 })
    expect(await row(page, 'ann stored').count()).toBe(1)
    await filter('Author', ann.sign().pubkey.slice(0, 11))
    await passes('by author', {}, {})
    await filter('Tag', 't=blue')
    await passes('by tag', { tags: [['t', 'red']] }, { tags: [['t', 'blue']] }, bob)
    expect(await row(page, 'ann stored').count()).toBe(0)
    await row(page, 'by tag').getByTitle('Only this kind').click()
    expect(await page.locator('#filter-kind').inputValue()).toBe('1')
    await filter('Author', 'zz')
    await page.getByText('No such filter').waitFor()
    await page.getByRole('button', { name: 'Clear' }).click()
    await row(page, 'ann stored').waitFor()
  })

  test('a test event is signed in the page, verified by the relay, and shown', async () => {
    const page = await enter()
    const form = page.locator('#send')
    await form.getByLabel('Content').fill('sent by hand')
    await form.getByLabel('Tag').fill('t=hand')
    await form.getByRole('button').click()
    await page.locator('#send-note').filter({ hasText: 'stored: ' }).waitFor()
    await row(page, 'sent by hand').filter({ hasText: 't=hand' }).waitFor()
    await form.getByLabel('Kind').fill('70000')
    await form.getByRole('button').click()
    await page.locator('#send-note[data-tone=bad]').waitFor()
  })

  test('connections, subscriptions, verdicts and agents are there at every width, dark and light', async () => {
    const author = createAuthor()
    await subscribe({ kinds: [5], '#t': ['x'] })
    await subscribe({ authors: ['ab'.repeat(32)] })
    const capabilities = [{ name: 'translate', description: 'any language' }, { name: 'summarize' }]
    await relay.publish(
      author.sign({
        kind: 0,
        content: JSON.stringify({ name: 'Babel', description: 'Translates.', capabilities }),
      }),
    )
    await relay.publish(
      author.sign({
        kind: 10_002,
        content: '{"invoice":"free","amount_msat":0}',
        tags: [
          ['c', 'translate'],
          ['c', 'summarize'],
        ],
      }),
    )
    await relay.publish({ ...author.sign(), id: '0'.repeat(64) })
    await relay.publish(author.sign({ content: new Uint8Array(300).fill(0xff) }))
    for (const [name, width, colorScheme] of [
      ['desktop-light', 1360, 'light'],
      ['desktop-dark', 1360, 'dark'],
      ['phone-light', 390, 'light'],
      ['phone-dark', 390, 'dark'],
    ] as const) {
      const page = await enter({ viewport: { width, height: width < 500 ? 844 : 900 }, colorScheme })
      await page.locator('#connection-list tr').filter({ hasText: 'native' }).first().waitFor()
      await page
        .locator('#subscription-list')
        .filter({ hasText: '[{"kinds":[5],"tags":{"t":["x"]}}]' })
        .waitFor()
      await page.locator('#verdicts tr').filter({ hasText: 'id_mismatch' }).waitFor()
      const agent = page.locator('#agents li').filter({ hasText: 'Babel' })
      for (const text of ['Translates.', 'translate', 'summarize', 'free'])
        await agent.filter({ hasText: text }).waitFor()
      const [wide, visible] = await page.evaluate(() => [document.body.scrollWidth, innerWidth])
      expect(wide).toBeLessThanOrEqual(visible ?? 0)
      await shoot(page, `console-${name}`)
      await page.context().close()
    }
  })

  test('a relay that goes away ends the stream, and the page says so and comes back by itself', async () => {
    const first = await createRelay({ verifyWorkers: 1, http: { adminToken: ADMIN_TOKEN } })
    const port = first.http?.port ?? 0
    const page = await browser.newPage()
    page.setDefaultTimeout(PATIENCE_MS)
    await page.goto(first.http?.url ?? '')
    await signIn(page)
    await page.getByText('live', { exact: true }).waitFor()
    await first.close()
    await page.getByText('connection lost, trying again').waitFor()
    const second = await createRelay({ verifyWorkers: 1, http: { port, adminToken: ADMIN_TOKEN } })
    await page.getByText('live', { exact: true }).waitFor()
    await page.close()
    await second.close()
  })
})
