/** `aether serve`, `request` and `discover`: an agent from a program or a module. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateSecretKey, publicKeyOf, toHex, writePublicKey } from '@aetherkit/core'
import { expect, test, vi } from 'vitest'
import { aether, folder, Run, relay, secretKey } from '../test/world.js'
import { EXIT } from './exit.js'

vi.setConfig({ testTimeout: 180_000 })

const env = { AETHER_SECRET_KEY: toHex(secretKey) }
const agent = publicKeyOf(secretKey)

async function serve(url: string, ...args: string[]): Promise<Run> {
  const run = new Run(['serve', ...args], { relay: url, env })
  await run.lines(1)
  return run
}

/** A program of Node, so that it is the same everywhere. */
function script(text: string): [string, string] {
  const path = join(folder(), 'agent.mjs')
  writeFileSync(path, text)
  return [process.execPath, path]
}

const READ = `let input = ''; for await (const chunk of process.stdin) input += chunk;`

test('a program answers calls: payload in, answer out, exit code as an error', async () => {
  const { url } = await relay()
  const program = script(`${READ}
    const payload = JSON.parse(input)
    if (payload.fail) { console.error('a secret of mine'); process.exit(payload.fail) }
    const { AETHER_ACTION, AETHER_CALLER, AETHER_SECRET_KEY } = process.env
    console.log(JSON.stringify({ payload, AETHER_ACTION, AETHER_CALLER, key: AETHER_SECRET_KEY ?? null }))`)
  const run = await serve(url, 'greet', '--json', '--', ...program)
  const caller = generateSecretKey()
  const as = { relay: url, env: { AETHER_SECRET_KEY: toHex(caller) } }
  const { code, out } = await aether(['request', agent, 'greet', '{"a":[1,"ü"]}', '--json'], as)
  expect(code).toBe(EXIT.ok)
  expect(JSON.parse(out)).toEqual({
    payload: { a: [1, 'ü'] },
    AETHER_ACTION: 'greet',
    AETHER_CALLER: publicKeyOf(caller),
    key: null,
  })
  const failed = await aether(['request', writePublicKey(agent), 'greet'], { ...as, input: '{"fail":7}' })
  expect(failed.code).toBe(EXIT.peer)
  expect(failed.err).toContain('EXIT_7')
  expect(failed.err).not.toContain('secret')
  expect((await aether(['request', agent, 'other', 'null'], as)).err).toContain('UNKNOWN_ACTION')
  run.child.kill('SIGINT')
  const served = await run.done
  expect(served.code).toBe(EXIT.interrupted)
  const records = served.out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(records.map(({ type, code: said }) => [type, said])).toEqual([
    ['ready', undefined],
    ['call', 'OK'],
    ['call', 'EXIT_7'],
  ])
  expect(served.err).toContain('a secret of mine')
})

test('text stays text, and what is no JSON is the error of the agent', async () => {
  const { url } = await relay()
  const program = script(`${READ} process.stdout.write('hello ' + input)`)
  const text = await serve(url, 'greet', '--text', '--', ...program)
  const { out } = await aether(['request', agent, 'greet', '--text', 'Bob'], { relay: url })
  expect(out).toBe('hello Bob\n')
  expect((await aether(['request', agent, 'greet', '1'], { relay: url })).err).toContain('NOT_TEXT')
  text.child.kill('SIGINT')
  await text.done
  const json = await serve(url, 'greet', '--', ...program)
  expect((await aether(['request', agent, 'greet', '"x"'], { relay: url })).err).toContain('NOT_JSON')
  json.child.kill('SIGINT')
  expect((await json.done).err).toContain('--text')
})

test('a program ends with the deadline of its call, and with the agent', async () => {
  const { url } = await relay()
  const path = join(folder(), 'told')
  const program = script(`import { appendFileSync } from 'node:fs'
    const tell = (what) => appendFileSync(${JSON.stringify(path)}, what)
    process.on('SIGTERM', () => { tell('ended '); process.exit(0) })
    tell('begun ')
    setInterval(() => {}, 1000)`)
  const told = (what: string, count: number) =>
    vi.waitUntil(() => existsSync(path) && readFileSync(path, 'utf8').split(what).length > count, {
      timeout: 60_000,
    })
  const run = await serve(url, 'wait', '--', ...program)
  const late = await aether(['request', agent, 'wait', 'null', '-t', '8s'], { relay: url })
  expect(late.code).toBe(EXIT.timeout)
  await told('ended', 1)
  const pending = new Run(['request', agent, 'wait', 'null', '-t', '100s'], { relay: url })
  pending.child.stdin.end()
  await told('begun', 2)
  run.child.kill('SIGINT')
  expect((await run.done).code).toBe(EXIT.interrupted)
  await told('ended', 2)
  pending.child.kill('SIGINT')
  expect((await pending.done).code).toBe(EXIT.interrupted)
})

test('a module answers, only those it is for are served, and the agent can be found', async () => {
  const { url } = await relay()
  const path = join(folder(), 'agent.mjs')
  writeFileSync(
    path,
    'export const add = ([a, b]) => a + b\nexport default () => { throw new Error("mine") }',
  )
  const caller = generateSecretKey()
  const as = { relay: url, env: { AETHER_SECRET_KEY: toHex(caller) } }
  const run = await serve(
    url,
    'add',
    '--module',
    path,
    '--only',
    publicKeyOf(caller),
    '--name',
    'Ada\u001b[2J',
  )
  expect((await aether(['request', agent, 'add', '[1,2]'], as)).out).toBe('3\n')
  expect((await aether(['request', agent, 'add', '["a","b"]', '--json'], as)).out).toBe('"ab"\n')
  expect((await aether(['request', agent, 'add', '[1,2]'], { relay: url })).err).toContain('FORBIDDEN')
  const found = await aether(['discover', 'add', '--json'], { relay: url })
  expect(JSON.parse(found.out)).toEqual({
    publicKey: agent,
    name: 'Ada\u001b[2J',
    capabilities: [{ name: 'add' }],
  })
  const text = await aether(['discover', '--agent', agent], { relay: url })
  expect(text.out).toContain('Ada\\x1b[2J')
  expect(text.out).toContain(agent)
  const none = await aether(['discover', 'nothing'], { relay: url })
  expect({ code: none.code, out: none.out }).toEqual({ code: EXIT.ok, out: '' })
  run.child.kill('SIGINT')
  await run.done
  const other = await serve(url, 'other', '--module', path)
  const failed = await aether(['request', agent, 'other', 'null'], { relay: url })
  expect(failed.err).toContain('PEER_ERROR')
  expect(failed.err).not.toContain('mine')
  other.child.kill('SIGINT')
  expect((await other.done).err).toContain('mine')
  const nothing = await aether(['serve', 'x', '--module', join(folder(), 'none.mjs')], { relay: url, env })
  expect(nothing.code).toBe(EXIT.usage)
})
