/** `aether sub --mailbox`: what came while nobody listened, each event until its line is out. */
import { connect } from '@aetherkit/client'
import { publicKeyOf, toHex } from '@aetherkit/core'
import { expect, test, vi } from 'vitest'
import { aether, later, Run, relay, secretKey } from '../test/world.js'
import { EXIT } from './exit.js'

vi.setConfig({ testTimeout: 180_000 })

const env = { AETHER_SECRET_KEY: toHex(secretKey) }
const me = publicKeyOf(secretKey)

async function sender(url: string): Promise<(...contents: readonly string[]) => Promise<void>> {
  const client = await connect(url)
  later(() => client.close())
  return async (...contents) => {
    for (const content of contents) await client.publish({ kind: 1, content, tags: [['p', me]] })
  }
}

const contents = (out: string): string[] =>
  out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line).content)

test('a mailbox has what came while nobody listened, and each event once', async () => {
  const { url } = await relay()
  const send = await sender(url)
  const args = ['sub', '--mailbox', 'inbox', '--json']
  await send('1', '2', '3')
  const first = await aether([...args, '--count', '2'], { relay: url, env })
  expect({ code: first.code, out: contents(first.out) }).toEqual({ code: EXIT.ok, out: ['1', '2'] })
  await send('4')
  const run = new Run(args, { relay: url, env })
  await run.lines(2)
  await send('5')
  await run.lines(3)
  run.child.kill('SIGINT')
  const second = await run.done
  expect({ code: second.code, out: contents(second.out) }).toEqual({
    code: EXIT.interrupted,
    out: ['3', '4', '5'],
  })
  await send('6')
  expect(contents((await aether([...args, '--count', '1'], { relay: url, env })).out)).toEqual(['6'])
})

test('after kill -9 nothing is lost', async () => {
  const { url } = await relay()
  const send = await sender(url)
  const args = ['sub', '--mailbox', 'inbox', '--json']
  const all = Array.from({ length: 60 }, (_, i) => String(i))
  await send(...all.slice(0, 40))
  const seen: string[] = []
  for (const upTo of [10, 5]) {
    const run = new Run(args, { relay: url, env })
    await run.lines(upTo)
    run.child.kill('SIGKILL')
    seen.push(...contents((await run.done).out))
  }
  await send(...all.slice(40))
  const run = new Run(args, { relay: url, env })
  await vi.waitUntil(() => new Set([...seen, ...contents(run.out)]).size === all.length, { timeout: 100_000 })
  run.child.kill('SIGINT')
  expect((await run.done).code).toBe(EXIT.interrupted)
  const rest = await aether([...args, '--forget'], { relay: url, env })
  expect(rest).toEqual({ code: EXIT.ok, out: '', err: '' })
})

test('a mailbox that is forgotten begins anew; one that is narrowed has no more than that', async () => {
  const { url } = await relay()
  const send = await sender(url)
  await send('a', 'b')
  const at = { relay: url, env }
  const args = ['sub', '--mailbox', 'm', '--count', '2', '--json']
  expect(contents((await aether(args, at)).out)).toEqual(['a', 'b'])
  expect((await aether(['sub', '--mailbox', 'm', '--forget'], at)).code).toBe(EXIT.ok)
  expect(contents((await aether(args, at)).out)).toEqual(['a', 'b'])
  const narrow = new Run(['sub', '--mailbox', 'n', '--kind', '7', '--json', '--count', '1'], at)
  await aether(['pub', 'seven', '--kind', '7', '--tag', `p=${me}`], at)
  expect(contents((await narrow.done).out)).toEqual(['seven'])
})

test.each([
  [['sub', '--mailbox', 'm'], {}],
  [['sub', '--mailbox', 'no such name'], env],
  [['sub', '--mailbox', 'm', '--stored'], env],
  [['sub', '--mailbox', 'm', '--limit', '1'], env],
  [['sub', '--forget'], env],
])('%j is wrong use', async (args, own) => {
  const { url } = await relay()
  const { code, out, err } = await aether(args, { relay: url, env: own })
  expect({ code, out }).toEqual({ code: EXIT.usage, out: '' })
  expect(err).toMatch(/^aether: [^\n]+\n$/)
})
