import { expect, test } from 'vitest'
import { client, failure, relay, until } from '../test/world.js'
import { CLIENT_ERRORS } from './errors.js'

const free = '{"invoice":"free","amount_msat":0}'

test('an agent is found by what it offers, and by its key', async () => {
  const { url } = await relay()
  const [alice, bob] = [await client(url), await client(url)]
  const capabilities = [{ name: 'translate', description: 'any language' }, { name: 'summarize' }]
  await bob.advertise({ name: 'Bob', description: 'words', capabilities })
  const agent = { publicKey: bob.publicKey, name: 'Bob', description: 'words', capabilities }
  expect(await alice.discover({ capability: 'translate' })).toEqual([agent])
  expect(await alice.discover({ publicKey: bob.publicKey.toUpperCase() })).toEqual([agent])
  expect(await alice.discover({ capability: 'any language' })).toEqual([])
  expect(await alice.discover({ publicKey: alice.publicKey })).toEqual([])
})

test('the offer is a kind 10002 with c tags and an invoice, the profile a kind 0', async () => {
  const { url } = await relay()
  const bob = await client(url)
  const { event, relays } = await bob.advertise({
    name: 'Bob',
    capabilities: [{ name: 'x', description: 'y' }],
  })
  expect(event).toMatchObject({ kind: 10_002, tags: [['c', 'x']] })
  expect(new TextDecoder().decode(event.content)).toBe(free)
  expect(relays[url]).toMatchObject({ ok: true, status: 'stored' })
  const [profile] = await bob.query({ kinds: [0] })
  expect(profile?.text).toBe('{"name":"Bob","capabilities":[{"name":"x","description":"y"}]}')
})

test('the newest word counts: a new name, and an offer that is gone', async () => {
  const { url } = await relay()
  const [alice, bob] = [await client(url), await client(url)]
  await bob.advertise({ name: 'Bob', capabilities: [{ name: 'old' }] })
  await bob.advertise({ name: 'Robert', capabilities: [{ name: 'new' }] })
  expect(await alice.discover({ capability: 'old' })).toEqual([])
  expect(await alice.discover({ capability: 'new' })).toMatchObject([{ name: 'Robert' }])
  await bob.advertise({ name: 'Robert', capabilities: [] })
  expect(await alice.discover({ capability: 'new' })).toEqual([])
  expect(await alice.discover({ publicKey: bob.publicKey })).toMatchObject([
    { name: 'Robert', capabilities: [] },
  ])
})

test('a relay that is behind does not bring an offer back', async () => {
  const [one, two] = [await relay(), await relay()]
  const secret = new Uint8Array(32).fill(9)
  const everywhere = await client([one.url, two.url], { signer: secret })
  await until(() => everywhere.connected.length === 2)
  await everywhere.advertise({ name: 'Bob', capabilities: [{ name: 'x' }] }, { quorum: 2 })
  const onlyTwo = await client(two.url, { signer: secret })
  await onlyTwo.advertise({ name: 'Bob', capabilities: [{ name: 'y' }] })
  const alice = await client([one.url, two.url])
  await until(() => alice.connected.length === 2)
  expect(await alice.discover({ capability: 'x' })).toEqual([])
  expect(await alice.discover({ capability: 'y' })).toMatchObject([{ capabilities: [{ name: 'y' }] }])
})

test('more agents than one query can ask for, up to a limit', async () => {
  const { url } = await relay()
  const keys: string[] = []
  for (let i = 0; i < 40; i++) {
    const agent = await client(url)
    keys.push(agent.publicKey)
    await agent.advertise({ name: `agent ${i}`, capabilities: [{ name: 'x' }] })
    await agent.close()
  }
  const alice = await client(url)
  const found = await alice.discover({ capability: 'x' })
  expect(found.map(({ publicKey }) => publicKey)).toEqual(keys.reverse())
  expect(await alice.discover({ capability: 'x' }, { limit: 3 })).toHaveLength(3)
})

test('what a hostile agent says of itself is checked and cut', async () => {
  const { url } = await relay()
  const [alice, eve] = [await client(url), await client(url)]
  const offer = (content: string, names: string[]) =>
    eve.publish({ kind: 10_002, content, tags: names.map((name) => ['c', name] as const) })
  const profile = (content: string | Uint8Array) => eve.publish({ kind: 0, content })
  const look = async () => (await alice.discover({ publicKey: eve.publicKey }))[0]
  const publicKey = eve.publicKey

  await offer(free, ['a', 'a', '', 'x'.repeat(300), ...Array.from({ length: 200 }, (_, i) => `n${i}`)])
  expect((await look())?.capabilities).toHaveLength(128)
  expect((await look())?.capabilities[0]).toEqual({ name: 'a' })
  await offer('no invoice', ['a'])
  expect(await look()).toEqual({ publicKey, capabilities: [] })
  expect(await alice.discover({ capability: 'a' })).toEqual([])

  await offer(free, ['a'])
  const capabilities = [{ name: 'a', description: {} }, null, 7, { name: 'b', description: 'not offered' }]
  for (const bad of ['[]', 'null', '{', '{"name":7,"description":[]}', Uint8Array.of(0xff)]) {
    await profile(bad)
    expect(await look()).toEqual({ publicKey, capabilities: [{ name: 'a' }] })
  }
  await profile(JSON.stringify({ name: '😀'.repeat(500), description: 'd'.repeat(9000), capabilities }))
  const agent = await look()
  expect(agent).toMatchObject({ name: '😀'.repeat(128), capabilities: [{ name: 'a' }] })
  expect(agent?.description).toHaveLength(4096)
})

test('bad arguments are misuse', async () => {
  const alice = await client((await relay()).url)
  const many = Array.from({ length: 129 }, (_, i) => ({ name: `${i}` }))
  expect(await failure(alice.advertise({ name: '', capabilities: [] }))).toBeInstanceOf(RangeError)
  expect(await failure(alice.advertise({ name: 'x', capabilities: many }))).toBeInstanceOf(RangeError)
  expect(await failure(alice.discover({ publicKey: 'zz' }))).toBeInstanceOf(TypeError)
  expect(await failure(alice.discover({ capability: '' }))).toBeInstanceOf(RangeError)
  expect(Object.keys(CLIENT_ERRORS)).not.toContain('MISUSE')
})
