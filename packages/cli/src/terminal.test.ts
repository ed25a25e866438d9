/** What is for terminals comes on a real one, and nowhere else: bars, colours, spelled control characters, Ctrl-C. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from '@aetherkit/client'
import { toHex } from '@aetherkit/core'
import { openMemoryStore, type StoredEvent } from '@aetherkit/relay'
import { describe, expect, vi, test as vitest } from 'vitest'
import { agent } from '../test/agents.js'
import { NO_TERMINAL, type OnTerminal, onTerminal } from '../test/terminal.js'
import { event, folder, relay, secretKey } from '../test/world.js'
import { EXIT } from './exit.js'

vi.setConfig({ testTimeout: 180_000 })

if (NO_TERMINAL !== undefined) console.warn(`terminal.test.ts ${NO_TERMINAL}`)
const test = (name: string, body: () => Promise<void>) =>
  vitest(name, ({ skip }) => (NO_TERMINAL === undefined ? body() : skip(NO_TERMINAL)))

const ESCAPE = '\u001b'
const COUNT = 900
const both = { tty: ['out', 'err'] } as const

async function filled(): Promise<string> {
  const store = openMemoryStore()
  const events = Array.from({ length: COUNT }, (_, i) => event(`${i}`))
  await store.put(events.map((each, i): StoredEvent => ({ seq: BigInt(i + 1), event: each })))
  return (await relay({ store })).url
}

/** What is on the screen in the end: bars draw over themselves, and clear what they drew. */
function screen({ tty }: OnTerminal): string {
  return tty
    .split('\r\n')
    .map((line) => line.split(`${ESCAPE}[2K`).at(-1))
    .join('\n')
}

describe('export and import', () => {
  test('draw how far they are on a terminal, and leave it clean', async () => {
    const url = await filled()
    const to = join(folder(), 'all.ndjson')
    const out = await onTerminal(['export', '--to', to, '--page', '300'], { relay: url })
    expect(out.code).toBe(EXIT.ok)
    expect(out.tty).toContain(`${COUNT} events, back to 20`)
    expect(screen(out)).toBe(`${COUNT} events exported to ${to}\n`)
    const into = await onTerminal(['import', to], { relay: (await relay()).url, env: { NO_COLOR: '1' } })
    expect(into.tty).toMatch(/\.{30} 0% /)
    expect(into.tty).toMatch(/#{30} 100% {2}900 lines/)
    expect(screen(into)).toBe(`${COUNT} lines: ${COUNT} stored\n`)
    // Lines are cut at the edge while a bar is drawn, and wrap again behind it.
    for (const { tty } of [out, into])
      expect(tty.lastIndexOf(`${ESCAPE}[?7h`)).toBeGreaterThan(tty.lastIndexOf(`${ESCAPE}[?7l`))
  })

  test('draw nothing where standard error is no terminal, or a dumb one', async () => {
    const url = await filled()
    const to = join(folder(), 'all.ndjson')
    const piped = await onTerminal(['export', '--to', to], { relay: url, tty: ['out'] })
    expect(piped).toMatchObject({ tty: `${COUNT} events exported to ${to}\r\n`, err: '' })
    const dumb = await onTerminal(['import', to], { relay: url, env: { TERM: 'dumb' }, ...both })
    expect(dumb.tty).toBe(`${COUNT} lines: ${COUNT} duplicate\r\n`)
  })

  test('draw on standard error while the lines go down a pipe; among lines on the terminal nothing is drawn', async () => {
    const url = await filled()
    const pipe = await onTerminal(['export', '--page', '300'], { relay: url, tty: ['err'] })
    expect(pipe.out.split('\n')).toHaveLength(COUNT + 1)
    expect(pipe.out).not.toContain(ESCAPE)
    expect(pipe.tty).toContain(`${ESCAPE}[2K`)
    expect(screen(pipe)).toBe(`aether: ${COUNT} events exported\n`)
    const seen = await onTerminal(['export', '--limit', '3'], { relay: url, ...both })
    expect(seen.tty).not.toContain(ESCAPE)
  })

  test('ended by Ctrl-C leave a terminal that wraps its lines', async () => {
    const url = await filled()
    const cursor = join(folder(), 'cursor')
    const args = ['export', '--to', join(folder(), 'x'), '--cursor', cursor, '--page', '1']
    const { code, tty } = await onTerminal(args, { relay: url, keys: [['events, back to', '\u0003']] })
    expect(code).toBe(EXIT.interrupted)
    expect(tty.lastIndexOf(`${ESCAPE}[?7h`)).toBeGreaterThan(tty.lastIndexOf(`${ESCAPE}[?7l`))
    expect(JSON.parse(readFileSync(cursor, 'utf8')).events).toBeGreaterThan(0)
  })
})

describe('colours', () => {
  test('are for a terminal, unless NO_COLOR or TERM=dumb says otherwise', async () => {
    const url = await filled()
    const args = ['query', '--limit', '1']
    const colours = new RegExp(`^(${ESCAPE}\\[\\d+m[^${ESCAPE}]+${ESCAPE}\\[0m {2}){3}`)
    expect((await onTerminal(args, { relay: url, ...both })).tty).toMatch(colours)
    for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }])
      expect((await onTerminal(args, { relay: url, env, ...both })).tty).not.toContain(ESCAPE)
    expect((await onTerminal(args, { relay: url, env: { NO_COLOR: '' }, ...both })).tty).toMatch(colours)
    const { out } = await onTerminal(args, { relay: url, tty: ['in', 'err'] })
    expect(out).toMatch(/^20.+\n$/)
    expect(out).not.toContain(ESCAPE)
    expect((await onTerminal([...args, '--json'], { relay: url, ...both })).tty).not.toContain(ESCAPE)
  })
})

test('text of strangers reaches a pipe byte for byte, and a terminal spelled out', async () => {
  const { url } = await agent()
  const args = ['request', url, 'a\u001b[2Jb']
  const { tty } = await onTerminal(args)
  expect(tty).toContain('\r\na\\x1b[2Jb\r\n')
  expect(tty).not.toContain(ESCAPE)
  expect((await onTerminal(args, { tty: ['err'] })).out).toBe('a\u001b[2Jb\n')
  const client = await connect((await relay()).url, { signer: secretKey })
  const served = client.serve('greet', () => `x${ESCAPE}[2J`)
  await served.ready
  const called = await onTerminal(['request', client.publicKey, 'greet', 'null'], {
    relay: client.connected[0] ?? '',
  })
  expect(called.tty).toBe('x\\x1b[2J\r\n')
  await client.close()
})

test('nothing is read from a terminal: what is missing is said', async () => {
  const { url } = await relay()
  const env = { AETHER_SECRET_KEY: toHex(secretKey) }
  for (const args of [['pub'], ['import'], ['request', 'http://127.0.0.1:1/']]) {
    const { code, tty } = await onTerminal(args, { relay: url, env })
    expect(code).toBe(EXIT.usage)
    expect(tty).toMatch(/^aether: nothing to [^\n]+\r\n$/)
  }
})

test('Ctrl-C ends a subscription and an agent', async () => {
  const url = await filled()
  const sub = await onTerminal(['sub', '--stored', '--limit', '1'], { relay: url, keys: [['899', '\u0003']] })
  expect(sub.code).toBe(EXIT.interrupted)
  const env = { AETHER_SECRET_KEY: toHex(secretKey) }
  const served = await onTerminal(['serve', 'x', '--', 'cat'], {
    relay: url,
    env,
    keys: [['served as', '\u0003']],
  })
  expect(served.code).toBe(EXIT.interrupted)
})
