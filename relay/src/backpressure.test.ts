/** Bounded outboxes and windows: a peer that stalls costs nobody else anything (spec 7.3). */
import { createClock, type Event, generateSecretKey, signEvent, writeMessage } from '@aetherkit/core'
import { createRelay, type Relay, type RelayEvent, type RelayOptions } from '@aetherkit/relay'
import { afterEach, expect, test } from 'vitest'
import { RawPeer } from '../test/raw-peer.js'

const key = generateSecretKey()
const clock = createClock()
const sign = (content: string, kind = 1): Event => signEvent({ kind, content, createdAt: clock() }, key)
const publish = (event: Event) => writeMessage({ type: 'publish', event })
const subscribe = { type: 'subscribe', sub_id: 'a', filters: [{}] }

let relay: Relay
const seen: RelayEvent[] = []
async function start(options: RelayOptions = {}): Promise<void> {
  seen.length = 0
  relay = await createRelay({ verifyWorkers: 1, onEvent: (event) => seen.push(event), ...options })
}
const count = (type: RelayEvent['type']) => seen.filter((event) => event.type === type).length
afterEach(() => relay.close())

test('a reader that stalls is cut with slow_consumer and 1013; publishers and other readers notice nothing', async () => {
  await start({ limits: { outboxBytes: 1024 * 1024 } })
  const author = await RawPeer.connect(relay.port)
  const [stalled, reader] = [await RawPeer.connect(relay.port), await RawPeer.connect(relay.port)]
  for (const peer of [stalled, reader]) await peer.ask(subscribe)
  stalled.socket.pause()
  const body = 'x'.repeat(400_000)
  let published = 0
  while (count('slow_consumer') === 0) {
    expect((await author.ask(publish(sign(body)))).status).toBe('stored')
    expect((await reader.hearJson()).type).toBe('event')
    expect(++published).toBeLessThan(200)
  }
  expect(relay.stats()).toMatchObject({ subscriptions: 1 })
  stalled.socket.resume()
  expect(await stalled.closed).toEqual({ code: 1013, reason: 'slow_consumer' })
  expect(stalled.heard.length).toBeLessThan(published)
  for (const { payload } of stalled.heard) expect(JSON.parse(payload.toString()).type).toBe('event')
  expect((await author.ask(publish(sign('after')))).status).toBe('stored')
})

test('a stalled reader of many small messages is cut by their number', async () => {
  await start({ limits: { outboxMessages: 600 } })
  const stalled = await RawPeer.connect(relay.port)
  await stalled.ask(subscribe)
  stalled.socket.pause()
  const filler = 'x'.repeat(300_000)
  for (let i = 0; i < 60 && count('slow_consumer') === 0; i++) await relay.publish(sign(filler, 20000))
  for (let i = 0; i < 40 && count('slow_consumer') === 0; i++)
    await Promise.all(Array.from({ length: 50 }, () => relay.publish(sign('small', 20000))))
  expect(count('slow_consumer')).toBe(1)
})

test('a burst far above the cap of messages does not cut a reader that reads', async () => {
  await start({ limits: { outboxMessages: 1024 } })
  const reader = await RawPeer.connect(relay.port)
  await reader.ask(subscribe)
  const events = Array.from({ length: 5000 }, (_, i) => sign(`${i}`, 20000))
  await Promise.all(events.map((event) => relay.publish(event)))
  for (const event of events) expect((await reader.hearJson()).event).toMatchObject({ event_id: event.id })
})

test('reading stops while publishes without an answer exceed the window, and goes on after', async () => {
  let most = 0
  await start({
    limits: { unackedPublishes: 16 },
    onEvent: () => {
      most = Math.max(most, relay.stats().publishes)
    },
  })
  const author = await RawPeer.connect(relay.port)
  const events = Array.from({ length: 500 }, () => sign('x'.repeat(8000)))
  for (const event of events) author.say(publish(event))
  for (const event of events) expect((await author.hearJson()).event_id).toBe(event.id)
  // What was read in one piece with the message that filled the window is taken too: 64 KiB of these.
  expect(most).toBeLessThanOrEqual(16 + 64)
})

test('a peer that says nothing right is answered to each in its order, and holds up nobody', async () => {
  await start()
  const [hostile, author] = [await RawPeer.connect(relay.port), await RawPeer.connect(relay.port)]
  const ids = Array.from({ length: 2000 }, (_, i) => `sub-${i}`)
  for (const id of ids) hostile.say({ type: 'subscribe', sub_id: id, filters: 1 })
  for (let i = 0; i < 20; i++) expect((await author.ask(publish(sign(`${i}`)))).status).toBe('stored')
  for (const id of ids)
    expect(await hostile.hearJson()).toMatchObject({ code: 'invalid_message', sub_id: id })
  // Heard again as soon as it is right.
  expect((await hostile.ask(subscribe)).type).toBe('subscribed')
})

test('a replay larger than the outbox is paced by it and arrives whole', async () => {
  await start({ limits: { outboxBytes: 1024 * 1024, outboxMessages: 300 } })
  const body = 'x'.repeat(100_000)
  const ids: string[] = []
  for (let i = 0; i < 120; i++) {
    const event = sign(body)
    ids.unshift(event.id)
    await relay.publish(event)
  }
  const reader = await RawPeer.connect(relay.port)
  reader.say({ type: 'subscribe', sub_id: 'a', filters: [{ limit: 5000 }] })
  expect((await reader.hearJson()).type).toBe('subscribed')
  reader.socket.pause()
  const live = sign('live')
  await relay.publish(live)
  reader.socket.resume()
  for (const id of ids) expect((await reader.hearJson()).event).toMatchObject({ event_id: id })
  expect((await reader.hearJson()).type).toBe('eose')
  expect((await reader.hearJson()).event).toMatchObject({ event_id: live.id })
  expect(count('slow_consumer')).toBe(0)
})

test('a resume larger than the outbox is paced by it too', async () => {
  await start({ limits: { outboxBytes: 1024 * 1024 } })
  const ids: string[] = []
  for (let i = 0; i < 60; i++) {
    const event = sign('x'.repeat(100_000))
    ids.push(event.id)
    await relay.publish(event)
  }
  const reader = await RawPeer.connect(relay.port)
  reader.say({ type: 'subscribe', sub_id: 'a', filters: [{}], after: `${relay.info.epoch}-0` })
  expect((await reader.hearJson()).type).toBe('subscribed')
  for (const id of ids) expect((await reader.hearJson()).event).toMatchObject({ event_id: id })
  expect((await reader.hearJson()).type).toBe('eose')
  expect(count('slow_consumer')).toBe(0)
})
