import { generateSecretKey, publicKeyOf, writeMessage } from '@aetherkit/core'
import { proofOfWork, type RelayEvent, saneDefaults } from '@aetherkit/relay'
import { describe, expect, test } from 'vitest'
import { RawPeer } from '../test/raw-peer.js'
import { createAuthor, publishing as publish } from '../test/signing.js'
import { startRelay as start } from '../test/start-relay.js'

const { sign } = createAuthor()
const subscribe = (sub_id: string, ...filters: object[]) => ({ type: 'subscribe', sub_id, filters })

describe('publishing', () => {
  test('acks a stored event with id, status, seq and cursor, and sends it to a subscriber with its seq', async () => {
    const relay = await start()
    const [author, reader] = [await RawPeer.connect(relay.port), await RawPeer.connect(relay.port)]
    expect(await reader.ask(subscribe('a', { kinds: [1] }))).toEqual({
      type: 'subscribed',
      sub_id: 'a',
      gap: false,
    })
    const event = sign({ tags: [['t', 'x', 'y']], content: 'héllo' })
    expect(await author.ask(publish(event))).toEqual({
      type: 'ack',
      event_id: event.id,
      status: 'stored',
      seq: 1,
      cursor: `${relay.info.epoch}-1`,
    })
    expect(await reader.hearJson()).toEqual({
      type: 'event',
      sub_id: 'a',
      event: {
        event_id: event.id,
        pubkey: event.pubkey,
        kind: 1,
        created_at: event.createdAt,
        tags: [['t', 'x', 'y']],
        content: 'héllo',
        sig: event.sig,
      },
      seq: 1,
    })
  })

  test('sends the ack before the own event', async () => {
    const peer = await RawPeer.connect((await start()).port)
    await peer.ask(subscribe('a', {}))
    for (let i = 0; i < 20; i++) peer.say(publish(sign()))
    const types: unknown[] = []
    for (let i = 0; i < 40; i++) types.push((await peer.hearJson()).type)
    const acksSoFar = types.map((_, i) => types.slice(0, i + 1).filter((type) => type === 'ack').length)
    types.forEach((type, i) => {
      if (type === 'event') expect(acksSoFar[i]).toBeGreaterThanOrEqual(i + 1 - acksSoFar[i]!)
    })
  })

  test('answers pipelined publishes in their order, good and bad ones mixed', async () => {
    const peer = await RawPeer.connect((await start()).port)
    const events = Array.from({ length: 50 }, (_, i) =>
      i % 5 === 4
        ? { ...sign(), sig: '00'.repeat(64) }
        : i % 7 === 6
          ? sign({ kind: 40000 - 1, createdAt: 2n ** 63n })
          : sign(),
    )
    for (const event of events) peer.say(publish(event))
    for (const event of events) expect((await peer.hearJson()).event_id).toBe(event.id)
  })

  test('calls a repeat a duplicate, stored or ephemeral, also when both are under way', async () => {
    const relay = await start()
    const [one, two] = [await RawPeer.connect(relay.port), await RawPeer.connect(relay.port)]
    for (const [kind, first] of [
      [1, 'stored'],
      [20000, 'forwarded'],
    ] as const) {
      const event = sign({ kind })
      one.say(publish(event))
      one.say(publish(event))
      two.say(publish(event))
      const statuses = [await one.hearJson(), await one.hearJson(), await two.hearJson()].map(
        (ack) => ack.status,
      )
      expect(statuses.sort()).toEqual(['duplicate', 'duplicate', first].sort())
      expect((await two.ask(publish(event))).status).toBe('duplicate')
    }
  })

  test('gives a duplicate the seq of the event that is stored', async () => {
    const peer = await RawPeer.connect((await start()).port)
    const event = sign()
    const { seq } = await peer.ask(publish(event))
    await peer.ask(publish(sign()))
    expect(await peer.ask(publish(event))).toMatchObject({ status: 'duplicate', seq })
  })

  test('verifies in full when a known id comes with another signature', async () => {
    const peer = await RawPeer.connect((await start()).port)
    const event = sign()
    await peer.ask(publish(event))
    expect((await peer.ask(publish({ ...event, sig: '11'.repeat(64) }))).code).toBe('invalid_signature')
  })

  test('calls an older replaceable event superseded and sends it to nobody', async () => {
    const peer = await RawPeer.connect((await start()).port)
    const older = sign({ kind: 10001 })
    const newer = sign({ kind: 10001 })
    await peer.ask(publish(newer))
    await peer.ask(subscribe('a', {}))
    expect((await peer.ask(publish(older))).status).toBe('superseded')
    const next = sign()
    expect((await peer.ask(publish(next))).status).toBe('stored')
    expect((await peer.hearJson()).event).toMatchObject({ event_id: next.id })
  })

  test('takes events from inside through the same stages', async () => {
    const relay = await start()
    const peer = await RawPeer.connect(relay.port)
    await peer.ask(subscribe('a', {}))
    const event = sign()
    expect(await relay.publish(event)).toEqual({ ok: true, status: 'stored', seq: 1n })
    expect((await peer.hearJson()).event).toMatchObject({ event_id: event.id })
    expect(await relay.publish({ ...event, sig: '00'.repeat(64) })).toMatchObject({
      code: 'invalid_signature',
    })
  })

  test('lets a subscribe behind a publish find the event', async () => {
    const peer = await RawPeer.connect((await start()).port)
    const event = sign()
    peer.say(publish(event))
    peer.say(subscribe('a', { ids: [event.id] }))
    expect((await peer.hearJson()).type).toBe('ack')
    expect((await peer.hearJson()).type).toBe('subscribed')
    expect(await peer.hearJson()).toMatchObject({ type: 'event', stored: true })
    expect(await peer.hearJson()).toMatchObject({ type: 'eose', sub_id: 'a' })
  })
})

describe('subscriptions', () => {
  test('get one event each when two of a connection match', async () => {
    const peer = await RawPeer.connect((await start()).port)
    await peer.ask(subscribe('a', { kinds: [1] }))
    await peer.ask(subscribe('b', { kinds: [1] }, {}))
    await peer.ask(publish(sign()))
    expect([(await peer.hearJson()).sub_id, (await peer.hearJson()).sub_id].sort()).toEqual(['a', 'b'])
  })

  test('are replaced by the same sub_id and end with unsubscribe, which an unknown id may also ask for', async () => {
    const relay = await start()
    const peer = await RawPeer.connect(relay.port)
    await peer.ask(subscribe('a', { kinds: [1] }))
    await peer.ask(subscribe('a', { kinds: [2] }))
    expect(relay.stats().subscriptions).toBe(1)
    await peer.ask(publish(sign({ kind: 1 })))
    await peer.ask(publish(sign({ kind: 2 })))
    expect((await peer.hearJson()).event).toMatchObject({ kind: 2 })
    expect(await peer.ask({ type: 'unsubscribe', sub_id: 'a' })).toEqual({
      type: 'unsubscribed',
      sub_id: 'a',
    })
    expect(await peer.ask({ type: 'unsubscribe', sub_id: 'nope' })).toEqual({
      type: 'unsubscribed',
      sub_id: 'nope',
    })
    expect(relay.stats().subscriptions).toBe(0)
  })

  test('without filters match nothing', async () => {
    const peer = await RawPeer.connect((await start()).port)
    await peer.ask(subscribe('a'))
    await peer.ask(publish(sign()))
    expect((await peer.ask({ type: 'unsubscribe', sub_id: 'a' })).type).toBe('unsubscribed')
  })

  test('are gone when their connection is, however it ended', async () => {
    const ended: (() => void)[] = []
    const relay = await start({ onEvent: (event) => event.type === 'disconnected' && ended.shift()?.() })
    const gone = () => new Promise<void>((resolve) => ended.push(resolve))
    for (const end of [
      (peer: RawPeer) => peer.close(),
      (peer: RawPeer) => peer.socket.destroy(),
      (peer: RawPeer) => peer.socket.resetAndDestroy(),
      (peer: RawPeer) => peer.socket.end(),
    ]) {
      const peer = await RawPeer.connect(relay.port)
      await peer.ask(subscribe('a', {}))
      await peer.ask(subscribe('b', { kinds: [1], limit: 10 }))
      expect(relay.stats()).toMatchObject({ connections: 1, subscriptions: 2 })
      const waiting = gone()
      end(peer)
      await waiting
      expect(relay.stats().subscriptions).toBe(0)
    }
  })
})

test('binary content goes to peers with the feature base64 only, and what is not sent is counted', async () => {
  const seen: RelayEvent[] = []
  const relay = await start({ onEvent: (event) => seen.push(event) })
  const [plain, base64] = [await RawPeer.connect(relay.port), await RawPeer.connect(relay.port)]
  await base64.ask({ type: 'hello', version: 1, formats: ['json'], features: ['base64'] })
  for (const peer of [plain, base64]) await peer.ask(subscribe('a', {}))
  const event = sign({ content: Uint8Array.of(0xff, 0x00) })
  base64.say(writeMessage({ type: 'publish', event }, { base64: true }))
  expect((await base64.hearJson()).status).toBe('stored')
  expect((await base64.hearJson()).event).toMatchObject({ content: '/wA=', content_encoding: 'base64' })
  await relay.publish(sign({ content: 'text' }))
  expect((await plain.hearJson()).event).toMatchObject({ content: 'text' })
  expect(seen.filter(({ type }) => type === 'undeliverable')).toHaveLength(1)
})

test('a relay that closes answers what is in flight, ends subscriptions with closed, and closes with 1001', async () => {
  const relay = await start()
  const [author, reader] = [await RawPeer.connect(relay.port), await RawPeer.connect(relay.port)]
  await reader.ask(subscribe('a', {}))
  const events = Array.from({ length: 100 }, () => sign())
  for (const event of events) author.say(publish(event))
  await author.hearJson()
  const closing = relay.close()
  author.say(publish(sign()))
  const answers = []
  for (;;) {
    const answer = await author.hearJson().catch(() => undefined)
    if (answer === undefined) break
    answers.push(answer)
  }
  expect(answers.slice(0, 99).every(({ status }) => status === 'stored')).toBe(true)
  expect(answers.slice(99).every(({ code }) => code === 'going_away')).toBe(true)
  for (let i = 0; i < 100; i++) expect((await reader.hearJson()).type).toBe('event')
  expect(await reader.hearJson()).toEqual({
    type: 'closed',
    sub_id: 'a',
    code: 'going_away',
    error: 'going away',
  })
  expect((await reader.closed).code).toBe(1001)
  expect((await author.closed).code).toBe(1001)
  await closing
  await expect(RawPeer.connect(relay.port)).rejects.toThrow()
})

test('the info document names keys, epoch, formats and every limit of the welcome, also over HTTP', async () => {
  const secretKey = generateSecretKey()
  const relay = await start({ secretKey, name: 'test', policies: [...saneDefaults(), proofOfWork(3)] })
  const peer = await RawPeer.connect(relay.port)
  const welcome = await peer.ask({ type: 'hello', version: 1, formats: ['json'], features: ['info'] })
  const message = await peer.hearJson()
  expect(message.type).toBe('info')
  const overHttp = await fetch(`http://127.0.0.1:${relay.port}/v1/info`)
  expect(await overHttp.json()).toEqual(JSON.parse(JSON.stringify(message.info)))
  expect(relay.info).toMatchObject({
    name: 'test',
    pubkey: publicKeyOf(secretKey),
    pow_difficulty: 3,
    max_future_ms: 60_000,
  })
  expect(relay.info.limits).toEqual({ ...(welcome.limits as object) })
  expect(relay.info.epoch).toBe(welcome.epoch)
  expect((await fetch(`http://127.0.0.1:${relay.port}/`)).status).toBe(404)
})
