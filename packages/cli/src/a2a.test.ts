/** `aether request` and `discover` with A2A agents, over real sockets: what is printed where, and how it ends. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from '@aetherkit/client'
import { publicKeyOf, toHex, writePublicKey } from '@aetherkit/core'
import { describe, expect, test, vi } from 'vitest'
import { agent, oldAgent, parrot } from '../test/agents.js'
import { aether, folder, later, Run, relay, secretKey } from '../test/world.js'
import { EXIT } from './exit.js'

vi.setConfig({ testTimeout: 180_000 })

const records = (out: string) =>
  out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
const taskIn = (text: string): string => /task ([0-9a-f-]{36})/.exec(text)?.[1] ?? ''

describe('a message', () => {
  test.each([
    ['1.0', async () => (await agent()).url],
    ['0.3', oldAgent],
  ])(
    'to an agent of %s comes back: what it makes on standard output, the rest on standard error',
    async (_, open) => {
      const url = await open()
      const { code, out, err } = await aether(['request', url, 'hello \u001b'])
      expect({ code, out }).toEqual({ code: EXIT.ok, out: 'hello \u001b\n' })
      expect(err).toMatch(/^aether: task [0-9a-f-]{36}, context [0-9a-f-]{36}\n$/)
      expect((await aether(['request', url], { input: 'from a pipe' })).out).toBe('from a pipe\n')
      expect((await aether(['request', url, 'ask'])).code).toBe(EXIT.input)
      expect((await aether(['request', url, 'fail'])).code).toBe(EXIT.peer)
    },
  )

  test('is answered directly, or with the last words of the task', async () => {
    const { url } = await agent()
    expect(await aether(['request', url, 'reply'])).toEqual({ code: EXIT.ok, out: 'directly\n', err: '' })
    expect((await aether(['request', url, 'said'])).out).toBe('all done\n')
  })

  test('has text, data and files; parts of the answer each begin on a line', async () => {
    const { url } = await agent()
    const path = join(folder(), 'note.md')
    writeFileSync(path, 'file')
    const args = ['--data', '{"a":1}', '--data', '[2]', '--file', path, '--json']
    const { code, out } = await aether(['request', url, 'look', ...args])
    expect(code).toBe(EXIT.ok)
    expect(records(out).at(-1).task.artifacts[0].parts).toEqual([
      { text: 'look' },
      { data: { a: 1 } },
      { data: [2] },
      { raw: 'ZmlsZQ==', filename: 'note.md', mediaType: 'text/markdown' },
    ])
    expect((await aether(['request', url, 'mixed'])).out).toBe(
      'one\n{\n  "two": 2\n}\nhttps://three.example/\nfour\n',
    )
  })

  test('is answered as it is made, not at the end', async () => {
    let go = () => {}
    const gate = new Promise<void>((resolve) => {
      go = resolve
    })
    const { url } = await agent({ executor: parrot((nth) => (nth === 0 ? Promise.resolve() : gate)) })
    const run = new Run(['request', url, 'slow 3'])
    await vi.waitUntil(() => run.out === '0 ', { timeout: 100_000 })
    expect(run.err).toContain('working: counting')
    go()
    const { code, out } = await run.done
    expect({ code, out }).toEqual({ code: EXIT.ok, out: '0 1 2 \n' })
  })

  test('with --json is lines of JSON: each event as A2A writes it, the whole task at the end', async () => {
    const { url } = await agent()
    const { code, out } = await aether(['request', url, 'slow 2', '--json'])
    expect(code).toBe(EXIT.ok)
    const events = records(out)
    expect(Object.keys(events[0])).toEqual(['task'])
    expect(events.some((event) => 'artifactUpdate' in event)).toBe(true)
    expect(events.at(-1)).toMatchObject({
      task: { status: { state: 'TASK_STATE_COMPLETED' }, artifacts: [{ parts: [{ text: '0 1 ' }] }] },
    })
    expect(records((await aether(['request', url, 'reply', '--json'])).out)).toMatchObject([
      { message: { parts: [{ text: 'directly' }] } },
    ])
  })
})

describe('a task', () => {
  test('that asks ends with 8, the question on standard error; --task answers it, --context goes on', async () => {
    const { url } = await agent()
    const asked = await aether(['request', url, 'ask'])
    expect({ code: asked.code, out: asked.out }).toEqual({ code: EXIT.input, out: '' })
    expect(asked.err).toContain('aether: the agent asks: Which\\x1b[2J one?\n')
    const [, again = ''] = /answer with: (aether request .*) <text>\n/.exec(asked.err) ?? []
    const [, , ...words] = again.split(' ')
    const answered = await aether(['request', ...words, 'that one'])
    expect({ code: answered.code, out: answered.out }).toEqual({ code: EXIT.ok, out: 'that one\n' })
    const [, context = ''] = /context ([0-9a-f-]{36})/.exec(asked.err) ?? []
    const { out } = await aether(['request', url, 'more', '--context', context, '--json'])
    expect(records(out).at(-1).task.contextId).toBe(context)
    expect((await aether(['request', url, 'login'])).code).toBe(EXIT.input)
  })

  test('that fails ends with 6 and one line that drives no terminal', async () => {
    const { url } = await agent()
    expect((await aether(['request', url, 'fail'])).err).toMatch(
      /\naether: the task failed: I cannot\\x1b\[2J do that\n$/,
    )
    const { code, err } = await aether(['request', url, 'boom'])
    expect(code).toBe(EXIT.peer)
    expect(err).not.toContain('secret')
    const unknown = await aether(['request', url, 'x', '--task', 'nope'])
    expect(unknown).toMatchObject({ code: EXIT.peer, out: '' })
    expect(unknown.err).toContain('TASK_NOT_FOUND')
  })

  test('that goes on when the time is up can be followed and cancelled', async () => {
    const { url } = await agent()
    const late = new Run(['request', url, 'wait', '--timeout', '8s'])
    await vi.waitUntil(() => late.err.includes('working: waiting') || late.child.exitCode !== null, {
      timeout: 100_000,
    })
    const { code, err } = await late.done
    expect(code).toBe(EXIT.timeout)
    const id = taskIn(err)
    expect(err).toContain(`the task goes on: aether request ${url}/ --task ${id}`)
    const followed = new Run(['request', url, '--task', id, '--json'])
    await followed.lines(1)
    expect(await aether(['request', url, '--task', id, '--cancel'])).toEqual({
      code: EXIT.ok,
      out: `task ${id} is canceled\n`,
      err: '',
    })
    const { code: end, out } = await followed.done
    expect(end).toBe(EXIT.peer)
    expect(records(out).at(-1)).toMatchObject({ task: { id, status: { state: 'TASK_STATE_CANCELED' } } })
    const done = await aether(['request', url, 'words'])
    expect(await aether(['request', url, '--task', taskIn(done.err)])).toEqual({
      code: EXIT.ok,
      out: 'words\n',
      err: '',
    })
  })

  test('goes on behind SIGINT, and its reader learns how to find it', async () => {
    const { url } = await agent()
    const run = new Run(['request', url, 'wait'])
    await vi.waitUntil(() => run.err.includes('waiting'), { timeout: 100_000 })
    run.child.kill('SIGINT')
    const { code, err } = await run.done
    expect(code).toBe(EXIT.interrupted)
    expect(err).toContain(`--task ${taskIn(err)} (--cancel ends it)`)
  })
})

test('files of an agent are named, and with --save kept under harmless names, never over another', async () => {
  const { url } = await agent()
  const named = await aether(['request', url, 'file'])
  expect({ code: named.code, out: named.out }).toEqual({ code: EXIT.ok, out: '' })
  expect(named.err).toContain('../../.chart\\x1b.png (image/png, 4 bytes): --save <folder> keeps it')
  const to = join(folder(), 'new')
  for (let round = 0; round < 2; round++)
    expect((await aether(['request', url, 'file', '--save', to])).code).toBe(EXIT.ok)
  expect(readdirSync(to).sort()).toEqual(['chart_-2.png', 'chart_.png'])
  expect(readFileSync(join(to, 'chart_.png'), 'utf8')).toBe('four')
  const file = join(folder(), 'file')
  writeFileSync(file, '')
  expect((await aether(['request', url, 'file', '--save', join(file, 'x')])).code).toBe(EXIT.file)
})

describe('over the relays', () => {
  test('an agent is called by its key with --a2a, beside sealed calls of the same key', async () => {
    const { url } = await relay()
    const client = await connect(url, { signer: secretKey })
    later(() => client.close())
    const { agent: served } = await agent()
    const desk = served.serveOn(client)
    later(() => desk.close())
    await desk.ready
    client.serve('greet', (name) => `hello ${name}`)
    const key = publicKeyOf(secretKey)
    const at = { relay: url }
    expect((await aether(['request', writePublicKey(key), '--a2a', 'hi'], at)).out).toBe('hi\n')
    expect((await aether(['request', `aether:${key}`, 'slow 3'], at)).out).toBe('0 1 2 \n')
    const asked = await aether(['request', key, '--a2a', 'ask'], at)
    expect(asked.code).toBe(EXIT.input)
    expect(asked.err).toContain(`answer with: aether request aether:${key} --task ${taskIn(asked.err)}`)
    expect((await aether(['request', key, 'greet', '"Bob"'], at)).out).toBe('hello Bob\n')
    expect((await aether(['discover', `aether:${key}`], at)).out).toMatch(/^Parrot {2}1\.2\.0 /)
  })

  test('an agent that is not there is not waited for longer than --timeout: 5', async () => {
    const { url } = await relay()
    const nobody = publicKeyOf(secretKey)
    const { code, err } = await aether(['request', nobody, '--a2a', 'hi', '-t', '3s'], { relay: url })
    expect({ code, err }).toEqual({ code: EXIT.timeout, err: 'aether: no agent card in time\n' })
  })
})

test('an action of an agent that has them is signed with the key', async () => {
  const { url } = await agent({
    key: new Uint8Array(32).fill(7),
    dialect: { actions: { echo: {} } },
    executor: {
      execute: async ({ data, artifact }) => artifact({ parts: [{ data: { heard: data ?? null } }] }),
    },
  })
  const env = { AETHER_SECRET_KEY: toHex(secretKey) }
  const { code, out } = await aether(['request', url, 'echo', '{"word":"hi"}', '--json'], { env })
  expect(code).toBe(EXIT.ok)
  expect(out).toContain('"word":"hi"')
  expect((await aether(['request', url, 'other', '{}'], { env })).code).toBe(EXIT.peer)
  expect((await aether(['request', url, 'echo', '{}'])).code).toBe(EXIT.usage)
  expect((await aether(['request', url, 'two', 'words'], { env })).code).toBe(EXIT.usage)
})
