/** Settings by flag, environment and file, and SIGHUP on a relay at work. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type JsonObject, writeMessage } from '@aetherkit/core'
import { createRelay } from '@aetherkit/relay'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { RawPeer } from '../test/raw-peer.js'
import { RelayProcess } from '../test/relay-process.js'
import { createAuthor } from '../test/signing.js'
import { temporaryFolder } from '../test/temporary-folder.js'
import { readCommandLine } from './options.js'
import { difference } from './reload.js'

const author = createAuthor()
const publish = (fields = {}) => writeMessage({ type: 'publish', event: author.sign(fields) })

let folder: string
let file: string
const children: RelayProcess[] = []
beforeEach(() => {
  folder = temporaryFolder('config')
  file = join(folder, 'relay.json')
})
afterEach(() => {
  for (const { child } of children.splice(0)) child.kill('SIGKILL')
})

const write = (settings: unknown) =>
  writeFileSync(file, typeof settings === 'string' ? settings : JSON.stringify(settings))

function run(args: readonly string[], environment: Readonly<Record<string, string>> = {}): RelayProcess {
  const child = new RelayProcess(folder, args, environment)
  children.push(child)
  return child
}

function read(
  settings: unknown,
  args: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
) {
  write(settings)
  const command = readCommandLine(['--config', file, ...args], environment)
  if (typeof command === 'string') throw new Error(command)
  return command
}

describe('where a setting comes from', () => {
  test('a flag wins over the environment, the environment over the file, the file over the default', () => {
    const settings = { 'ws-port': 1, 'http-port': 1, 'max-size': 1000 }
    const environment = { AETHER_RELAY_WS_PORT: '2', AETHER_RELAY_HTTP_PORT: '2' }
    const command = read(settings, ['--ws-port', '3'], environment)
    expect([command.port, command.httpPort, command.maxSize, command.httpWsPort]).toEqual([3, 2, 1000, 8082])
  })

  test('lists: a list in the file, commas in the environment, several flags; the layers are not mixed', () => {
    const settings = { 'http-origin': ['https://a', 'https://b'] }
    expect(read(settings).httpOrigins).toEqual(['https://a', 'https://b'])
    expect(read(settings, [], { AETHER_RELAY_HTTP_ORIGIN: 'https://c, https://d' }).httpOrigins).toEqual([
      'https://c',
      'https://d',
    ])
    expect(read(settings, ['--http-origin', 'https://e']).httpOrigins).toEqual(['https://e'])
  })

  test('AETHER_RELAY_CONFIG names the file, an empty variable is none', () => {
    write({ 'ws-port': 7 })
    const command = readCommandLine([], { AETHER_RELAY_CONFIG: file, AETHER_RELAY_STORAGE: '' })
    expect(command).toMatchObject({ port: 7, storage: 'lmdb' })
  })

  test.each<[settings: unknown, environment: Record<string, string>, message: RegExp]>([
    [{ 'ws-port': 'x' }, {}, /^ws-port in .*relay\.json must be an integer from 0 to 65535, got "x"$/],
    [{ 'ws-port': true }, {}, /^ws-port in .*relay\.json must be a text or a number, got true$/],
    [
      {},
      { AETHER_RELAY_WS_PORT: '70000' },
      /^AETHER_RELAY_WS_PORT must be an integer from 0 to 65535, got "70000"$/,
    ],
    [{}, { AETHER_RELAY_WSPORT: '1' }, /^AETHER_RELAY_WSPORT is no setting$/],
    [{ 'ws-prot': 1 }, {}, /^ws-prot in .*relay\.json is no setting$/],
    [{ help: true }, {}, /^help in .*relay\.json is no setting$/],
    [{ storage: 'rocksdb' }, {}, /^storage in .*relay\.json must be lmdb, sqlite or memory, got "rocksdb"$/],
    [{ 'log-level': 'loud' }, {}, /^log-level in .*relay\.json must be one of .*, got "loud"$/],
    [{ 'tls-cert': 'x' }, {}, /^tls-cert in .*relay\.json needs --tls-key beside it$/],
    ['{', {}, /^.*relay\.json is no configuration: /],
    ['[]', {}, /^.*relay\.json must be an object, got \[\]$/],
    [{ limits: { maxFilters: 0 } }, {}, /^limits\.maxFilters in .*relay\.json must be an integer from 1 to /],
    [{ limits: { maxFilter: 1 } }, {}, /^limits\.maxFilter in .*relay\.json is no setting: there are /],
    [
      { limits: { event: { maxSize: 1e9 } } },
      {},
      /^limits\.event\.maxSize in .* must be an integer from 1 to /,
    ],
    [{ policies: [] }, {}, /^policies in .*relay\.json must be an object, got \[\]$/],
    [{ policies: { allowKinds: [1, 'x'] } }, {}, /^policies\.allowKinds in .* must be a list of kinds like /],
    [{ policies: { blockKinds: [[9, 1]] } }, {}, /^policies\.blockKinds in .* must be a list of kinds like /],
    [
      { policies: { blockPubkeys: ['zz'] } },
      {},
      /^policies\.blockPubkeys in .*: a public key must be 64 hex digits/,
    ],
    [
      { policies: { blockAddresses: ['10.0.0.0/99'] } },
      {},
      /^policies\.blockAddresses in .*: an address must be/,
    ],
    [
      { policies: { rates: [{ by: 'moon' }] } },
      {},
      /^policies\.rates\[0\]\.by in .* must be one of ip, connection/,
    ],
    [
      { policies: { rates: [{ perSecond: -1 }] } },
      {},
      /^policies\.rates\[0\]\.perSecond in .* must be a positive/,
    ],
    [
      { policies: { work: { bits: 300 } } },
      {},
      /^policies\.work\.bits in .* must be an integer from 0 to 256/,
    ],
    [
      { policies: { shapes: [{ maxTags: 1, nope: 1 }] } },
      {},
      /^policies\.shapes\[0\]\.nope in .* is no setting/,
    ],
    [{ policies: { plugin: { command: [] } } }, {}, /^policies\.plugin\.command in .* must name a program/],
    [{ retention: [{ kinds: [1, 1] }] }, {}, /^retention in .*relay\.json: retention\[0\] needs one of /],
    [{ capabilities: { owner: 'me' } }, {}, /^capabilities\.owner in .* must be 64 hex digits, got "me"$/],
  ])('%j with %j is refused, naming the key and where it stands', (settings, environment, message) => {
    expect(() => read(settings, [], environment)).toThrow(expect.objectContaining({ name: 'FlagError' }))
    expect(() => read(settings, [], environment)).toThrow(message)
  })

  test('the file in the README is one', () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
    const files = [...readme.matchAll(/```json\n(\{[\s\S]*?\})\n```/g)].flatMap(([, text]) => text ?? [])
    expect(files.length).toBeGreaterThan(1)
    for (const text of files) {
      const settings = text.replace('<hex key of who issues>', 'ab'.repeat(32))
      expect(read(JSON.parse(settings)).file.policies.policies().length).toBeGreaterThan(0)
    }
  })

  test('--print-config prints the settings in effect, which are a file themselves; bad ones end with code 2', async () => {
    write({ 'ws-port': 5, policies: { maxFutureSeconds: 9 }, limits: { maxFilters: 3 } })
    const printed = run(['--config', file, '--print-config', '--storage', 'memory'], {
      AETHER_RELAY_LOG_LEVEL: 'warn',
    })
    expect(await printed.exit).toBe(0)
    const settings = JSON.parse(printed.out)
    expect(settings).toMatchObject({
      'ws-port': '5',
      storage: 'memory',
      'log-level': 'warn',
      policies: { maxFutureSeconds: 9 },
      limits: { maxFilters: 3 },
    })
    const again = read(settings)
    expect([again.port, again.storage, again.file.limits]).toEqual([5, 'memory', { maxFilters: 3 }])
    const bad = run(['--config', file], { AETHER_RELAY_HTTP_PORT: 'x' })
    expect(await bad.exit).toBe(2)
    expect(bad.err).toMatch(/^aether-relay: AETHER_RELAY_HTTP_PORT must be [^\n]*\n$/)
  })
})

test('the difference names what changed by key, and what of it needs a restart', () => {
  const before = read({
    'ws-port': 1,
    limits: { maxFilters: 3, maxFrame: 5 },
    policies: { maxFutureSeconds: 9 },
  })
  const after = read({
    limits: { maxFilters: 4, maxFrame: 6 },
    'retention-ns': '5',
    'tls-cert': 'a',
    'tls-key': 'b',
  })
  const { changed, needsRestart } = difference(before.effective, after.effective)
  expect(changed).toEqual([
    { key: 'limits.maxFilters', from: 3, to: 4 },
    { key: 'policies.maxFutureSeconds', from: 9, to: null },
    { key: 'retention-ns', from: null, to: '5' },
  ])
  expect(needsRestart.map(({ key }) => key)).toEqual(['ws-port', 'limits.maxFrame', 'tls-cert', 'tls-key'])
})

test('a relay takes changes while it runs, and refuses those it cannot take as a whole', async () => {
  const relay = await createRelay({ verifyWorkers: 1 })
  const peer = await RawPeer.connect(relay.port)
  await expect(relay.reload({ limits: { maxFilters: 1, maxFrame: 5 } })).rejects.toThrow(RangeError)
  await expect(relay.reload({ limits: { maxFilters: 1 }, retention: [{ kinds: [1, 1] }] })).rejects.toThrow(
    TypeError,
  )
  const filters = [{ limit: 0 }, { limit: 0 }]
  expect((await peer.ask({ type: 'subscribe', sub_id: 'a', filters })).type).not.toBe('error')
  await relay.reload({ limits: { maxFilters: 1 }, origins: ['https://good.example'], retentionNs: 1n })
  const other = await RawPeer.connect(relay.port)
  expect((await other.ask({ type: 'subscribe', sub_id: 'a', filters })).code).toBe('limit_exceeded')
  const headers = ['Origin: https://bad.example']
  await expect(RawPeer.connect(relay.port, { headers })).rejects.toThrow('403')
  await relay.reload({ origins: 'all', retentionNs: 'off' })
  await (await RawPeer.connect(relay.port, { headers })).close()
  expect(relay.info).toMatchObject({ limits: { max_filters: 1 }, retention_ns: null })
  await relay.close()
})

test('SIGHUP on a relay at work: policies, limits, origins, retention and log level change, ports do not', async () => {
  const base = { 'ws-port': 0, storage: 'memory', gateway: 'http', 'http-port': 0, 'http-ws-port': 0 }
  write(base)
  const child = run(['--config', file])
  const port = await child.port()
  const peer = await RawPeer.connect(port)
  const say = async (fields = {}) => {
    const answer = await peer.ask(publish(fields))
    return answer.status ?? answer.code
  }
  expect(await say({ kind: 7 })).toBe('stored')

  write({
    ...base,
    'ws-port': 1,
    'log-level': 'warn',
    'ws-origin': ['https://good.example'],
    'http-origin': 'https://page.example',
    'retention-ns': '3600000000000',
    limits: { maxFilters: 2, maxFrame: 4096 },
    policies: { blockKinds: [7], shapes: [{ maxContent: 5 }] },
    retention: [{ kinds: [9, 9], maxCount: 3 }],
  })
  child.child.kill('SIGHUP')
  const reloaded = await child.line('reloaded')
  const keys = (value: unknown) =>
    Array.isArray(value) ? value.map(({ key }: JsonObject) => key).sort() : value
  expect(keys(reloaded.changed)).toEqual([
    'http-origin',
    'limits.maxFilters',
    'log-level',
    'policies.blockKinds',
    'policies.shapes',
    'retention',
    'retention-ns',
    'ws-origin',
  ])
  expect(keys(reloaded.needs_restart)).toEqual(['limits.maxFrame', 'ws-port'])
  expect(await say({ kind: 7 })).toBe('kind_unsupported')
  expect(await say({ content: '123456' })).toBe('too_large')
  expect(await say({ content: '12345' })).toBe('stored')
  const http = await child.httpPort()
  const answer = await fetch(`http://127.0.0.1:${http}/v1/info`, {
    headers: { origin: 'https://page.example' },
  })
  expect(answer.headers.get('access-control-allow-origin')).toBe('https://page.example')
  expect(await answer.json()).toMatchObject({
    limits: { max_filters: 2, max_frame: 1024 * 1024 },
    blocked_kinds: [7],
    retention_ns: '3600000000000',
    retention: [{ kinds: [[9, 9]], count: 3 }],
  })
  await expect(RawPeer.connect(port, { headers: ['Origin: https://bad.example'] })).rejects.toThrow('403')

  write('{"policies":{"nope":1}}')
  child.child.kill('SIGHUP')
  expect((await child.line('not reloaded')).error).toMatch(/^policies\.nope in .*relay\.json is no setting/)
  expect(await say({ kind: 7 })).toBe('kind_unsupported')

  write(base)
  child.child.kill('SIGHUP')
  const back = await child.line('reloaded', 2)
  expect(back.needs_restart).toEqual([])
  expect(keys(back.changed)).toContain('policies.blockKinds')
  expect(await say({ kind: 7, content: 'long enough' })).toBe('stored')
  expect((await (await fetch(`http://127.0.0.1:${http}/v1/info`)).json()).limits.max_filters).toBe(32)
  child.child.kill('SIGTERM')
  expect(await child.exit).toBe(0)
})

test('SIGHUP keeps the buckets of rate limits that did not change, and takes a policy plugin anew', async () => {
  const plugin = join(folder, 'plugin.mjs')
  const answer = (action: string) =>
    writeFileSync(
      plugin,
      `import { createInterface } from 'node:readline'
      createInterface({ input: process.stdin }).on('line', (line) =>
        console.log(JSON.stringify({ id: JSON.parse(line).event.id, action: '${action}' })))`,
    )
  answer('accept')
  const settings = {
    'ws-port': 0,
    storage: 'memory',
    policies: {
      rates: [{ by: 'pubkey', capacity: 3, perSecond: 0.0001 }],
      plugin: { command: [process.execPath, plugin], timeoutMs: 30_000 },
    },
  }
  write(settings)
  const child = run(['--config', file])
  const peer = await RawPeer.connect(await child.port())
  const say = async () => {
    const said = await peer.ask(publish())
    return said.status ?? said.code
  }
  expect(await say()).toBe('stored')
  answer('reject')
  child.child.kill('SIGHUP')
  expect(await child.line('reloaded')).toMatchObject({ changed: [], needs_restart: [] })
  expect([await say(), await say(), await say()]).toEqual(['blocked', 'blocked', 'rate_limited'])
})
