/** core and client are for browsers too: they bundle without a Node builtin, and work in Chromium. */
import { createServer } from 'node:http'
import { builtinModules } from 'node:module'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { connect } from '@aetherkit/client'
import { createRelay } from '@aetherkit/relay'
import { build, type Plugin } from 'esbuild'
import { expect, onTestFinished, test } from 'vitest'
import { CHROMIUM, hasBrowser, openBrowser } from './chromium.js'

/** Notes and leaves out every import of a Node builtin, so that the test can name them all. */
function builtins(found: string[]): Plugin {
  const names = new Set(builtinModules)
  return {
    name: 'builtins',
    setup({ onResolve }) {
      onResolve({ filter: /.*/ }, ({ path, importer }) => {
        if (!path.startsWith('node:') && !names.has(path)) return undefined
        found.push(`${path} from ${importer}`)
        return { path, external: true }
      })
    },
  }
}

async function bundle(entry: string, found: string[]): Promise<string> {
  const result = await build({
    entryPoints: [fileURLToPath(new URL(entry, import.meta.url))],
    bundle: true,
    write: false,
    platform: 'browser',
    format: 'esm',
    target: 'es2022',
    logLevel: 'silent',
    plugins: [builtins(found)],
  })
  return result.outputFiles[0]?.text ?? ''
}

test('core and client bundle for a browser without a Node builtin', async () => {
  const found: string[] = []
  const code = await bundle('browser/agent.ts', found)
  expect(found).toEqual([])
  expect(code.length).toBeGreaterThan(10_000)
})

test('an agent in Chromium signs, verifies, publishes, receives, calls and is called', {
  timeout: 60_000,
}, async (ctx) => {
  if (!hasBrowser) ctx.skip(`no Chromium at ${CHROMIUM}: set CHROMIUM_PATH`)
  const relay = await createRelay()
  onTestFinished(() => relay.close())
  const peer = await connect(relay.url)
  onTestFinished(() => peer.close())
  await peer.publish({ kind: 1, content: 'stored before the browser came' })
  peer.serve('ask-back', async (_, { from, signal }) => ({
    said: await peer.request(from, 'where', null, { signal }),
  }))

  const page = await openPage(await bundle('browser/agent.ts', []))
  const report = await page.evaluate(
    `runAgent(${JSON.stringify(relay.url)}, ${JSON.stringify(peer.publicKey)})`,
  )
  expect(report).toEqual({
    verified: true,
    forged: 'id_mismatch',
    published: 'stored',
    received: ['stored before the browser came', 'signed in a browser'],
    answer: { said: 'browser' },
  })
  const [event] = await peer.query({ kinds: [1], limit: 1 })
  expect(event?.text).toBe('signed in a browser')
})

/** A page on loopback, which browsers treat as secure, with the code as its module. */
async function openPage(code: string) {
  const server = createServer(({ url }, response) => {
    const isCode = url === '/agent.js'
    response.writeHead(200, { 'content-type': isCode ? 'text/javascript' : 'text/html' })
    response.end(
      isCode ? code : '<!doctype html><title>agent</title><script type="module" src="/agent.js"></script>',
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  const browser = await openBrowser()
  const page = await browser.newPage()
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  await page.waitForFunction('typeof runAgent === "function"')
  return page
}
