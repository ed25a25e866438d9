/** The binary `aether-relay` as a stranger meets it. */
import type { ChildProcess } from 'node:child_process'
import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { createClock, generateSecretKey, signEvent, writeMessage } from '@aetherkit/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { RawPeer } from '../test/raw-peer.js'
import { RelayProcess } from '../test/relay-process.js'
import { temporaryFolder } from '../test/temporary-folder.js'

const key = generateSecretKey()
const clock = createClock()
const publish = (content: string, kind = 1) =>
  writeMessage({ type: 'publish', event: signEvent({ kind, content, createdAt: clock() }, key) })

let folder: string
const children: ChildProcess[] = []
beforeEach(() => {
  folder = temporaryFolder('main')
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

class Run extends RelayProcess {
  constructor(...args: string[]) {
    super(folder, args)
    children.push(this.child)
  }
}

describe('flags', () => {
  test('--help explains every flag and exit code, --version is the one of the package', async () => {
    const help = new Run('--help')
    expect(await help.exit).toBe(0)
    for (const flag of [
      '--ws-host',
      '--ws-port',
      '--storage ',
      '--storage-path',
      '--retention-ns',
      '--max-size',
      '--pow-difficulty',
      '--rate-limit-capacity',
      '--rate-limit-per-sec',
      '--verify-workers',
      'Exit codes',
    ])
      expect(help.out).toContain(flag)
    const version = new Run('--version')
    expect(await version.exit).toBe(0)
    expect(version.out).toMatch(/^\d+\.\d+\.\d+\n$/)
  })

  test.each([
    ['--nope'],
    ['extra'],
    ['--ws-port', '70000'],
    ['--ws-port', '-1'],
    ['--ws-port', '0x10'],
    ['--storage', 'rocksdb'],
    ['--retention-ns', 'soon'],
    ['--pow-difficulty', '257'],
    ['--max-size', '0'],
    ['--rate-limit-capacity', 'lots'],
    ['--verify-workers', '0'],
    ['--storage-path'],
  ])('a bad flag ends with code 2 and one line: %s %s', async (...args) => {
    const run = new Run(...args)
    expect(await run.exit).toBe(2)
    expect(run.err).toMatch(/^aether-relay: [^\n]+--help\)\n$/)
    expect(run.out).toBe('')
  })
})

test('a taken port ends with code 3 and one line that names it', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => taken.once('listening', resolve))
  const address = taken.address()
  const port = String(typeof address === 'object' && address !== null ? address.port : 0)
  const run = new Run('--storage', 'memory', '--ws-port', port)
  expect(await run.exit).toBe(3)
  expect(run.err).toMatch(/^aether-relay: [^\n]+\n$/)
  expect(run.err).toContain(port)
  taken.close()
})

test('a path that cannot be written, and one another relay has open, end with code 4 and one line that names it', async () => {
  writeFileSync(join(folder, 'file'), '')
  for (const storage of ['lmdb', 'sqlite']) {
    const run = new Run('--ws-port', '0', '--storage', storage, '--storage-path', 'file/sub')
    expect(await run.exit).toBe(4)
    expect(run.err).toMatch(/^aether-relay: [^\n]*file\/sub[^\n]*\n$/)
  }
  const first = new Run('--ws-port', '0')
  await first.port()
  const second = new Run('--ws-port', '0')
  expect(await second.exit).toBe(4)
  expect(second.err).toMatch(/^aether-relay: [^\n]+data[^\n]+\n$/)
})

test('keeps its data and its key under ./data, for itself alone, and has both again after a restart', async () => {
  const first = new Run('--ws-port', '0')
  const peer = await RawPeer.connect(await first.port())
  expect((await peer.ask(publish('kept'))).status).toBe('stored')
  const info = await (await fetch(`http://127.0.0.1:${await first.port()}/v1/info`)).json()
  first.child.kill('SIGTERM')
  expect(await first.exit).toBe(0)
  expect(readdirSync(join(folder, 'data'))).toContain('relay.key')
  expect(statSync(join(folder, 'data', 'relay.key')).mode & 0o777).toBe(0o600)

  const again = new Run('--ws-port', '0')
  const reader = await RawPeer.connect(await again.port())
  await reader.ask({ type: 'subscribe', sub_id: 'a', filters: [{ limit: 5 }] })
  expect((await reader.hearJson()).event).toMatchObject({ content: 'kept' })
  const same = await (await fetch(`http://127.0.0.1:${await again.port()}/v1/info`)).json()
  expect(same).toEqual(info)
})

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s: answers what is in flight, ends subscriptions, closes with 1001, exits with 0',
  async (signal) => {
    const run = new Run('--ws-port', '0')
    const port = await run.port()
    const [author, reader] = [await RawPeer.connect(port), await RawPeer.connect(port)]
    await reader.ask({ type: 'subscribe', sub_id: 'a', filters: [{}] })
    for (let i = 0; i < 200; i++) author.say(publish(`${i}`))
    await author.hearJson()
    run.child.kill(signal)
    const answers = []
    for (;;) {
      const answer = await author.hearJson().catch(() => undefined)
      if (answer === undefined) break
      answers.push(answer.status ?? answer.code)
    }
    expect(answers).toHaveLength(199)
    expect(answers.filter((answer) => answer !== 'stored' && answer !== 'going_away')).toEqual([])
    expect((await author.closed).code).toBe(1001)
    expect((await reader.closed).code).toBe(1001)
    expect(reader.heard.map(({ payload }) => JSON.parse(payload.toString()).type).at(-1)).toBe('closed')
    expect(await run.exit).toBe(0)
  },
)

test('settings take effect and show in the info document', async () => {
  const flags = ['--max-size', '300', '--pow-difficulty', '4', '--retention-ns', '3600000000000']
  const rate = ['--rate-limit-capacity', '1', '--rate-limit-per-sec', '1', '--verify-workers', '1']
  const run = new Run('--ws-port', '0', '--storage', 'sqlite', '--storage-path', 'x/my.db', ...flags, ...rate)
  const port = await run.port()
  expect(readdirSync(join(folder, 'x')).sort()).toEqual(expect.arrayContaining(['my.db', 'relay.key']))
  const info = await (await fetch(`http://127.0.0.1:${port}/v1/info`)).json()
  expect(info).toMatchObject({
    pow_difficulty: 4,
    retention_ns: '3600000000000',
    limits: { max_event_size: 300 },
  })
  const peer = await RawPeer.connect(port)
  expect((await peer.ask(publish('x'.repeat(400)))).code).toBe('too_large')
  const codes = new Set<unknown>()
  while (!codes.has('pow_required') || !codes.has('rate_limited')) {
    const answer = await peer.ask(publish(`${codes.size}`))
    codes.add(answer.status ?? answer.code)
  }
})

test('the log names connects and refusals, never payloads, and stays bounded under 10,000 refusals', async () => {
  const run = new Run('--ws-port', '0', '--storage', 'memory')
  const peer = await RawPeer.connect(await run.port())
  for (let i = 0; i < 10_000; i++) peer.say('{"type":"publish","event":"SECRET\\nPAYLOAD"}')
  for (let i = 0; i < 10_000; i++) expect((await peer.hearJson()).code).toBe('invalid_message')
  await peer.close()
  run.child.kill('SIGTERM')
  await run.exit
  expect(run.out).not.toContain('SECRET')
  const lines = run.out.trim().split('\n')
  expect(lines.length).toBeLessThan(1000)
  const messages = lines.map((line) => JSON.parse(line).msg)
  for (const message of ['listening', 'connected', 'rejected', 'disconnected'])
    expect(messages).toContain(message)
})
