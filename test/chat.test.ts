/** The chat page in Chromium: `useChat` over a relay goes on after a reload (spec frameworks 7.3, 5). */
import { serveAgent } from '@aetherkit/ai-sdk/a2a'
import { createRelay } from '@aetherkit/relay'
import { expect, onTestFinished, test } from 'vitest'
import { createWaiter } from '../examples/chat/agent.js'
import { servePage } from '../examples/chat/serve-page.js'
import { CHROMIUM, hasBrowser, openBrowser } from './chromium.js'

/** A folder for screenshots, for whoever wants to look. */
const { SCREENSHOTS } = process.env
if (!hasBrowser) console.warn(`skipped: no Chromium at ${CHROMIUM}, set CHROMIUM_PATH`)

async function openPage() {
  const relay = await createRelay()
  onTestFinished(() => relay.close())
  const served = await serveAgent(createWaiter({ wordMs: 40 }), {
    a2a: { card: { name: 'Waiter', description: 'Chats and books tables' } },
    aether: { relays: relay.url, key: crypto.getRandomValues(new Uint8Array(32)) },
  })
  onTestFinished(() => served.close())
  const site = await servePage({ relay: relay.url, agent: served.publicKey ?? '', name: 'Waiter' })
  onTestFinished(() => site.close())
  const browser = await openBrowser()
  const page = await browser.newPage({ viewport: { width: 900, height: 720 } })
  const faults: string[] = []
  page.on('pageerror', (error) => faults.push(String(error)))
  page.on('console', (line) => line.type() === 'error' && faults.push(line.text()))
  await page.goto(site.url)
  const said = (role: 'user' | 'assistant') => page.locator(`article[data-role="${role}"]`).allInnerTexts()
  const shoot = async (name: string) => {
    if (SCREENSHOTS !== undefined) await page.screenshot({ path: `${SCREENSHOTS}/${name}.png` })
  }
  const send = async (text: string) => {
    await page.getByLabel('Message').fill(text)
    await page.getByRole('button', { name: 'Send' }).click()
  }
  const ready = () => page.locator('main[data-status="ready"]').waitFor()
  return { page, faults, said, shoot, send, ready }
}

test.skipIf(!hasBrowser)(
  'a reload in mid-answer shows the whole answer and goes on, once',
  { timeout: 60_000 },
  async () => {
    const { page, faults, said, shoot, send, ready } = await openPage()
    await shoot('chat-empty')
    await send('What is special about you?')
    await page.getByText('addressed by').waitFor()
    await shoot('chat-streaming')
    expect((await said('assistant'))[0]).not.toContain('I will ask you first')
    await page.reload()
    await page.getByText('addressed by').waitFor()
    expect(await said('user')).toEqual(['What is special about you?'])
    expect((await said('assistant'))[0]).toMatch(/^Good evening!/)
    await page.getByText('I will ask you first.').waitFor()
    await ready()
    const [answer, ...more] = await said('assistant')
    expect(more).toEqual([])
    expect(answer?.match(/Good evening/g)).toHaveLength(1)
    expect(answer?.match(/I will ask you first\./g)).toHaveLength(1)
    await shoot('chat-resumed')
    await page.reload()
    await page.getByText('I will ask you first.').waitFor()
    expect(await said('assistant')).toEqual([answer])
    expect(faults).toEqual([])
  },
)

test.skipIf(!hasBrowser)(
  'a tool asks in the page, also after a reload, and runs when approved',
  { timeout: 60_000 },
  async () => {
    const { page, faults, said, shoot, send, ready } = await openPage()
    await send('Book a table for two at eight')
    await page.getByRole('button', { name: 'Approve' }).waitFor()
    await page.reload()
    await page.getByRole('button', { name: 'Approve' }).waitFor()
    await shoot('chat-approval')
    await page.getByRole('button', { name: 'Approve' }).click()
    await page.getByText('table 7 is yours').waitFor()
    await ready()
    expect(await page.locator('.tool').getAttribute('data-state')).toBe('output-available')
    expect(await said('assistant')).toHaveLength(1)
    await shoot('chat-approved')
    expect(faults).toEqual([])
  },
)
