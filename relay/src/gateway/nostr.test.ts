/** The Nostr gateway as a published client sees it (spec 9; NIP-01): both protocols, and the other surfaces. */
import { type Event, getEventHash, verifyEvent } from 'nostr-tools/pure'
import { describe, expect, test } from 'vitest'
import {
  nostrAuthor as author,
  ids,
  now,
  plain,
  query,
  signNostr as sign,
  subscribe,
} from '../../test/nostr-client.js'
import { NostrPeer } from '../../test/nostr-peer.js'
import { connectNostr as connect, startNostr as start } from '../../test/nostr-relay.js'
import { RawPeer } from '../../test/raw-peer.js'
import { createAuthor } from '../../test/signing.js'

describe('genuine Nostr events', () => {
  test('are published, stored newest first, and go out live exactly as they were signed', async () => {
    const relay = await start()
    const [one, two] = [await connect(relay), await connect(relay)]
    const tags = [['t', 'é'], ['', 'empty key'], ['ключ', 'value'], ['e'], ['r', 'x'.repeat(3000)]]
    const events = [
      sign({ created_at: now() - 2, tags, content: 'é \u2028 "q" \\ \u{1f600} \n\r\t\b\f\u0001' }),
      sign({ created_at: now() - 1, kind: 65_535 }),
      sign({ kind: 40_000 }),
    ]
    for (const event of events) expect(await one.publish(event)).toBe('accepted')
    const { stored, next } = await subscribe(two, { authors: [author] })
    expect(stored.map(plain)).toEqual(events.toReversed())
    expect(stored.every((event) => verifyEvent(event))).toBe(true)
    const live = sign({ content: 'live' })
    await one.publish(live)
    expect(plain(await next())).toEqual(live)
  })

  test('are told apart by their hash: what neither hash fits is refused, and no signature counts for the other', async () => {
    const peer = await NostrPeer.connect(await start())
    const good = sign()
    const aether = createAuthor().sign()
    const cases: [object, string][] = [
      [{ ...good, content: 'tampered' }, 'invalid: event_id mismatch'],
      [{ ...good, sig: 'ab'.repeat(64) }, 'invalid: invalid signature'],
      [{ ...good, sig: sign({ content: 'other' }).sig }, 'invalid: invalid signature'],
      // The key of an Aether author is no Nostr author: the hash is right, the signature is by nobody.
      [withRightHash({ ...good, pubkey: aether.pubkey, sig: aether.sig }), 'invalid: invalid signature'],
      [{ ...good, id: aether.id }, 'invalid: event_id mismatch'],
    ]
    for (const [event, text] of cases)
      expect(await peer.ask(['EVENT', event])).toEqual(['OK', (event as Event).id, false, text])
    expect(await peer.query({})).toEqual([])
  })

  test('are judged by the time limits in their seconds', async () => {
    const client = await connect(await start())
    await expect(client.publish(sign({ created_at: now() + 3600 }))).rejects.toThrow(
      'invalid: created_at outside allowed window',
    )
    await expect(client.publish(sign({ kind: 20_001, created_at: now() - 3600 }))).rejects.toThrow(
      'invalid: created_at outside allowed window',
    )
    expect(await client.publish(sign({ created_at: 1 }))).toBe('accepted')
  })

  test('follow the rules of NIP-01: kinds 0 and 3 are replaced too, and ephemeral ones are not stored', async () => {
    const client = await connect(await start())
    const at = now() - 100
    for (const [kind, tags] of [
      [0, []],
      [3, []],
      [10_002, []],
      [30_023, [['d', 'a']]],
    ] as [number, string[][]][]) {
      const [old, middle, newest] = [0, 1, 2].map((i) => sign({ kind, tags, created_at: at + i }))
      await client.publish(middle!)
      expect(await client.publish(old!)).toBe('duplicate: have a newer event')
      expect(await client.publish(newest!)).toBe('accepted')
      expect(await client.publish(newest!)).toBe('duplicate: already have this event')
      expect(ids(await query(client, { kinds: [kind] }))).toEqual([newest!.id])
    }
    await client.publish(sign({ kind: 20_001, content: 'gone' }))
    expect(await query(client, { kinds: [20_001] })).toEqual([])
  })

  test('are not mixed up with Aether events: those follow their own rules on the same port', async () => {
    const relay = await start()
    const [client, peer] = [await connect(relay), await NostrPeer.connect(relay)]
    const aether = createAuthor()
    const profiles = [aether.sign({ kind: 0 }), aether.sign({ kind: 0 })]
    for (const { id } of profiles) {
      const text = profiles.find((event) => event.id === id)
      expect(await peer.ask(`["EVENT",${wire(text!)}]`)).toEqual(['OK', id, true, 'accepted'])
    }
    const profile = sign({ kind: 0 })
    await client.publish(profile)
    const all = await peer.query({ kinds: [0] })
    // Both versions of the Aether author, the one of the Nostr author, newest first; each under its own form.
    expect(new Set(ids(all))).toEqual(new Set([...ids(profiles), profile.id]))
    expect(all.find(({ id }) => id === profile.id)).toEqual(profile)
    expect(all.find(({ id }) => id === profiles[0]?.id)).toMatchObject({
      event_id: profiles[0]?.id,
      created_at: profiles[0]?.createdAt,
    })
    // The published client drops what is no Nostr event.
    expect(ids(await query(client, { kinds: [0] }))).toEqual([profile.id])
  })
})

describe('requests', () => {
  test('take seconds in since and until, and until reaches to the end of its second', async () => {
    const relay = await start()
    const [client, peer] = [await connect(relay), await NostrPeer.connect(relay)]
    const at = now() - 100
    const events = [at, at + 1, at + 2].map((created_at) => sign({ created_at }))
    for (const event of events) await client.publish(event)
    expect(ids(await query(client, { since: at + 1, until: at + 1 }))).toEqual([events[1]!.id])
    const aether = createAuthor().sign({ createdAt: BigInt(at) * 1_000_000_000n + 999_999_999n })
    await peer.ask(`["EVENT",${wire(aether)}]`)
    expect(ids(await peer.query({ since: at, until: at }))).toEqual([aether.id, events[0]!.id])
    expect(ids(await peer.query({ until: String(aether.createdAt - 1n), since: 1 }))).toEqual([events[0]!.id])
  })

  test('take hex prefixes of any length, also odd ones, and a limit for each filter', async () => {
    const peer = await NostrPeer.connect(await start())
    const events = [3, 2, 1].map((ago) => sign({ created_at: now() - ago }))
    for (const event of events) await peer.ask(['EVENT', event])
    const newest = ids(events).reverse()
    const other = author[6] === '0' ? '1' : '0'
    for (const length of [1, 7, 32, 33, 64])
      expect(ids(await peer.query({ authors: [author.slice(0, length)] }))).toEqual(newest)
    expect(await peer.query({ authors: [author.slice(0, 6) + other] })).toEqual([])
    expect(ids(await peer.query({ limit: 2 }, { ids: [events[0]!.id.slice(0, 9)] }))).toEqual(newest)
    expect(ids(await peer.query({ limit: 2 }))).toEqual(newest.slice(0, 2))
    expect(await peer.query({ limit: 0 })).toEqual([])
  })

  test('end with CLOSE, and the same id replaces', async () => {
    const relay = await start()
    const peer = await NostrPeer.connect(relay)
    expect(await peer.ask(['REQ', 'a', { kinds: [1] }])).toEqual(['EOSE', 'a'])
    expect(await peer.ask(['REQ', 'a', { kinds: [2] }])).toEqual(['EOSE', 'a'])
    expect(relay.stats().subscriptions).toBe(1)
    expect((await peer.ask(['EVENT', sign({ kind: 1 })]))[0]).toBe('OK')
    expect((await peer.ask(['EVENT', sign({ kind: 2 })]))[0]).toBe('OK')
    expect((await peer.hear()).slice(0, 2)).toEqual(['EVENT', 'a'])
    peer.say(['CLOSE', 'a'])
    expect((await peer.ask(['EVENT', sign({ kind: 2, content: 'y' })]))[0]).toBe('OK')
    expect(await peer.ask(['COUNT', 'c', { kinds: [2] }])).toEqual(['COUNT', 'c', { count: 2 }])
    expect(relay.stats().subscriptions).toBe(0)
  })

  test('are told with CLOSED when the relay drains', async () => {
    const relay = await start()
    const peer = await NostrPeer.connect(relay)
    await peer.ask(['REQ', 'a', {}])
    const closing = relay.close()
    expect(await peer.hear()).toEqual(['CLOSED', 'a', 'error: going away'])
    expect((await peer.raw.closed).code).toBe(1001)
    await closing
  })
})

describe('other surfaces', () => {
  test('see Aether events of the Nostr port at once, and Nostr events only by the feature, marked', async () => {
    const relay = await start({ http: {} })
    const client = await connect(relay)
    const [plain, marked, frames] = await Promise.all([0, 1, 2].map(() => RawPeer.connect(relay.port)))
    const hello = { type: 'hello', version: 1 }
    expect(await marked!.ask({ ...hello, formats: ['json'], features: ['nostr'] })).toMatchObject({
      features: expect.arrayContaining(['nostr']),
    })
    expect((await frames!.ask({ ...hello, formats: ['aether.v2'], features: ['nostr'] })).format).toBe(
      'aether.v2',
    )
    const stored = sign({ content: 'stored' })
    await client.publish(stored)
    const subscription = { type: 'subscribe', sub_id: 's', filters: [{ replay: true }] }
    expect((await plain!.ask(subscription)).type).toBe('subscribed')
    expect((await plain!.hearJson()).type).toBe('eose')
    expect((await marked!.ask(subscription)).type).toBe('subscribed')
    expect(await marked!.hearJson()).toMatchObject({
      type: 'event',
      proto: 'nostr',
      stored: true,
      event: stored,
    })
    const { cursor } = await marked!.hearJson()
    const live = sign({ content: 'live' })
    await client.publish(live)
    const aether = createAuthor().sign()
    await relay.publish(aether)
    expect(await marked!.hearJson()).toMatchObject({ proto: 'nostr', event: live })
    expect(await marked!.hearJson()).toMatchObject({ event: { event_id: aether.id } })
    expect(await plain!.hearJson()).toMatchObject({ event: { event_id: aether.id } })
    // Going on from a cursor gives both, in one order.
    expect((await marked!.ask({ ...subscription, sub_id: 't', after: cursor })).gap).toBe(false)
    expect(await marked!.hearJson()).toMatchObject({ proto: 'nostr', event: live })
    expect(await marked!.hearJson()).toMatchObject({ event: { event_id: aether.id } })
    expect((await marked!.hearJson()).type).toBe('eose')
    const overHttp = await fetch(`${relay.http?.url}/v1/events/${stored.id}`)
    expect(overHttp.status).toBe(404)
    expect(JSON.stringify(await (await fetch(`${relay.http?.url}/v1/query?limit=10`)).json())).not.toContain(
      stored.id,
    )
  })
})

/** As it travels: `id` in place of `event_id`. */
function wire(event: ReturnType<ReturnType<typeof createAuthor>['sign']>): string {
  const { id, pubkey, kind, createdAt, tags, content, sig } = event
  const text = JSON.stringify({ id, pubkey, kind, tags, content: Buffer.from(content).toString(), sig })
  return `{"created_at":${createdAt},${text.slice(1)}`
}

function withRightHash(event: Event): Event {
  return { ...event, id: getEventHash(event) }
}
