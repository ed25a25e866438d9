import { generateSecretKey, signEvent, writeEvent } from '@aetherkit/core'
import { describe, expect, test } from 'vitest'
import { WELCOME } from '../test/scripted-relay.js'
import { client, failure, relay, scripted, take, texts, until } from '../test/world.js'

describe('several relays', () => {
  test('an event that two relays bring comes once', async () => {
    const [one, two] = [await relay(), await relay()]
    const alice = await client([one.url, two.url])
    await until(() => alice.connected.length === 2)
    const live = alice.subscribe({ kinds: [1] })
    await live.stored
    await alice.publish({ kind: 1, content: 'a' }, { quorum: 2 })
    await alice.publish({ kind: 1, content: 'b' }, { quorum: 2 })
    const both = alice.subscribe({ kinds: [1], replay: true })
    await both.stored
    for (const subscription of [live, both]) {
      subscription.close()
      expect(texts(await take(subscription, 3)).sort()).toEqual(['a', 'b'])
    }
  })

  test('what only one of them has comes too', async () => {
    const [one, two] = [await relay(), await relay()]
    const bob = await client([one.url, two.url])
    await until(() => bob.connected.length === 2)
    const subscription = bob.subscribe({ kinds: [1] })
    await subscription.stored
    await (await client(one.url)).publish({ kind: 1, content: 'one' })
    await (await client(two.url)).publish({ kind: 1, content: 'two' })
    expect(texts(await take(subscription, 2)).sort()).toEqual(['one', 'two'])
  })

  test('an older version of a replaceable event is no news', async () => {
    const [one, two] = [await relay(), await relay()]
    const bob = await client([one.url, two.url])
    await until(() => bob.connected.length === 2)
    const subscription = bob.subscribe({ kinds: [10_001] })
    const everything = bob.subscribe({ kinds: [10_001] }, { outdated: true })
    await Promise.all([subscription.stored, everything.stored])
    const secret = generateSecretKey()
    const now = BigInt(Date.now()) * 1_000_000n
    await (await client(one.url, { signer: secret })).publish({
      kind: 10_001,
      content: 'new',
      createdAt: now,
    })
    expect(texts(await take(everything, 1))).toEqual(['new'])
    const late = await client(two.url, { signer: secret })
    await late.publish({ kind: 10_001, content: 'old', createdAt: now - 1n })
    await late.publish({ kind: 10_001, content: 'newest', createdAt: now + 1n })
    expect(texts(await take(everything, 2))).toEqual(['old', 'newest'])
    expect(texts(await take(subscription, 2))).toEqual(['new', 'newest'])
  })

  test('an event from long before a live subscription is no news, unless asked for', async () => {
    const { url } = await relay()
    const alice = await client(url)
    const live = alice.subscribe({ kinds: [1] })
    const all = alice.subscribe({ kinds: [1] }, { outdated: true })
    await Promise.all([live.stored, all.stored])
    await alice.publish({ kind: 1, content: 'ancient', createdAt: 1n })
    await alice.publish({ kind: 1, content: 'now' })
    expect(texts(await take(all, 2))).toEqual(['ancient', 'now'])
    expect(texts(await take(live, 1))).toEqual(['now'])
  })
})

describe('bad relays', () => {
  const event = signEvent(
    { kind: 1, createdAt: BigInt(Date.now()) * 1_000_000n, content: 'true' },
    generateSecretKey(),
  )
  const json = (changes: object = {}) => ({
    ...JSON.parse(writeEvent(event) ?? ''),
    created_at: `${event.createdAt}`,
    ...changes,
  })

  /** Answers every subscribe with these deliveries, then the end mark. */
  const delivering = (...messages: object[]) =>
    scripted((message, send) => {
      if (message.type === 'hello') send(WELCOME)
      if (message.type !== 'subscribe') return
      send({ type: 'subscribed', sub_id: message.sub_id })
      for (const each of messages) send({ type: 'event', sub_id: message.sub_id, ...each })
      send({ type: 'eose', sub_id: message.sub_id })
    })

  test('a tampered event is dropped and reported, the true one is not mistaken for it', async () => {
    const hostile = await delivering(
      { event: json({ content: 'false' }), stored: true },
      { event: json({ sig: '00'.repeat(64) }), stored: true },
      { event: json(), stored: true },
    )
    const alice = await client(hostile.url)
    const subscription = alice.subscribe({ kinds: [1], replay: true })
    await subscription.stored
    subscription.close()
    expect(texts(await take(subscription, 2))).toEqual(['true'])
    expect(alice.errors).toMatchObject([
      { code: 'INVALID_EVENT', rejectCode: 'id_mismatch', relay: hostile.url },
      { code: 'INVALID_EVENT', rejectCode: 'invalid_signature', relay: hostile.url },
    ])
  })

  test('an event for a subscription that is not ours, or that its filters do not match, is dropped', async () => {
    const hostile = await delivering(
      { sub_id: '999', event: json() },
      { sub_id: 'x', event: json() },
      { event: json() },
    )
    const alice = await client(hostile.url)
    const subscription = alice.subscribe({ kinds: [2], replay: true })
    await subscription.stored
    subscription.close()
    expect(await take(subscription, 1)).toEqual([])
  })

  test('garbage is reported, and a relay that goes on with it is dropped', async () => {
    const hostile = await scripted((message, send) => {
      if (message.type === 'hello') {
        send(WELCOME)
        for (let i = 0; i < 40; i++) send('{"type":"event"}')
      }
    })
    const alice = await client(hostile.url, { reconnect: { minMs: 60_000 } })
    await until(() => alice.connected.length === 0)
    expect(alice.errors[0]).toMatchObject({ code: 'INVALID_FRAME' })
    expect(alice.errors.length).toBeLessThan(40)
  })

  test('a refused subscription ends with REJECTED and the code of the relay', async () => {
    const strict = await scripted((message, send) => {
      if (message.type === 'hello') send(WELCOME)
      const { sub_id } = message
      if (message.type === 'subscribe')
        send({ type: 'closed', sub_id, code: 'restricted', error: 'restricted' })
    })
    const alice = await client(strict.url)
    const subscription = alice.subscribe({ kinds: [1] })
    expect(await failure(take(subscription, 1))).toMatchObject({ code: 'REJECTED', rejectCode: 'restricted' })
    expect(await failure(alice.query({ kinds: [1] }))).toMatchObject({
      code: 'REJECTED',
      rejectCode: 'restricted',
    })
  })
})
