/** Stored events and resuming, as a client sees them (spec 2.6, 2.7, 6.3, 7.4). */
import { openMemoryStore } from '@aetherkit/relay'
import { describe, expect, test } from 'vitest'
import { RawPeer } from '../test/raw-peer.js'
import { createAuthor, publishing as publish } from '../test/signing.js'
import { startRelay as start } from '../test/start-relay.js'

const { sign } = createAuthor()
const subscribe = (sub_id: string, ...filters: object[]) => ({ type: 'subscribe', sub_id, filters })

describe('stored events', () => {
  test('come newest first, each once however many filters want it, then the end mark, then live ones', async () => {
    const peer = await RawPeer.connect((await start()).port)
    const events = Array.from({ length: 9 }, (_, i) => sign({ kind: i % 3 }))
    for (const event of events) await peer.ask(publish(event))
    peer.say(subscribe('a', { kinds: [0, 1], replay: true }, { kinds: [1], limit: 2 }, { kinds: [2] }))
    expect((await peer.hearJson()).type).toBe('subscribed')
    const wanted = events.filter(({ kind }) => kind !== 2).reverse()
    for (const event of wanted)
      expect(await peer.hearJson()).toMatchObject({ stored: true, event: { event_id: event.id } })
    expect((await peer.hearJson()).type).toBe('eose')
    const live = sign({ kind: 2 })
    await peer.ask(publish(live))
    const heard = await peer.hearJson()
    expect(heard).toMatchObject({ event: { event_id: live.id } })
    expect(heard.stored).toBeUndefined()
  })

  test('are sent only when a filter asks: limit, since, ids or replay', async () => {
    const peer = await RawPeer.connect((await start()).port)
    const event = sign()
    await peer.ask(publish(event))
    for (const ask of [{ limit: 5 }, { since: 0 }, { ids: [event.id.slice(0, 5)] }, { replay: true }]) {
      peer.say(subscribe('a', ask))
      const types = [await peer.hearJson(), await peer.hearJson(), await peer.hearJson()].map(
        ({ type }) => type,
      )
      expect(types).toEqual(['subscribed', 'event', 'eose'])
    }
    peer.say(subscribe('a', { kinds: [1] }))
    peer.say({ type: 'unsubscribe', sub_id: 'a' })
    expect([(await peer.hearJson()).type, (await peer.hearJson()).type]).toEqual([
      'subscribed',
      'unsubscribed',
    ])
  })

  test('are limited per filter, by default and at most', async () => {
    const relay = await start({ limits: { defaultLimit: 3, maxLimit: 5 } })
    const peer = await RawPeer.connect(relay.port)
    for (let i = 0; i < 8; i++) await peer.ask(publish(sign()))
    for (const [filter, count] of [
      [{ replay: true }, 3],
      [{ limit: 100 }, 5],
      [{ limit: 2 }, 2],
      [{ limit: 0 }, 0],
    ] as const) {
      await peer.ask(subscribe('a', filter))
      for (let i = 0; i < count; i++) expect((await peer.hearJson()).stored).toBe(true)
      expect((await peer.hearJson()).type).toBe('eose')
    }
  })

  test('are hidden once they expire', async () => {
    let now = 1_700_000_000n * 10n ** 9n
    const peer = await RawPeer.connect((await start({ now: () => now })).port)
    const event = sign({ createdAt: now, tags: [['expiration', '1700000060']] })
    await peer.ask(publish(event))
    peer.say(subscribe('a', { replay: true }))
    expect(
      [await peer.hearJson(), await peer.hearJson(), await peer.hearJson()].map((m) => m.type),
    ).toContain('event')
    now += 60n * 10n ** 9n
    await peer.ask(subscribe('b', { replay: true }))
    expect(await peer.hearJson()).toMatchObject({
      type: 'eose',
      sub_id: 'b',
      cursor: expect.stringMatching(/^[a-z0-9]{16}-\d+$/),
    })
  })

  test('are hidden past retention, and an event that is past it is forwarded, not stored', async () => {
    let now = 10n ** 18n
    const peer = await RawPeer.connect((await start({ now: () => now, retentionNs: 1000n })).port)
    await peer.ask(publish(sign({ createdAt: now })))
    await peer.ask(subscribe('live', {}))
    const past = sign({ createdAt: now - 1001n })
    expect((await peer.ask(publish(past))).status).toBe('forwarded')
    expect((await peer.hearJson()).event).toMatchObject({ event_id: past.id })
    peer.say(subscribe('a', { replay: true }))
    expect([await peer.hearJson(), await peer.hearJson(), await peer.hearJson()].map((m) => m.type)).toEqual([
      'subscribed',
      'event',
      'eose',
    ])
    now += 1001n
    await peer.ask(subscribe('b', { replay: true }))
    expect((await peer.hearJson()).type).toBe('eose')
  })
})

describe('resuming', () => {
  test('behind a cursor brings what was missed, ephemeral too, in order of seq, and no more', async () => {
    const relay = await start()
    const [author, reader] = [await RawPeer.connect(relay.port), await RawPeer.connect(relay.port)]
    const { cursor } = await author.ask(publish(sign()))
    const missed = [sign(), sign({ kind: 20001 }), sign({ kind: 2 }), sign({ kind: 10005 })]
    for (const event of missed) await author.ask(publish(event))
    reader.say({ ...subscribe('a', { kinds: [1, 20001, 10005] }), after: cursor })
    expect(await reader.hearJson()).toEqual({ type: 'subscribed', sub_id: 'a', gap: false })
    for (const event of [missed[0]!, missed[1]!, missed[3]!])
      expect(await reader.hearJson()).toMatchObject({ stored: true, event: { event_id: event.id } })
    expect((await reader.hearJson()).type).toBe('eose')
    const live = sign()
    await author.ask(publish(live))
    expect((await reader.hearJson()).event).toMatchObject({ event_id: live.id })
  })

  test('says gap and sends the stored part anew for another epoch, a future seq, or what is no cursor', async () => {
    const relay = await start()
    const peer = await RawPeer.connect(relay.port)
    await peer.ask(publish(sign()))
    for (const after of ['aaaaaaaaaaaaaaaa-1', `${relay.info.epoch}-99`, 'rubbish', '']) {
      expect(await peer.ask({ ...subscribe('a', {}), after })).toMatchObject({ gap: true })
      expect(await peer.hearJson()).toMatchObject({ stored: true, seq: 1 })
      expect((await peer.hearJson()).type).toBe('eose')
    }
  })

  test('says gap after a restart to who may have missed ephemeral events, and none to who cannot have', async () => {
    const store = openMemoryStore()
    const keep = {
      ...store,
      get lastSeq() {
        return store.lastSeq
      },
      close: async () => {},
    }
    const before = await start({ store: keep })
    const author = await RawPeer.connect(before.port)
    const { cursor } = await author.ask(publish(sign()))
    const missed = sign()
    await author.ask(publish(missed))
    await before.close()
    const peer = await RawPeer.connect((await start({ store: keep })).port)
    expect(await peer.ask({ ...subscribe('a', {}), after: cursor })).toMatchObject({ gap: true })
    for (let i = 0; i < 3; i++) await peer.hearJson()
    expect(await peer.ask({ ...subscribe('b', { kinds: [1] }), after: cursor })).toMatchObject({ gap: false })
    expect((await peer.hearJson()).event).toMatchObject({ event_id: missed.id })
    expect((await peer.hearJson()).type).toBe('eose')
  })
})
