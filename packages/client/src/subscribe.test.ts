import { describe, expect, test } from 'vitest'
import { WELCOME } from '../test/scripted-relay.js'
import { client, failure, proxy, relay, scripted, take, texts, until } from '../test/world.js'
import type { Subscription } from './subscribe.js'

/** Reads on in the background. */
function collect(subscription: Subscription): string[] {
  const seen: string[] = []
  const read = async () => {
    for await (const event of subscription) seen.push(event.text)
  }
  read().catch((error: unknown) => seen.push(String(error)))
  return seen
}

describe.each([
  ['aether.v2', 'off'],
  ['json', 'off'],
  ['aether.v2', 'xx'],
  ['json', 'xx'],
] as const)('subscribe over %s, noise %s', (format, noise) => {
  const options = { formats: [format], noise }

  test('stored events come first, then the mark, then live ones, none twice at the seam', async () => {
    const { url } = await relay()
    const alice = await client(url, options)
    const bob = await client(url, options)
    for (const content of ['1', '2', '3']) await alice.publish({ kind: 1, content })
    const subscription = bob.subscribe({ kinds: [1], replay: true })
    const publishing = Array.from({ length: 50 }, (_, i) => alice.publish({ kind: 1, content: `${i + 4}` }))
    await subscription.stored
    await Promise.all(publishing)
    const seen = texts(await take(subscription, 53))
    expect(new Set(seen)).toEqual(new Set(Array.from({ length: 53 }, (_, i) => `${i + 1}`)))
    subscription.close()
    expect(await take(subscription, 1)).toEqual([])
  })

  test('live only by default: stored events stay away', async () => {
    const { url } = await relay()
    const alice = await client(url, options)
    await alice.publish({ kind: 1, content: 'old' })
    const subscription = alice.subscribe({ kinds: [1] })
    await subscription.stored
    await alice.publish({ kind: 1, content: 'new' })
    expect(texts(await take(subscription, 1))).toEqual(['new'])
  })

  test('each event once in each subscription that matches, and in no other', async () => {
    const { url } = await relay()
    const alice = await client(url, options)
    const byKind = alice.subscribe([{ kinds: [1] }, { tags: [{ key: 't', any: ['x'] }] }])
    const byTag = alice.subscribe({ tags: [{ key: 't', any: ['x'] }] })
    const other = alice.subscribe({ kinds: [2] })
    await Promise.all([byKind.stored, byTag.stored, other.stored])
    await alice.publish({ kind: 1, content: 'a', tags: [['t', 'x']] })
    await alice.publish({ kind: 1, content: 'b' })
    await alice.publish({ kind: 2, content: 'c' })
    expect(texts(await take(byKind, 2))).toEqual(['a', 'b'])
    expect(texts(await take(byTag, 1))).toEqual(['a'])
    expect(texts(await take(other, 1))).toEqual(['c'])
    for (const subscription of [byKind, byTag, other]) {
      subscription.close()
      expect(await take(subscription, 1)).toEqual([])
    }
  })

  test('after the connection is killed it goes on without loss or repeat', async () => {
    const one = await relay()
    const wire = await proxy(one.port)
    const alice = await client(one.url)
    const bob = await client(wire.url, options)
    const subscription = bob.subscribe({ kinds: [1] })
    const other = bob.subscribe({ kinds: [1, 2] })
    const seen = collect(subscription)
    const seenByOther = collect(other)
    await Promise.all([subscription.stored, other.stored])
    // In JSON the end mark names no cursor, so the place is known from the first event on.
    await alice.publish({ kind: 1, content: 'first' })
    await until(() => seen.length === 1 && seenByOther.length === 1)
    const expected = ['first']
    for (let round = 0; round < 5; round++) {
      for (let i = 0; i < 10; i++) expected.push(`${round}.${i}`)
      const publishing = expected.slice(-10).map((content) => alice.publish({ kind: 1, content }))
      if (round % 2 === 0) await Promise.all(publishing.slice(0, 5))
      wire.cut()
      await Promise.all(publishing)
    }
    await until(() => Math.min(seen.length, seenByOther.length) >= expected.length)
    expect([...seen].sort()).toEqual([...expected].sort())
    expect([...seenByOther].sort()).toEqual([...expected].sort())
    expect([subscription.gap, other.gap]).toEqual([false, false])
  })
})

describe('places and gaps', () => {
  test('a new client goes on behind the cursors of another', async () => {
    const { url } = await relay()
    const alice = await client(url)
    const first = alice.subscribe({ kinds: [1] })
    await first.stored
    await alice.publish({ kind: 1, content: 'read' })
    await take(first, 1)
    await alice.publish({ kind: 1, content: 'missed' })
    const { cursors } = first
    expect(Object.keys(cursors)).toEqual([url])
    const bob = await client(url)
    const second = bob.subscribe({ kinds: [1] }, { after: cursors })
    await second.stored
    await alice.publish({ kind: 1, content: 'live' })
    expect(texts(await take(second, 2))).toEqual(['missed', 'live'])
    expect(second.gap).toBe(false)
  })

  test('a cursor moves when its event is read, not when it is buffered', async () => {
    const { url } = await relay()
    const alice = await client(url)
    const subscription = alice.subscribe({ kinds: [1] })
    await subscription.stored
    const before = subscription.cursors
    await alice.publish({ kind: 1 })
    await alice.publish({ kind: 1 })
    expect(subscription.cursors).toEqual(before)
    await take(subscription, 1)
    expect(subscription.cursors[url]).toMatch(/-1$/)
  })

  test('a relay that lost its history says so: gap', async () => {
    const first = await relay()
    const wire = await proxy(first.port)
    const bob = await client(wire.url)
    const gaps: string[] = []
    const subscription = bob.subscribe({ kinds: [1] }, { onGap: (url) => gaps.push(url) })
    await subscription.stored
    const second = await relay()
    wire.target = second.port
    wire.cut()
    await until(() => subscription.gap)
    expect(gaps).toEqual([wire.url])
    const alice = await client(second.url)
    await alice.publish({ kind: 1, content: 'on' })
    expect(texts(await take(subscription, 1))).toEqual(['on'])
  })

  test('an onGap that throws is reported and changes nothing', async () => {
    const { url } = await relay()
    const alice = await client(url)
    const onGap = () => {
      throw new Error('mine')
    }
    const subscription = alice.subscribe({ kinds: [1] }, { after: { [url]: 'other-1' }, onGap })
    await subscription.stored
    expect(subscription.gap).toBe(true)
    expect(alice.errors).toMatchObject([{ code: 'HANDLER_FAILED' }])
  })
})

describe('the consumer', () => {
  test('one that is too slow gets what was buffered, then SLOW_CONSUMER', async () => {
    const { url } = await relay()
    const alice = await client(url)
    const subscription = alice.subscribe({ kinds: [1] }, { maxBuffer: 3 })
    const fast = alice.subscribe({ kinds: [1] })
    await Promise.all([subscription.stored, fast.stored])
    for (const content of ['1', '2', '3', '4', '5']) await alice.publish({ kind: 1, content })
    await take(fast, 5)
    const iterator = subscription[Symbol.asyncIterator]()
    for (const text of ['1', '2', '3']) expect((await iterator.next()).value?.text).toBe(text)
    expect(await failure(iterator.next())).toMatchObject({ code: 'SLOW_CONSUMER' })
    expect((await iterator.next()).done).toBe(true)
  })

  test('an aborted subscription throws the reason of the signal', async () => {
    const alice = await client((await relay()).url)
    const stop = new AbortController()
    const subscription = alice.subscribe({ kinds: [1] }, { signal: stop.signal })
    const reading = failure(take(subscription, 1))
    stop.abort('enough')
    expect(await reading).toBe('enough')
    await subscription.stored
    const late = alice.subscribe({ kinds: [1] }, { signal: AbortSignal.abort('before') })
    expect(await failure(take(late, 1))).toBe('before')
  })

  test('leaving the loop ends the subscription at the relay too', async () => {
    const heard = await scripted((message, send) => {
      if (message.type === 'hello') send(WELCOME)
    })
    const alice = await client(heard.url)
    const subscription = alice.subscribe({ kinds: [1] })
    await subscription[Symbol.asyncIterator]().return?.()
    await until(() => heard.received.some(({ type }) => type === 'unsubscribe'))
    expect(await take(subscription, 1)).toEqual([])
  })

  test('closing the client finishes the iteration', async () => {
    const alice = await client((await relay()).url)
    const subscription = alice.subscribe({ kinds: [1] })
    const reading = take(subscription, 1)
    await alice.close()
    expect(await reading).toEqual([])
    expect(() => alice.subscribe({})).toThrowError(expect.objectContaining({ code: 'CLOSED' }))
  })

  test('a filter that no relay could take is misuse', async () => {
    const alice = await client((await relay()).url)
    expect(() => alice.subscribe({ ids: ['xyz'] })).toThrow(TypeError)
    expect(() => alice.subscribe([])).toThrow(RangeError)
  })
})
