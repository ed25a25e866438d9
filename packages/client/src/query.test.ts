import { expect, test } from 'vitest'
import { WELCOME } from '../test/scripted-relay.js'
import { client, failure, proxy, relay, scripted, until } from '../test/world.js'

test('newest first, with limits by filter, and without live events', async () => {
  const { url } = await relay()
  const alice = await client(url)
  for (let i = 1; i <= 5; i++)
    await alice.publish({ kind: 1 + (i % 2), content: `${i}`, createdAt: BigInt(i) })
  const texts = async (...filters: Parameters<typeof alice.query>[0][]) =>
    (await alice.query(filters.flat())).map(({ text }) => text)
  expect(await texts({})).toEqual(['5', '4', '3', '2', '1'])
  expect(await texts({ limit: 2 })).toEqual(['5', '4'])
  expect(await texts({ limit: 0 })).toEqual([])
  expect(await texts({ kinds: [1], limit: 1 }, { kinds: [2], limit: 1 })).toEqual(['5', '4'])
  expect(await texts({ since: 2n, until: 3n })).toEqual(['3', '2'])
})

test('two relays: each event once, of a replaceable one only the winner, and limit after the merge', async () => {
  const [one, two] = [await relay(), await relay()]
  const secret = new Uint8Array(32).fill(3)
  const both = await client([one.url, two.url], { signer: secret })
  await until(() => both.connected.length === 2)
  await both.publish({ kind: 1, content: 'both', createdAt: 1n }, { quorum: 2 })
  const [first, second] = [
    await client(one.url, { signer: secret }),
    await client(two.url, { signer: secret }),
  ]
  await first.publish({ kind: 1, content: 'one', createdAt: 2n })
  await second.publish({ kind: 1, content: 'two', createdAt: 3n })
  await first.publish({ kind: 10_001, content: 'old', createdAt: 4n })
  await second.publish({ kind: 10_001, content: 'new', createdAt: 5n })
  const texts = (await both.query({})).map(({ text }) => text)
  expect(texts).toEqual(['new', 'two', 'one', 'both'])
  expect((await both.query({ limit: 2 })).map(({ text }) => text)).toEqual(['new', 'two'])
})

test('a relay that does not answer is left out, and TIMEOUT if it is the only one', async () => {
  const one = await relay()
  const silent = await scripted((message, send) => {
    if (message.type === 'hello') send(WELCOME)
  })
  const alice = await client([one.url, silent.url])
  await until(() => alice.connected.length === 2)
  await (await client(one.url)).publish({ kind: 1 })
  expect(await alice.query({ kinds: [1] }, { timeoutMs: 1_000 })).toHaveLength(1)
  const bob = await client(silent.url)
  expect(await failure(bob.query({ kinds: [1] }, { timeoutMs: 100 }))).toMatchObject({ code: 'TIMEOUT' })
})

test('without a relay it is DISCONNECTED; aborted, the reason; closed, CLOSED', async () => {
  const one = await relay()
  const wire = await proxy(one.port)
  const alice = await client(wire.url)
  wire.refusing = true
  wire.cut()
  await until(() => alice.connected.length === 0)
  expect(await failure(alice.query({}, { timeoutMs: 100 }))).toMatchObject({ code: 'DISCONNECTED' })
  const stop = new AbortController()
  const aborted = failure(alice.query({}, { signal: stop.signal }))
  stop.abort('enough')
  expect(await aborted).toBe('enough')
  const waiting = failure(alice.query({}))
  await alice.close()
  expect(await waiting).toMatchObject({ code: 'CLOSED' })
})

test('a query under way when the connection is lost is asked again', async () => {
  const one = await relay()
  const wire = await proxy(one.port)
  const alice = await client(wire.url)
  await alice.publish({ kind: 1, content: 'there' })
  wire.muted = true
  const asking = alice.query({ kinds: [1] })
  wire.cut()
  wire.muted = false
  expect((await asking).map(({ text }) => text)).toEqual(['there'])
})

test('what never is stored is no answer', async () => {
  const { url } = await relay()
  const alice = await client(url)
  await alice.publish({ kind: 20_001 })
  expect(await alice.query({ kinds: [20_001] })).toEqual([])
})
