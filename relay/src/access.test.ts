/** Gates of reading, rule by path: live, stored, resumed, counted, on every surface (spec 13.2). */
import { isJsonObject, publicKeyOf } from '@aetherkit/core'
import type { RelayOptions } from '@aetherkit/relay'
import { describe, expect, test } from 'vitest'
import { auth, hello, keys, login, proof, sign } from '../test/login.js'
import { NostrPeer } from '../test/nostr-peer.js'
import { RawPeer } from '../test/raw-peer.js'
import { startRelay as start } from '../test/start-relay.js'

const [alice, bob, carol] = keys.map((key) => publicKeyOf(key)) as [string, string, string]

describe('a read gate', () => {
  const gate: RelayOptions = {
    nostr: {},
    http: {},
    auth: {
      read: [
        {
          kinds: [
            [4, 4],
            [20_004, 20_004],
          ],
          allow: 'parties',
        },
      ],
    },
  }
  const subscribe = (filter: object, more: object = {}) => ({
    type: 'subscribe',
    sub_id: 's',
    filters: [filter],
    ...more,
  })
  const letter = (kind = 4) => sign(kind, [['p', bob]])

  test('tells who has proven nothing when a filter names a gated kind, and leaves it out elsewhere', async () => {
    const relay = await start(gate)
    await relay.publish(letter())
    const peer = await RawPeer.connect(relay.port)
    expect((await peer.ask(subscribe({ kinds: [1, 4] }))).type).toBe('auth')
    expect(await peer.hearJson()).toMatchObject({ type: 'error', code: 'auth_required', sub_id: 's' })
    expect((await peer.ask(subscribe({ replay: true }))).type).toBe('subscribed')
    expect((await peer.hearJson()).type).toBe('eose')
  })

  test.each(['stored', 'live', 'resumed', 'live while a replay runs'])(
    'holds for %s events: author and recipient read, others do not',
    async (path) => {
      const relay = await start(gate)
      const kind = path === 'live' ? 20_004 : 4
      const peers = await Promise.all([
        login(relay, keys[0]),
        login(relay, keys[1]),
        login(relay, keys[2]),
        login(relay),
      ])
      const last = sign(1)
      const cursor = `${String(relay.info.epoch)}-0`
      const filter = path === 'stored' || path.endsWith('runs') ? { replay: true } : {}
      const say = () =>
        Promise.all(
          peers.map(async (peer) => {
            const { type } = await peer.ask(subscribe(filter, path === 'resumed' ? { after: cursor } : {}))
            expect(type).toBe('subscribed')
          }),
        )
      if (path !== 'stored' && path !== 'resumed') await say()
      const event = letter(kind)
      expect((await relay.publish(event)).ok).toBe(true)
      if (path === 'stored' || path === 'resumed') await say()
      expect((await relay.publish(last)).ok).toBe(true)
      const seen = await Promise.all(
        peers.map(async (peer) => {
          const ids: unknown[] = []
          for (;;) {
            const { type, event } = await peer.hearJson()
            if (type !== 'event' || !isJsonObject(event)) continue
            if (event.event_id === last.id) return ids
            ids.push(event.event_id)
          }
        }),
      )
      expect(seen).toEqual([[event.id], [event.id], [], []])
    },
  )

  test('opens at once when a key is proven: a subscription sees what comes from then on', async () => {
    const relay = await start(gate)
    const peer = await RawPeer.connect(relay.port)
    await peer.ask(hello('json'))
    const { challenge } = await peer.hearJson()
    await peer.ask(subscribe({}))
    await relay.publish(letter())
    expect((await peer.ask(auth(proof(relay, challenge, keys[1])))).type).toBe('ack')
    const event = letter()
    await relay.publish(event)
    expect((await peer.hearJson()).event).toMatchObject({ event_id: event.id })
  })

  test('holds on HTTP, where nobody is known: by id, in a query, an export and a stream', async () => {
    const relay = await start(gate)
    const event = letter()
    await relay.publish(event)
    const url = relay.http?.url ?? ''
    expect((await fetch(`${url}/v1/events/${event.id}`)).status).toBe(404)
    for (const accept of ['application/json', 'application/x-ndjson']) {
      const answer = await fetch(`${url}/v1/query?limit=5`, { headers: { accept } })
      expect(answer.status).toBe(200)
      expect(await answer.text()).not.toContain(event.id)
    }
  })

  test('knows an Aether key on the Nostr side, and takes no key of the other protocol for it', async () => {
    const relay = await start(gate)
    const event = letter()
    await relay.publish(event)
    const peer = await NostrPeer.connect(relay)
    const answer = sign(
      22242,
      [
        ['relay', relay.nostr?.url ?? ''],
        ['challenge', peer.challenge],
      ],
      keys[1],
    )
    const { id, pubkey, kind, createdAt, tags, sig } = answer
    const rest = JSON.stringify({ id, pubkey, kind, tags, content: 'x', sig })
    expect(await peer.ask(`["AUTH",{"created_at":${createdAt},${rest.slice(1)}]`)).toEqual([
      'OK',
      id,
      true,
      'accepted',
    ])
    expect((await peer.query({ kinds: [4] })).map(({ id }) => id)).toEqual([event.id])
    expect(await peer.ask(['COUNT', 'c', { kinds: [4] }])).toEqual(['COUNT', 'c', { count: 1 }])
  })

  test('can be for one recipient, or for a list of readers', async () => {
    const read = [
      { recipients: [bob], allow: 'parties' as const },
      { kinds: [[7, 7]] as const, allow: [carol] },
    ]
    const relay = await start({ auth: { read } })
    const events = [sign(1, [['p', bob]]), sign(7), sign(1, [['p', alice]])]
    for (const event of events) await relay.publish(event)
    for (const [by, expected] of [
      [keys[0], [0, 2]],
      [keys[1], [0, 2]],
      [keys[2], [1, 2]],
    ] as const) {
      const peer = await login(relay, by)
      await peer.ask(subscribe({ replay: true }))
      const seen: unknown[] = []
      for (;;) {
        const { type, event } = await peer.hearJson()
        if (type === 'eose') break
        if (isJsonObject(event)) seen.push(event.event_id)
      }
      expect(seen).toEqual(expected.map((i) => events[i]!.id).reverse())
    }
  })
})
