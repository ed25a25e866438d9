/** A policy in a process of its own, in two languages, over real sockets and with every way to fail. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeMessage } from '@aetherkit/core'
import { createRelay, type PluginOptions, pluginPolicy, type Relay, type RelayEvent } from '@aetherkit/relay'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { RawPeer } from '../../test/raw-peer.js'
import { createAuthor } from '../../test/signing.js'
import { temporaryFolder } from '../../test/temporary-folder.js'

// A busy machine may take its time, and Python its own.
vi.setConfig({ testTimeout: 60_000 })

const EXAMPLE = fileURLToPath(new URL('../../../examples/policy-plugin.py', import.meta.url))
const hasPython = spawnSync('python3', ['--version']).status === 0
const author = createAuthor()
const publish = (content: string, fields = {}) =>
  writeMessage({ type: 'publish', event: author.sign({ content, ...fields }) })

let folder: string
const relays: Relay[] = []
beforeEach(() => {
  folder = temporaryFolder('plugin')
})
afterEach(async () => {
  await Promise.all(relays.splice(0).map((relay) => relay.close()))
})

/** A plugin in Node: `answer` is the body of a function of the request and of `say`. */
function inNode(answer: string): PluginOptions['command'] {
  const file = join(folder, `plugin-${Math.random().toString(36).slice(2)}.mjs`)
  const lines = [
    "import { createInterface } from 'node:readline'",
    "import { appendFileSync, existsSync, writeFileSync } from 'node:fs'",
    "const say = (value) => process.stdout.write((typeof value === 'string' ? value : JSON.stringify(value)) + '\\n')",
    "const accept = (request) => say({ id: request.event.id, action: 'accept' })",
    `const folder = ${JSON.stringify(folder)}`,
    "createInterface({ input: process.stdin }).on('line', (line) => { const request = JSON.parse(line); answer(request) })",
    `function answer(request) { ${answer} }`,
  ]
  writeFileSync(file, lines.join('\n'))
  return [process.execPath, file]
}

async function start(options: PluginOptions): Promise<{ peer: RawPeer; port: number; events: RelayEvent[] }> {
  const events: RelayEvent[] = []
  const policy = pluginPolicy(options)
  const onEvent = (event: RelayEvent) => events.push(event)
  const relay = await createRelay({ verifyWorkers: 1, asyncPolicies: [policy], onEvent })
  relays.push(relay)
  return { peer: await RawPeer.connect(relay.port), port: relay.port, events }
}

test.skipIf(!hasPython)(
  'the example in Python: accepted is stored, shouting is blocked, a shadow is acked and neither stored nor delivered',
  async () => {
    const { peer, port } = await start({ command: ['python3', EXAMPLE], timeoutMs: 30_000 })
    const reader = await RawPeer.connect(port)
    await reader.ask({ type: 'subscribe', sub_id: 'live', filters: [{ limit: 0 }] })
    expect(await peer.ask(publish('good morning'))).toMatchObject({ type: 'ack', status: 'stored' })
    expect(await peer.ask(publish('GOOD MORNING'))).toMatchObject({
      code: 'blocked',
      error: 'blocked',
      detail: 'please do not shout',
    })
    const shadow = publish('a forbidden fruit')
    const acked = await peer.ask(shadow)
    expect(acked).toMatchObject({ type: 'ack', status: 'stored' })
    expect(acked.seq).toBeGreaterThan(0)
    expect((await peer.ask(shadow)).status).toBe('duplicate')
    expect((await peer.ask(publish('a forbidden fruit', { kind: 20000 }))).status).toBe('forwarded')
    expect((await peer.ask(publish('the end'))).status).toBe('stored')
    const heard = []
    while (heard.length < 2) {
      const { type, event } = await reader.hearJson()
      if (type === 'event') heard.push(event)
    }
    expect(heard).toMatchObject([{ content: 'good morning' }, { content: 'the end' }])
    const late = await RawPeer.connect(port)
    await late.ask({
      type: 'hello',
      version: 1,
      formats: ['json'],
      features: ['eose'],
      noise: { required: false },
    })
    late.say({ type: 'subscribe', sub_id: 'all', filters: [{ limit: 10 }] })
    const types: unknown[] = []
    while (types.at(-1) !== 'eose') types.push((await late.hearJson()).type)
    expect(types.filter((type) => type === 'event')).toHaveLength(2)
  },
)

test('a plugin is asked as strfry asks: type, event with its id, receivedAt in seconds, source', async () => {
  const command = inNode(
    "appendFileSync(folder + '/asked', JSON.stringify(request) + '\\n'); accept(request)",
  )
  const { peer } = await start({ command, timeoutMs: 30_000 })
  const event = author.sign({ content: 'a\n"b"\u2028', tags: [['t', 'x']] })
  expect((await peer.ask(writeMessage({ type: 'publish', event }))).status).toBe('stored')
  const binary = author.sign({ content: Uint8Array.of(0xff, 0xfe) })
  const [relay] = relays
  expect(await relay?.publish(binary)).toMatchObject({ ok: true, status: 'stored' })
  const [first, second] = readFileSync(join(folder, 'asked'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(first).toMatchObject({
    type: 'new',
    sourceType: 'IP4',
    sourceInfo: '127.0.0.1',
    event: {
      id: event.id,
      event_id: event.id,
      pubkey: event.pubkey,
      kind: 1,
      content: 'a\n"b"\u2028',
      tags: [['t', 'x']],
    },
  })
  expect(Math.abs(first.receivedAt - Date.now() / 1000)).toBeLessThan(3600)
  expect(second).toMatchObject({ sourceType: 'Import', event: { content_encoding: 'base64' } })
})

test('many events are on their way at once, answers may come in any order, and acks keep the order of publishes', async () => {
  const command = inNode(`
    globalThis.held ??= []
    held.push(request)
    if (held.length === 50) for (const each of held.splice(0).reverse()) accept(each)
  `)
  const { peer } = await start({ command, timeoutMs: 30_000 })
  const events = Array.from({ length: 100 }, (_, i) => author.sign({ content: String(i) }))
  for (const event of events) peer.say(writeMessage({ type: 'publish', event }))
  const answers = []
  for (const _ of events) answers.push(await peer.hearJson())
  expect(answers.map(({ event_id }) => event_id)).toEqual(events.map(({ id }) => id))
  const seqs = answers.map(({ seq }) => Number(seq))
  expect(seqs).toEqual([...seqs].sort((a, b) => a - b))
})

test('an event that the plugin hangs on is refused with unavailable, and the plugin is started anew', async () => {
  const command = inNode("if (request.event.content !== 'hang') accept(request)")
  const faults: string[] = []
  const { peer } = await start({ command, timeoutMs: 1500, onFault: ({ message }) => faults.push(message) })
  for (;;) if ((await peer.ask(publish('warm'))).type === 'ack') break
  const answer = await peer.ask(publish('hang'))
  expect(answer).toMatchObject({ code: 'unavailable', retry_after_ms: 1000 })
  for (;;) if ((await peer.ask(publish('again'))).status === 'stored') break
  expect(faults).toContain('policy plugin: no answer in 1500 ms')
})

test('an event that the plugin dies of costs that event; those behind it are asked again', async () => {
  const command = inNode("if (request.event.content === 'die') process.exit(3); accept(request)")
  const faults: string[] = []
  const { peer } = await start({ command, timeoutMs: 30_000, onFault: ({ message }) => faults.push(message) })
  const contents = ['a', 'die', 'b', 'c']
  for (const content of contents) peer.say(publish(content))
  const answers = []
  for (const _ of contents) answers.push(await peer.hearJson())
  expect(answers.map(({ status, code }) => status ?? code)).toEqual([
    'stored',
    'unavailable',
    'stored',
    'stored',
  ])
  expect(faults).toEqual(['policy plugin: ended with 3'])
})

test.each([
  ['no JSON', 'say("garbage")'],
  ['a list', 'say("[1]")'],
  ['an id nobody asked for', 'say({ id: "00", action: "accept" })'],
  ['an unknown action', 'say({ id: request.event.id, action: "maybe" })'],
  ['a number as id', 'say({ id: 1, action: "accept" })'],
  ['a line without an end', 'process.stdout.write("x".repeat(100000))'],
])(
  'garbage (%s) is no verdict: the event is refused, and the next process is asked',
  async (_name, garbage) => {
    const faults: string[] = []
    const { peer } = await start({
      command: inNode(`if (request.event.content === 'bad') { ${garbage} } else accept(request)`),
      timeoutMs: 30_000,
      onFault: ({ message }) => faults.push(message),
    })
    expect((await peer.ask(publish('bad'))).code).toBe('unavailable')
    expect((await peer.ask(publish('good'))).status).toBe('stored')
    expect(faults).toHaveLength(1)
  },
)

test('a program that is not there fails closed by default, and open when it is told to', async () => {
  const command = [join(folder, 'nothing-here')] as const
  const closed = await start({ command, timeoutMs: 300 })
  expect((await closed.peer.ask(publish('x'))).code).toBe('unavailable')
  const open = await start({ command, timeoutMs: 300, onFailure: 'accept' })
  expect((await open.peer.ask(publish('x'))).status).toBe('stored')
})

test('a plugin that ends at once is started anew after longer and longer waits', async () => {
  const at: number[] = []
  const command = inNode('return')
  writeFileSync(command[1] ?? '', 'process.exit(1)')
  const policy = pluginPolicy({ command, onFault: () => at.push(performance.now()) })
  await vi.waitUntil(() => at.length >= 4, { timeout: 50_000 })
  await policy.close?.()
  const waits = at.slice(1).map((time, i) => time - (at[i] ?? 0))
  expect(waits.map((wait, i) => wait >= 100 * 2 ** i - 5)).toEqual(waits.map(() => true))
})

test('the queue is bounded: beyond it an event is refused at once', async () => {
  const { peer } = await start({ command: inNode('return'), timeoutMs: 30_000, maxQueue: 2 })
  const refused = author.sign({ content: 'third' })
  peer.say(publish('first'))
  peer.say(publish('second'))
  const other = await RawPeer.connect(relays[0]?.port ?? 0)
  // Its verdict is known but waits for those before it, so look at it from inside.
  await vi.waitUntil(() => (relays[0]?.stats().judging ?? 0) === 2, { timeout: 30_000 })
  other.say(writeMessage({ type: 'publish', event: refused }))
  await vi.waitUntil(() => (relays[0]?.stats().judging ?? 0) === 3, { timeout: 30_000 })
  await relays.shift()?.close()
  expect((await peer.hearJson()).code).toBe('unavailable')
  expect((await peer.hearJson()).code).toBe('unavailable')
  expect((await other.hearJson()).code).toBe('unavailable')
})

test('control characters and long messages of a plugin do not reach authors', async () => {
  const command = inNode(
    'say({ id: request.event.id, action: "reject", msg: "a\\r\\nb" + "x".repeat(1000) })',
  )
  const { peer } = await start({ command, timeoutMs: 30_000 })
  const { detail } = await peer.ask(publish('x'))
  expect(detail).toBe(`a  b${'x'.repeat(252)}`)
})

test('a bad signature never reaches the plugin, and bad options throw', async () => {
  const { peer } = await start({
    command: inNode("appendFileSync(folder + '/asked', 'x'); accept(request)"),
    timeoutMs: 30_000,
  })
  const event = { ...author.sign(), sig: author.sign().sig }
  expect((await peer.ask(writeMessage({ type: 'publish', event }))).code).toBe('invalid_signature')
  expect((await peer.ask(publish('fine'))).status).toBe('stored')
  expect(readFileSync(join(folder, 'asked'), 'utf8')).toBe('x')
  expect(() => pluginPolicy({ command: [''] })).toThrow(TypeError)
  expect(() => pluginPolicy({ command: ['x'], timeoutMs: 0 })).toThrow(RangeError)
  expect(() => pluginPolicy({ command: ['x'], maxQueue: 1.5 })).toThrow(RangeError)
})
