/** Capability tokens as the policy of a relay: who may publish and read, how often, also after a kill -9. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type CapabilityToken,
  type Caveats,
  type EventTemplate,
  generateSecretKey,
  publicKeyOf,
  signToken,
  type Tag,
  writeMessage,
} from '@aetherkit/core'
import { type CapabilityUses, memoryUses, openCapabilityUses, type RelayOptions } from '@aetherkit/relay'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { RawPeer } from '../../test/raw-peer.js'
import { RelayProcess } from '../../test/relay-process.js'
import { createAuthor } from '../../test/signing.js'
import { startRelay } from '../../test/start-relay.js'
import { temporaryFolder } from '../../test/temporary-folder.js'
import { Grants } from './capability-grant.js'

vi.setConfig({ testTimeout: 60_000 })

const owner = generateSecretKey()
const GATED = 5000
const OPEN = 1

let folder: string
const children: RelayProcess[] = []
beforeEach(() => {
  folder = temporaryFolder('capability')
})
afterEach(() => {
  for (const { child } of children.splice(0)) child.kill('SIGKILL')
})

/** A holder of keys: signs events, and passes capabilities on. */
function createHolder() {
  const key = generateSecretKey()
  const author = createAuthor(key)
  return {
    key,
    publicKey: publicKeyOf(key),
    publish: (tags: readonly Tag[] = [], fields: Partial<EventTemplate> = {}) =>
      writeMessage({ type: 'publish', event: author.sign({ kind: GATED, ...fields, tags }) }),
    auth: (challenge: unknown, port: number, tags: readonly Tag[] = []) => ({
      type: 'auth',
      event: JSON.parse(
        author.text({
          kind: 22242,
          content: '',
          tags: [['challenge', String(challenge)], ['relay', `ws://127.0.0.1:${port}`], ...tags],
        }),
      ),
    }),
  }
}

const grant = (issuerSecret: Uint8Array, subject: string, capability: string, caveats: Caveats = {}) =>
  signToken({ issuerSecret, subject, capability, caveats })
const show = (...chain: CapabilityToken[]): Tag => [
  'capability',
  ...chain.map((token) => JSON.stringify(token)),
]

async function start(options: Partial<RelayOptions> = {}, uses?: CapabilityUses) {
  const relay = await startRelay({
    capabilities: {
      owner: publicKeyOf(owner),
      publish: [[GATED, GATED + 9]],
      subscribe: [[GATED, GATED + 9]],
      ...(uses && { uses }),
    },
    ...options,
  })
  return { relay, peer: await RawPeer.connect(relay.port) }
}

async function say(peer: RawPeer, message: string | object) {
  const answer = await peer.ask(message)
  return answer.status ?? answer.error ?? answer.type
}

describe('publishing', () => {
  const holder = createHolder()
  const now = BigInt(Date.now()) * 1_000_000n
  const HOUR = 3_600_000_000_000n

  test('a gated kind needs a token for it; other kinds do not', async () => {
    const { peer, relay } = await start()
    expect(await say(peer, holder.publish([], { kind: OPEN }))).toBe('stored')
    expect(await peer.ask(holder.publish())).toMatchObject({
      code: 'restricted',
      error: 'capability not granted',
    })
    for (const capability of ['publish', 'publish:*', `publish:${GATED}`])
      expect(await say(peer, holder.publish([show(grant(owner, holder.publicKey, capability))]))).toBe(
        'stored',
      )
    expect(relay.info.capabilities).toEqual({
      owner: publicKeyOf(owner),
      publish: [[GATED, GATED + 9]],
      subscribe: [[GATED, GATED + 9]],
    })
  })

  const stranger = createHolder()
  const friend = createHolder()
  const narrow = `publish:${GATED}`
  test.each<[name: string, tag: () => Tag, error: string]>([
    ['no token', () => ['capability'], 'empty capability chain'],
    ['garbage', () => ['capability', '{'], 'message must be object'],
    ['another kind', () => show(grant(owner, holder.publicKey, 'publish:5001')), 'capability not granted'],
    ['another scope', () => show(grant(owner, holder.publicKey, 'subscribe')), 'capability not granted'],
    [
      'a stranger as owner',
      () => show(grant(stranger.key, holder.publicKey, narrow)),
      'capability not granted',
    ],
    [
      'a token of somebody else',
      () => show(grant(owner, friend.publicKey, narrow)),
      'capability chain subject mismatch',
    ],
    [
      'a token that is over',
      () => show(grant(owner, holder.publicKey, narrow, { notAfter: now - HOUR })),
      'capability expired',
    ],
    [
      'a token of tomorrow',
      () => show(grant(owner, holder.publicKey, narrow, { notBefore: now + HOUR })),
      'capability not yet valid',
    ],
    [
      'a forged token',
      () => show({ ...grant(owner, holder.publicKey, narrow), capability: 'publish' }),
      'invalid capability signature',
    ],
    [
      'a link that widens',
      () => show(grant(owner, friend.publicKey, narrow), grant(friend.key, holder.publicKey, 'publish')),
      'capability not granted',
    ],
    [
      'a link that lives longer',
      () =>
        show(
          grant(owner, friend.publicKey, narrow, { notAfter: now + HOUR }),
          grant(friend.key, holder.publicKey, narrow, { notAfter: now + 2n * HOUR }),
        ),
      'capability not granted',
    ],
    [
      'a chain with a gap',
      () => show(grant(owner, stranger.publicKey, narrow), grant(friend.key, holder.publicKey, narrow)),
      'capability chain subject mismatch',
    ],
    [
      'a token for no uses',
      () => show(grant(owner, holder.publicKey, narrow, { maxUses: 0n })),
      'capability usage exceeded',
    ],
  ])('%s lets nobody publish', async (_name, tag, error) => {
    const { peer } = await start()
    expect(await say(peer, holder.publish([tag()]))).toBe(error)
  })

  test('a chain is attenuated link by link, and the last one publishes', async () => {
    const { peer } = await start()
    const chain = [
      grant(owner, friend.publicKey, 'publish'),
      grant(friend.key, stranger.publicKey, 'publish:*'),
      grant(stranger.key, holder.publicKey, narrow),
    ]
    expect(await say(peer, holder.publish([show(...chain)]))).toBe('stored')
    expect(await say(peer, holder.publish([show(...chain)], { kind: GATED + 1 }))).toBe(
      'capability not granted',
    )
  })

  test('uses are counted over the whole chain: of a link for two, two of its children share two', async () => {
    const { peer } = await start()
    const shared = grant(owner, friend.publicKey, narrow, { maxUses: 2n })
    const [one, other] = [createHolder(), createHolder()]
    const forOne = show(shared, grant(friend.key, one.publicKey, narrow))
    const forOther = show(shared, grant(friend.key, other.publicKey, narrow, { maxUses: 1n }))
    expect(await say(peer, one.publish([forOne]))).toBe('stored')
    expect(await say(peer, other.publish([forOther]))).toBe('stored')
    expect(await say(peer, one.publish([forOne]))).toBe('capability usage exceeded')
    expect(await say(peer, other.publish([forOther]))).toBe('capability usage exceeded')
  })

  test('a duplicate, and a bad signature, use nothing', async () => {
    const { peer } = await start()
    const tag = show(grant(owner, holder.publicKey, narrow, { maxUses: 2n }))
    const first = holder.publish([tag])
    expect(await say(peer, first)).toBe('stored')
    expect(await say(peer, first)).toBe('duplicate')
    const bad = JSON.parse(holder.publish([tag]))
    bad.event.sig = JSON.parse(first).event.sig
    expect(await say(peer, JSON.stringify(bad))).toBe('invalid signature')
    expect(await say(peer, holder.publish([tag]))).toBe('stored')
    expect(await say(peer, holder.publish([tag]))).toBe('capability usage exceeded')
  })

  test('a token that was verified once is not taken when its time is over', async () => {
    let time = now
    const { peer } = await start({ now: () => time })
    const tag = show(grant(owner, holder.publicKey, narrow, { notAfter: now + HOUR }))
    expect(await say(peer, holder.publish([tag], { createdAt: time }))).toBe('stored')
    time = now + HOUR + 1n
    expect(await say(peer, holder.publish([tag], { createdAt: time }))).toBe('capability expired')
  })
})

describe('reading', () => {
  /** A peer that has shown these chains in its AUTH event. */
  async function authenticated(port: number, holder = createHolder(), tags: readonly Tag[] = []) {
    const peer = await RawPeer.connect(port)
    const hello = { type: 'hello', version: 1, formats: ['json'], features: ['auth', 'eose', 'closed'] }
    peer.say({ ...hello, noise: { required: false } })
    let challenge: unknown
    while (challenge === undefined) {
      const message = await peer.hearJson()
      if (message.type === 'auth') challenge = message.challenge
    }
    const answer = await peer.ask(holder.auth(challenge, port, tags))
    return { peer, answer }
  }

  /** Kinds that the subscription is shown until its stored events end, or why it is not. */
  async function read(peer: RawPeer, filter: object): Promise<unknown> {
    peer.say({ type: 'subscribe', sub_id: 'r', filters: [{ limit: 100, ...filter }] })
    const kinds: unknown[] = []
    for (;;) {
      const { type, event, code, error } = await peer.hearJson()
      if (type === 'event' && typeof event === 'object' && event !== null && 'kind' in event)
        kinds.push(Number(event.kind))
      else if (type === 'eose') return kinds.sort()
      else if (code !== undefined) return error ?? code
    }
  }

  async function filled(uses?: CapabilityUses) {
    const holder = createHolder()
    const { relay, peer } = await start({}, uses)
    const tag = show(grant(owner, holder.publicKey, 'publish'))
    expect(await say(peer, holder.publish([], { kind: OPEN }))).toBe('stored')
    expect(await say(peer, holder.publish([tag]))).toBe('stored')
    return { relay, writer: { peer, publish: (fields = {}) => holder.publish([tag], fields) } }
  }

  test('without a capability a gated kind is refused by name and hidden else; with one it is shown, stored and live', async () => {
    const { relay, writer } = await filled()
    const stranger = (await authenticated(relay.port)).peer
    expect(await read(stranger, { kinds: [GATED] })).toBe('capability not granted')
    expect(await read(stranger, {})).toEqual([OPEN])
    const member = createHolder()
    const { peer, answer } = await authenticated(relay.port, member, [
      show(grant(owner, member.publicKey, `subscribe:${GATED}`)),
    ])
    expect(answer.type).not.toBe('error')
    expect(await read(peer, { kinds: [GATED] })).toEqual([GATED])
    expect(await read(peer, {})).toEqual([OPEN, GATED])
    expect(await read(peer, { kinds: [GATED + 1] })).toBe('capability not granted')
    // Live: who may not see it hears the next open event first.
    expect(await say(writer.peer, writer.publish())).toBe('stored')
    expect(await say(writer.peer, writer.publish({ kind: OPEN, content: 'open' }))).toBe('stored')
    expect((await peer.hearJson()).event).toMatchObject({ kind: GATED })
    expect((await stranger.hearJson()).event).toMatchObject({ kind: OPEN })
  })

  test('who has proven no key is asked to', async () => {
    const { relay } = await filled()
    const peer = await RawPeer.connect(relay.port)
    peer.say({ type: 'subscribe', sub_id: 'r', filters: [{ kinds: [GATED] }] })
    const codes = [await peer.hearJson(), await peer.hearJson()].map(({ code, type }) => code ?? type)
    expect(codes).toContain('auth_required')
  })

  test('a chain that does not hold refuses the AUTH', async () => {
    const { relay } = await filled()
    const [member, stranger] = [createHolder(), createHolder()]
    const forged = show(grant(stranger.key, member.publicKey, 'subscribe'))
    const { answer, peer } = await authenticated(relay.port, member, [forged])
    expect(answer).toMatchObject({ code: 'restricted', error: 'capability not granted' })
    expect(await read(peer, {})).toEqual([OPEN])
  })

  test('each subscription that could see a gated kind counts a use, one without kinds too', async () => {
    const { relay } = await filled(memoryUses())
    const member = createHolder()
    const token = grant(owner, member.publicKey, 'subscribe', { maxUses: 2n })
    const { peer } = await authenticated(relay.port, member, [show(token)])
    expect(await read(peer, { kinds: [OPEN] })).toEqual([OPEN])
    expect(await read(peer, { kinds: [GATED] })).toEqual([GATED])
    expect(await read(peer, {})).toEqual([OPEN, GATED])
    expect(await read(peer, { kinds: [GATED] })).toBe('capability usage exceeded')
    expect(await read(peer, {})).toBe('capability usage exceeded')
    expect(await read(peer, { kinds: [OPEN] })).toEqual([OPEN])
  })

  test('over HTTP, where nobody proves a key, a gated kind is neither queried nor found by its id', async () => {
    const holder = createHolder()
    const { relay } = await start({ http: {} })
    const url = relay.http?.url
    const tag = show(grant(owner, holder.publicKey, 'publish'))
    const { event } = JSON.parse(holder.publish([tag]))
    const post = (path: string, body: object) =>
      fetch(`${url}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    expect(await (await post('/v1/events', { event })).json()).toMatchObject({
      accepted: true,
      status: 'stored',
    })
    const refused = JSON.parse(holder.publish()).event
    expect(await (await post('/v1/events', { event: refused })).json()).toMatchObject({ code: 'restricted' })
    expect(await (await post('/v1/query', { filters: {} })).json()).toMatchObject({ events: [] })
    expect((await post('/v1/query', { filters: { kinds: [GATED] } })).status).toBe(401)
    expect((await fetch(`${url}/v1/events/${event.event_id}`)).status).toBe(404)
  })
})

test('chains that were verified are remembered up to a bound, the one in use among them; others count for nothing', async () => {
  const grants = new Grants(publicKeyOf(owner), 3)
  const author = createAuthor()
  const { pubkey } = author.sign()
  const shown = async (capability: string, issuer = owner) =>
    (await grants.of(author.sign({ tags: [show(grant(issuer, pubkey, capability))] }), 0n)).ok
  const seen: number[] = []
  for (let i = 0; i < 12; i++) {
    expect(await shown(`publish:${i}`)).toBe(true)
    expect(await shown('publish:in-use')).toBe(true)
    expect(await shown(`publish:${i}`, generateSecretKey())).toBe(false)
    seen.push(grants.size)
  }
  expect(seen).toEqual([2, 3, ...Array(10).fill(3)])
  expect(await grants.of(author.sign({ tags: Array(5).fill(['capability']) }), 0n)).toMatchObject({
    code: 'limit_exceeded',
  })
})

describe('uses on disk', () => {
  test('are there again when the file is opened again, and are taken all or none', async () => {
    const file = join(folder, 'uses.mdb')
    const [a, b] = [
      { id: 'a'.repeat(64), max: 2n },
      { id: 'b'.repeat(64), max: 1n },
    ]
    const first = openCapabilityUses(file)
    expect(await first.take([a, b])).toBe(true)
    expect(await first.take([a, b])).toBe(false)
    expect(first.takeNow([b])).toBe(false)
    await first.close()
    const second = openCapabilityUses(file)
    expect(second.takeNow([a])).toBe(true)
    expect(await second.take([a])).toBe(false)
    expect(await second.take([])).toBe(true)
    await second.close()
  })

  test('of many at once only as many succeed as there are uses, whichever way they are taken', async () => {
    const uses = openCapabilityUses(join(folder, 'uses.mdb'))
    const token = { id: 'c'.repeat(64), max: 50n }
    const taken = await Promise.all(
      Array.from({ length: 120 }, (_, i) => (i % 5 === 0 ? uses.takeNow([token]) : uses.take([token]))),
    )
    expect(taken.filter(Boolean)).toHaveLength(50)
    await uses.close()
    const again = openCapabilityUses(join(folder, 'uses.mdb'))
    expect(again.takeNow([token])).toBe(false)
    await again.close()
  })

  test('survive a kill -9 in the middle of publishing: no use comes back, whatever was acked', async () => {
    const holder = createHolder()
    const file = join(folder, 'relay.json')
    const capabilities = { owner: publicKeyOf(owner), publish: [[GATED, GATED]] }
    writeFileSync(file, JSON.stringify({ 'ws-port': 0, capabilities }))
    const max = 60n
    const tag = show(grant(owner, holder.publicKey, `publish:${GATED}`, { maxUses: max }))
    let acked = 0
    let exceeded = 0
    for (let round = 0; round < 3; round++) {
      const run = new RelayProcess(folder, ['--config', file])
      children.push(run)
      const peer = await RawPeer.connect(await run.port())
      for (let i = 0; i < 30; i++) peer.say(holder.publish([tag], { content: `${round} ${i}` }))
      for (let i = 0; i < (round === 2 ? 30 : 11); i++) {
        const { type, error } = await peer.hearJson()
        if (type === 'ack') acked++
        else if (error === 'capability usage exceeded') exceeded++
      }
      run.child.kill('SIGKILL')
      await run.exit
    }
    expect(acked).toBeGreaterThanOrEqual(22)
    expect(BigInt(acked)).toBeLessThanOrEqual(max)
    const last = new RelayProcess(folder, ['--config', file])
    children.push(last)
    const peer = await RawPeer.connect(await last.port())
    for (let i = 0; i <= Number(max) && exceeded === 0; i++) {
      const answer = await peer.ask(holder.publish([tag], { content: `last ${i}` }))
      if (answer.type === 'ack') acked++
      else exceeded++
    }
    expect(exceeded).toBeGreaterThan(0)
    expect(BigInt(acked)).toBeLessThanOrEqual(max)
  })
})
