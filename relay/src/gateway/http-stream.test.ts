/** Event streams of HTTP subscriptions (spec 7.3, 7.4, 10.4). */
import { type Event, isJsonObject, type JsonObject, writeEvent } from '@aetherkit/core'
import { describe, expect, test } from 'vitest'
import { ask, author, publish, relay, start, stream, subscribe } from '../../test/http-relay.js'
import { RawPeer } from '../../test/raw-peer.js'

const idOf = (data: JsonObject) => (isJsonObject(data.event) ? data.event.event_id : undefined)

describe('a stream', () => {
  test('carries events as frames with a cursor, one line of JSON each', async () => {
    await start()
    await subscribe({ filters: { kinds: [1] }, subscription_id: 's' })
    const reader = await stream('s')
    expect(reader.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
    })
    await publish({ kind: 2 })
    const event = await publish({ content: 'a\nb\r\nc' })
    const block = await reader.next()
    expect(block).toMatchObject({ id: `${relay.info.epoch}-2`, event: 'event' })
    expect(block?.data).toBe(`{"type":"event","sub_id":"s","event":${writeEvent(event)},"seq":2}`)
  })

  test('without an id is 400, of an unknown id 404', async () => {
    await start()
    const missing = await ask('GET /v1/stream')
    expect([missing.status, missing.json]).toEqual([
      400,
      { error: 'invalid_message', message: 'subscription_id required', code: 'invalid_message' },
    ])
    const unknown = await ask('GET /v1/stream?subscription_id=x')
    expect([unknown.status, unknown.json.error]).toEqual([404, 'subscription_not_found'])
    await subscribe({ filters: {}, subscription_id: 's' })
    expect((await ask('HEAD /v1/stream?subscription_id=s')).status).toBe(200)
  })

  test('gives every reader every event, once and in order', async () => {
    await start()
    await subscribe({ filters: {}, subscription_id: 's' })
    await subscribe({ filters: [{ kinds: [1] }, {}], subscription_id: 't' })
    const readers = await Promise.all(['s', 's', 't', 's'].map((id) => stream(id)))
    const events: Event[] = []
    for (let i = 0; i < 200; i++) events.push(author.sign({ kind: i % 2 === 0 ? 1 : 20_000 }))
    await Promise.all(events.map((event) => relay.publish(event)))
    const orders = await Promise.all(
      readers.map(async (reader) => {
        const ids: unknown[] = []
        while (ids.length < events.length) ids.push(idOf(await reader.nextJson()))
        return ids
      }),
    )
    expect(new Set(orders[0]).size).toBe(events.length)
    for (const order of orders) expect(order).toEqual(orders[0])
  })

  test('begins with what was published since the subscription was made, or the last reader left', async () => {
    await start()
    await publish()
    await subscribe({ filters: {}, subscription_id: 's' })
    const early = await publish({ kind: 20_000 })
    const first = await stream('s')
    expect(idOf(await first.nextJson())).toBe(early.id)
    const second = await publish()
    expect(idOf(await first.nextJson())).toBe(second.id)
    first.close()
    await expect.poll(async () => (await ask('GET /healthz')).json.stream_readers).toBe(0)
    const missed = await publish()
    expect(idOf(await (await stream('s')).nextJson())).toBe(missed.id)
  })

  test('gives stored events when the filters ask for them: newest first, without ids, then eose, then live', async () => {
    await start()
    const events = [await publish(), await publish(), await publish()]
    await subscribe({ filters: { limit: 2 }, subscription_id: 's' })
    const reader = await stream('s')
    for (const event of [events[2], events[1]]) {
      const block = await reader.next()
      expect(block?.id).toBeUndefined()
      expect(block?.data).toContain(`"event_id":"${event?.id}"`)
      expect(block?.data).toContain('"stored":true')
    }
    expect(await reader.next()).toEqual({
      id: `${relay.info.epoch}-3`,
      event: 'eose',
      data: `{"type":"eose","sub_id":"s","cursor":"${relay.info.epoch}-3"}`,
    })
    const live = await publish()
    expect(idOf(await reader.nextJson())).toBe(live.id)
    expect(reader.lastId).toBe(`${relay.info.epoch}-4`)
  })

  test('resumes behind Last-Event-ID, or ?after=, with the header first', async () => {
    await start()
    await subscribe({ filters: {}, subscription_id: 's' })
    const events = [await publish(), await publish({ kind: 20_001 }), await publish()]
    const cursor = (seq: number) => `${relay.info.epoch}-${seq}`
    const ids = async (count: number, ...how: [headers?: object, more?: string]) => {
      const reader = await stream('s', { ...how[0] }, how[1])
      const found: unknown[] = []
      while (found.length < count) found.push(idOf(await reader.nextJson()))
      reader.close()
      return found
    }
    const wanted = events.map(({ id }) => id)
    expect(await ids(2, { 'last-event-id': cursor(1) })).toEqual(wanted.slice(1))
    expect(await ids(3, {}, `&after=${cursor(0)}`)).toEqual(wanted)
    expect(await ids(1, { 'last-event-id': cursor(2) }, `&after=${cursor(0)}`)).toEqual(wanted.slice(2))
  })

  test('that cannot be resumed without loss says gap first, then sends the stored part anew', async () => {
    await start()
    const events = [await publish(), await publish()]
    await subscribe({ filters: {}, subscription_id: 's' })
    for (const cursor of ['0123456789abcdef-1', 'x', `${relay.info.epoch}-99`]) {
      const reader = await stream('s', { 'last-event-id': cursor })
      expect(await reader.nextJson('gap')).toEqual({ type: 'gap', sub_id: 's' })
      expect(idOf(await reader.nextJson())).toBe(events[1]?.id)
      expect(idOf(await reader.nextJson())).toBe(events[0]?.id)
      expect((await reader.nextJson('eose')).cursor).toBe(`${relay.info.epoch}-2`)
      reader.close()
    }
  })

  test('beats when it is silent, and the beat carries the cursor', async () => {
    await start({ limits: { heartbeatMs: 50 } })
    await subscribe({ filters: { kinds: [7] }, subscription_id: 's' })
    const reader = await stream('s')
    await publish()
    await publish()
    const last = `${relay.info.epoch}-2`
    let block = await reader.next()
    while (block !== undefined && block.id !== last) block = await reader.next()
    expect(block).toEqual({ comment: 'heartbeat', id: last })
  })

  test('goes on with the new filters when the owner sets them', async () => {
    await start()
    await subscribe({ filters: { kinds: [1] }, subscription_id: 's' })
    const reader = await stream('s')
    const old = await publish({ kind: 2 })
    const first = await publish({ kind: 1 })
    expect(idOf(await reader.nextJson())).toBe(first.id)
    await subscribe({ filters: { kinds: [2] }, subscription_id: 's' })
    await publish({ kind: 1 })
    const second = await publish({ kind: 2 })
    expect(idOf(await reader.nextJson())).toBe(second.id)
    expect(old.kind).toBe(2)
  })

  test('ends with closed when its subscription is deleted, and when the relay drains', async () => {
    await start()
    for (const [subscription_id, end, code] of [
      ['s', () => ask('DELETE /v1/subscriptions/s'), 'subscription_not_found'],
      ['t', () => relay.close(), 'going_away'],
    ] as const) {
      await subscribe({ filters: {}, subscription_id })
      const reader = await stream(subscription_id)
      await end()
      expect(await reader.nextJson('closed')).toMatchObject({ sub_id: subscription_id, code })
      expect(await reader.next()).toBeUndefined()
    }
  })

  test('of a reader that stops is cut; others and publishers notice nothing, and it finds what it missed', async () => {
    const cut: unknown[] = []
    await start({
      limits: { outboxBytes: 1024 * 1024 },
      onEvent: (event) => void (event.type === 'slow_consumer' && cut.push(event.peer.address)),
    })
    await subscribe({ filters: {}, subscription_id: 's' })
    const [slow, quick] = [await stream('s'), await stream('s')]
    slow.pause()
    const content = 'x'.repeat(50_000)
    const sent: string[] = []
    const seen: unknown[] = []
    while (cut.length === 0) {
      sent.push((await publish({ content })).id)
      seen.push(idOf(await quick.nextJson()))
    }
    expect(seen).toEqual(sent)
    expect(cut).toEqual(['127.0.0.1'])
    expect((await ask('GET /healthz')).json.dropped_messages).toBeGreaterThan(0)
    slow.resume()
    await slow.closed
    const got = slow.blocks.map(({ data }) => data?.match(/"event_id":"([0-9a-f]+)"/)?.[1])
    const again = await stream('s', { 'last-event-id': slow.lastId })
    while (got.length < sent.length) got.push(String(idOf(await again.nextJson())))
    expect(got).toEqual(sent)
  })

  test('of a reader that takes nothing for two beats is cut', async () => {
    await start({ limits: { heartbeatMs: 200 } })
    await subscribe({ filters: {}, subscription_id: 's' })
    const reader = await stream('s')
    reader.pause()
    const readers = async () => (await ask('GET /healthz')).json.stream_readers
    for (let i = 0; i < 60; i++) await publish({ content: 'x'.repeat(100_000), kind: 20_000 })
    await expect.poll(readers).toBe(0)
  })

  test('leaves nothing behind when its reader is gone', async () => {
    await start()
    await subscribe({ filters: {}, subscription_id: 's' })
    const readers = await Promise.all(Array.from({ length: 20 }, () => stream('s')))
    expect(relay.stats().subscriptions).toBe(20)
    for (const reader of readers) reader.close()
    await expect.poll(() => relay.stats().subscriptions).toBe(0)
  })

  test('skips binary content unless the reader listed base64', async () => {
    await start()
    await subscribe({ filters: {}, subscription_id: 's' })
    const [plain, binary] = [await stream('s'), await stream('s', {}, '&features=base64')]
    await publish({ content: Uint8Array.of(0xff) })
    const text = await publish()
    expect(idOf(await plain.nextJson())).toBe(text.id)
    expect(await binary.nextJson()).toMatchObject({ event: { content: '/w==', content_encoding: 'base64' } })
  })

  test('gets what native peers publish, and they get what HTTP publishes', async () => {
    await start()
    const peer = await RawPeer.connect(relay.port)
    await peer.ask({ type: 'subscribe', sub_id: 'n', filters: [{}] })
    await subscribe({ filters: {}, subscription_id: 's' })
    const reader = await stream('s')
    const [fromHttp, fromPeer] = [author.sign(), author.sign()]
    await ask('POST /v1/events', { body: writeEvent(fromHttp) ?? '' })
    expect(idOf(await peer.hearJson())).toBe(fromHttp.id)
    peer.say(`{"type":"publish","event":${writeEvent(fromPeer)}}`)
    expect(idOf(await reader.nextJson())).toBe(fromHttp.id)
    expect(idOf(await reader.nextJson())).toBe(fromPeer.id)
  })
})
