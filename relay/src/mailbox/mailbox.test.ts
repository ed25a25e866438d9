/** Durable mailboxes over real sockets, in JSON and in frames (schemas/README.md, "Mailboxes"). */
import { join } from 'node:path'
import {
  openLmdbStore,
  openMailboxFile,
  openSqliteStore,
  type Relay,
  type RelayOptions,
} from '@aetherkit/relay'
import { describe, expect, test, vi } from 'vitest'
import {
  type Agent,
  createAgent,
  letter,
  MailboxPeer,
  type PeerFormat,
  post,
} from '../../test/mailbox-peer.js'
import { startRelay as start } from '../../test/start-relay.js'
import { temporaryFolder } from '../../test/temporary-folder.js'

// A busy machine may take its time.
vi.setConfig({ testTimeout: 60_000 })

const folder = () => temporaryFolder('mailbox')
const durable = (path: string): RelayOptions => ({
  store: openLmdbStore(join(path, 'data')),
  mailboxes: openMailboxFile(join(path, 'mailboxes.mdb')),
})
const textsOf = (events: readonly { text: string }[]) => events.map(({ text }) => text)
const letters = (count: number) => Array.from({ length: count }, (_, i) => `letter ${i}`)

describe.each<PeerFormat>(['json', 'aether.v2'])('in %s', (format) => {
  const login = (relay: Relay, agent: Agent) => MailboxPeer.connect(relay, format, agent)

  test('what was published while the agent was away comes in order, then what is live', async () => {
    const relay = await start()
    const [agent, other] = [createAgent(), createAgent()]
    const texts = await post(relay, agent, ...letters(10))
    await post(relay, other, 'not for us')
    const peer = await login(relay, agent)
    expect(await peer.opened('work')).toBe(false)
    const events = await peer.events(10)
    expect(textsOf(events)).toEqual(texts)
    expect(events.map(({ deliveries }) => deliveries)).toEqual(Array(10).fill(1))
    await post(relay, agent, 'live')
    expect(await peer.events(1)).toMatchObject([{ text: 'live', deliveries: 1 }])
  })

  test('no more than max_unacked are under way, and each ack makes room for one', async () => {
    const relay = await start()
    const agent = createAgent()
    await post(relay, agent, ...letters(5))
    const peer = await login(relay, agent)
    await peer.opened('work', { maxUnacked: 2 })
    const [first, second] = await peer.events(2)
    await post(relay, agent, 'late')
    expect(relay.stats()).toMatchObject({ mailboxes: 1, unacked: 2 })
    const third = await peer.done(second!.seq)
    const rest = [...third, ...(third.length === 0 ? await peer.events(1) : [])]
    expect(textsOf(rest)).toEqual(['letter 2'])
    const fourth = await peer.done(first!.seq)
    expect(textsOf(fourth.length === 0 ? await peer.events(1) : fourth)).toEqual(['letter 3'])
  })

  test('what is not acked in time comes again, and is counted; a nack brings it at once, or after its delay', async () => {
    const relay = await start()
    const agent = createAgent()
    await post(relay, agent, 'a')
    const peer = await login(relay, agent)
    await peer.opened('work', { ackTimeoutMs: 100 })
    expect(await peer.events(3)).toMatchObject([{ deliveries: 1 }, { deliveries: 2 }, { deliveries: 3 }])
    const patient = await login(relay, createAgent())
    await post(relay, patient.agent, 'b')
    await patient.opened('work')
    const [b] = await patient.events(1)
    patient.nack([b!.seq])
    expect(await patient.events(1)).toMatchObject([{ text: 'b', deliveries: 2 }])
    const before = performance.now()
    patient.nack([b!.seq], 150)
    expect(await patient.events(1)).toMatchObject([{ text: 'b', deliveries: 3 }])
    expect(performance.now() - before).toBeGreaterThanOrEqual(149)
  })

  test('sessions of one name share the events, another name gets them all', async () => {
    const relay = await start()
    const agent = createAgent()
    const [one, two, all] = [await login(relay, agent), await login(relay, agent), await login(relay, agent)]
    await one.opened('work', { maxUnacked: 5 })
    await two.opened('work', { maxUnacked: 5 })
    await all.opened('audit')
    const texts = await post(relay, agent, ...letters(10))
    const [mine, yours] = [await one.events(5), await two.events(5)]
    expect(textsOf([...mine, ...yours]).sort()).toEqual([...texts].sort())
    expect(textsOf(await all.events(10))).toEqual(texts)
  })

  test('what a session had goes to another at once when it ends, however it ends', async () => {
    const relay = await start()
    const agent = createAgent()
    await post(relay, agent, 'a', 'b')
    const [one, two] = [await login(relay, agent), await login(relay, agent)]
    await one.opened('work')
    const events = await one.events(2)
    await two.opened('work')
    one.raw.socket.destroy()
    expect(await two.events(2)).toMatchObject(events.map(({ seq }) => ({ seq, deliveries: 2 })))
    const three = await login(relay, agent)
    await three.opened('work')
    two.leave()
    expect(await three.events(2)).toMatchObject(events.map(({ seq }) => ({ seq, deliveries: 3 })))
  })

  test('an ack counts from whoever has the mailbox open, twice as well, and for what was never delivered', async () => {
    const relay = await start()
    const agent = createAgent()
    await post(relay, agent, 'a', 'b', 'c')
    const [one, two] = [await login(relay, agent), await login(relay, agent)]
    await one.opened('work', { maxUnacked: 1 })
    const [a] = await one.events(1)
    await two.opened('work', { maxUnacked: 1 })
    const [b] = await two.events(1)
    two.leave()
    // `b` is now with nobody or with `one`; whoever says that it is done is believed.
    expect(textsOf(await one.done(a!.seq, b!.seq, b!.seq, 2n ** 64n - 1n, 0n))).toEqual(expect.any(Array))
    await one.raw.close()
    const again = await login(relay, agent)
    await again.opened('work')
    expect(textsOf(await again.events(1))).toEqual(['c'])
  })

  test('a new mailbox may begin with what comes', async () => {
    const relay = await start()
    const agent = createAgent()
    await post(relay, agent, 'before')
    const peer = await login(relay, agent)
    await peer.opened('work', { from: 'now' })
    await post(relay, agent, 'after')
    expect(textsOf(await peer.events(1))).toEqual(['after'])
    peer.leave()
    await post(relay, agent, 'while away')
    const again = await login(relay, agent)
    await again.opened('work', { from: 'now' })
    expect(textsOf(await again.events(2))).toEqual(['after', 'while away'])
  })

  test('filters narrow it, and are part of it', async () => {
    const relay = await start()
    const agent = createAgent()
    const filters = [{ kinds: [7], tags: [{ key: 't', any: ['x'] }] }]
    const peer = await login(relay, agent)
    await peer.opened('work', { filters })
    await relay.publish(letter(agent, 'kind', { kind: 1, tags: [['t', 'x']] }))
    await relay.publish(letter(agent, 'tag', { kind: 7, tags: [['t', 'y']] }))
    await relay.publish(letter(agent, 'both', { kind: 7, tags: [['t', 'x']] }))
    expect(textsOf(await peer.events(1))).toEqual(['both'])
    const other = await login(relay, agent)
    other.open('work')
    expect(await other.hear()).toEqual({ type: 'refused', code: 'subscription_conflict' })
    await other.opened('work', { filters: [...filters] })
  })

  test('ephemeral events are never in it, nor what was replaced, deleted or has expired', async () => {
    const relay = await start()
    const agent = createAgent()
    const peer = await login(relay, agent)
    await peer.opened('work', { maxUnacked: 1 })
    await post(relay, agent, 'first')
    await relay.publish(letter(agent, 'ephemeral', { kind: 20_001 }))
    await relay.publish(letter(agent, 'old version', { kind: 30_001, tags: [['d', 'x']] }))
    await relay.publish(letter(agent, 'new version', { kind: 30_001, tags: [['d', 'x']] }))
    const gone = letter(agent, 'deleted')
    await relay.publish(gone)
    await relay.publish(letter(agent, 'deletion', { kind: 5, tags: [['e', gone.id]] }))
    const [first] = await peer.events(1)
    const next = await peer.done(first!.seq)
    const second = next[0] ?? (await peer.events(1))[0]
    expect(second).toMatchObject({ text: 'new version' })
    const after = await peer.done(second!.seq)
    expect(after[0] ?? (await peer.events(1))[0]).toMatchObject({ text: 'deletion' })
  })

  test('needs a proven key: the challenge comes with the refusal, and another key is restricted', async () => {
    const relay = await start()
    const [agent, other] = [createAgent(), createAgent()]
    const unknown = await MailboxPeer.connect(relay, format, agent, false)
    unknown.open('work')
    expect(await unknown.hear()).toEqual({ type: 'refused', code: 'auth_required' })
    const peer = await login(relay, other)
    peer.open('work', { pubkey: agent.pubkey })
    expect(await peer.hear()).toEqual({ type: 'refused', code: 'restricted' })
    peer.delete('work', agent.pubkey)
    expect(await peer.hear()).toEqual({ type: 'refused', code: 'restricted' })
  })

  test('what only others may read is not in it', async () => {
    const relay = await start({ auth: { read: [{ kinds: [[7, 7]], allow: 'author' }] } })
    const agent = createAgent()
    await relay.publish(letter(agent, 'gated', { kind: 7 }))
    const peer = await login(relay, agent)
    await peer.opened('work')
    await post(relay, agent, 'open')
    await relay.publish(letter(agent, 'gated, live', { kind: 7 }))
    await post(relay, agent, 'end')
    expect(textsOf(await peer.events(2))).toEqual(['open', 'end'])
  })

  test('each misuse has its code, and ends what was open under the number', async () => {
    const relay = await start({ limits: { maxMailboxes: 2, maxUnacked: 10 } })
    const peer = await login(relay, createAgent())
    const refusal = async (run: () => void) => {
      run()
      const said = await peer.hear()
      return said.type === 'refused' ? said.code : said
    }
    expect(await refusal(() => peer.ack([1n]))).toBe('subscription_not_found')
    expect(await refusal(() => peer.nack([1n]))).toBe('subscription_not_found')
    expect(await refusal(() => peer.open('work', { filters: [] }))).toBe('invalid_filter')
    expect(await refusal(() => peer.open('work', { filters: [{ limit: 1 }] }))).toBe('unsupported')
    expect(await refusal(() => peer.open('work', { maxUnacked: 11 }))).toBe('limit_exceeded')
    expect(await refusal(() => peer.open('work', { ackTimeoutMs: 99 }))).toBe('limit_exceeded')
    expect(await refusal(() => peer.open('work', { ackTimeoutMs: 43_200_001 }))).toBe('limit_exceeded')
    expect(await refusal(() => peer.open('a b'))).toBe('invalid_message')
    await peer.opened('one')
    expect(await refusal(() => peer.nack([1n], 43_200_001))).toBe('limit_exceeded')
    expect(await refusal(() => peer.ack([]))).toBe('subscription_not_found')
    await peer.opened('two')
    expect(await refusal(() => peer.open('three', {}, 2))).toBe('limit_exceeded')
    peer.delete('one', undefined, 2)
    expect(await peer.hear()).toEqual({ type: 'deleted' })
    await peer.opened('three', {}, 2)
  })

  test('the same number again replaces: a mailbox by a mailbox, and by a subscription', async () => {
    const relay = await start()
    const agent = createAgent()
    await post(relay, agent, 'a')
    const peer = await login(relay, agent)
    await peer.opened('work')
    await peer.events(1)
    await peer.opened('work')
    expect(await peer.events(1)).toMatchObject([{ text: 'a', deliveries: 2 }])
    await peer.opened('other')
    expect(await peer.events(1)).toMatchObject([{ text: 'a', deliveries: 1 }])
    expect(relay.stats()).toMatchObject({ mailboxes: 1, unacked: 1 })
  })

  test('to delete one tells whoever has it open, and it begins anew', async () => {
    const relay = await start()
    const agent = createAgent()
    await post(relay, agent, 'a')
    const [one, two] = [await login(relay, agent), await login(relay, agent)]
    await one.opened('work')
    const [a] = await one.events(1)
    await one.done(a!.seq)
    two.delete('work')
    expect(await two.hear()).toEqual({ type: 'deleted' })
    expect(await one.hear()).toEqual({ type: 'refused', code: 'subscription_not_found' })
    await two.opened('work')
    expect(await two.events(1)).toMatchObject([{ text: 'a', deliveries: 1 }])
    two.delete('never-was', undefined, 9)
    expect(await two.hear()).toEqual({ type: 'deleted' })
  })

  test.each(['lmdb', 'sqlite'] as const)('what was acked stays so over a restart on %s', async (kind) => {
    const path = folder()
    const options = (): RelayOptions => ({
      store: kind === 'lmdb' ? openLmdbStore(join(path, 'data')) : openSqliteStore(join(path, 'data.sqlite')),
      mailboxes: openMailboxFile(join(path, 'mailboxes.mdb')),
    })
    const agent = createAgent()
    const first = await start(options())
    await post(first, agent, 'a', 'b', 'c', 'd')
    const peer = await login(first, agent)
    await peer.opened('work', { maxUnacked: 3 })
    const [, b, c] = await peer.events(3)
    await peer.done(b!.seq, c!.seq)
    await first.close()
    const second = await start(options())
    const again = await login(second, agent)
    expect(await again.opened('work')).toBe(false)
    expect(await again.events(2)).toMatchObject([
      { text: 'a', deliveries: 2 },
      { text: 'd', deliveries: 2 },
    ])
  })
})

const login = (relay: Relay, agent: Agent) => MailboxPeer.connect(relay, 'json', agent)

test('the welcome lists the feature', async () => {
  const relay = await start()
  expect(relay.info.features).toContain('mailbox')
  expect(relay.info.limits).toMatchObject({
    max_mailboxes: 64,
    max_unacked: 1024,
    mailbox_idle_ms: 2_592_000_000,
  })
})

test('what was taken out of the store before it was delivered is a gap', async () => {
  const relay = await start({ retention: [{ kinds: [1, 1], maxCount: 2 }], sweepMs: 20 })
  const agent = createAgent()
  const peer = await login(relay, agent)
  await peer.opened('work')
  await post(relay, agent, 'a')
  const [a] = await peer.events(1)
  await peer.done(a!.seq)
  peer.leave()
  await post(relay, agent, ...letters(6))
  const reader = await login(relay, agent)
  await vi.waitFor(async () => {
    await reader.opened(`probe-${Math.random().toString(36).slice(2)}`, {}, 2)
    expect(textsOf(await reader.events(2))).toEqual(['letter 4', 'letter 5'])
  }, 30_000)
  const again = await login(relay, agent)
  expect(await again.opened('work')).toBe(true)
  expect(textsOf(await again.events(2))).toEqual(['letter 4', 'letter 5'])
})

test('another store is a gap, and the mailbox begins at its start', async () => {
  const path = folder()
  const agent = createAgent()
  const first = await start(durable(path))
  await post(first, agent, 'a')
  const peer = await login(first, agent)
  await peer.opened('work')
  const [a] = await peer.events(1)
  await peer.done(a!.seq)
  await first.close()
  const second = await start({ mailboxes: openMailboxFile(join(path, 'mailboxes.mdb')) })
  await post(second, agent, 'b')
  const again = await login(second, agent)
  expect(await again.opened('work')).toBe(true)
  expect(textsOf(await again.events(1))).toEqual(['b'])
})

test('a mailbox behind a long log of others steps through it, and others have their turn', async () => {
  const relay = await start({ limits: { exemptLoopback: true } })
  const [agent, others] = [createAgent(), createAgent()]
  await post(relay, agent, 'first')
  await Promise.all(letters(3000).map((text) => relay.publish(letter(others, text))))
  await post(relay, agent, 'last')
  const peer = await login(relay, agent)
  await peer.opened('work', { maxUnacked: 1 })
  const [first] = await peer.events(1)
  const next = await peer.done(first!.seq)
  expect(textsOf(next.length === 0 ? await peer.events(1) : next)).toEqual(['last'])
})

test('who is idle for long is removed, who is open is not', async () => {
  const path = folder()
  const relay = await start({
    ...durable(path),
    limits: { mailboxIdleMs: 300, maxMailboxes: 2 },
    sweepMs: 20,
  })
  const agent = createAgent()
  await post(relay, agent, 'a')
  const peer = await login(relay, agent)
  await peer.opened('kept', {}, 1)
  const [a] = await peer.events(1)
  await peer.done(a!.seq)
  const other = await login(relay, agent)
  await other.opened('idle')
  other.leave()
  await vi.waitFor(async () => {
    other.open('third', {}, 3)
    expect((await other.hear()).type).not.toBe('refused')
  }, 30_000)
  await post(relay, agent, 'b')
  expect(textsOf(await peer.events(1))).toEqual(['b'])
})

test('acks that cannot be written down end the mailbox, and the events come again', async () => {
  const records = new Map<string, string>()
  let isBroken = false
  const relay = await start({
    mailboxes: {
      get: (key) => records.get(key),
      page: () => [...records],
      get size() {
        return records.size
      },
      async write(changes) {
        if (isBroken) throw new Error('no space left on device')
        for (const [key, text] of changes) records.set(key, text ?? '')
      },
      async close() {},
    },
  })
  const agent = createAgent()
  await post(relay, agent, 'a')
  const peer = await login(relay, agent)
  await peer.opened('work')
  const [a] = await peer.events(1)
  isBroken = true
  peer.ack([a!.seq])
  expect(await peer.hear()).toEqual({ type: 'refused', code: 'storage_full' })
  await peer.opened('work')
  expect(textsOf(await peer.events(1))).toEqual(['a'])
})
