/** Relays that ask who we are: a plain `connect` answers, and what only some may do works (spec 4.1, 12). */
import { generateSecretKey, publicKeyOf } from '@aetherkit/core'
import { describe, expect, test } from 'vitest'
import { type Message, WELCOME } from '../test/scripted-relay.js'
import { client, failure, relay, scripted, take, texts, until } from '../test/world.js'
import type { FormatName } from './format.js'
import { localSigner } from './signer.js'

const ALL = [0, 39_999] as const
/** Only parties read, only authors write. */
const GATED = {
  auth: {
    read: [{ kinds: [ALL], allow: 'parties' as const }],
    write: [{ kinds: [ALL], allow: 'author' as const }],
  },
}

const idOf = ({ event }: Message) => (event as { event_id: string }).event_id

describe.each<readonly [FormatName, 'xx' | 'off']>([
  ['aether.v2', 'off'],
  ['json', 'off'],
  ['json', 'xx'],
  ['aether.v2', 'xx'],
])('in %s with noise %s', (format, noise) => {
  const options = { formats: [format], noise }

  test('publish, subscribe, query, request and serve work at a relay with gates', async () => {
    const { url } = await relay(GATED)
    const [alice, bob] = [await client(url, options), await client(url, options)]
    bob.serve('greet', (name) => `hello ${name}`)
    const inbox = bob.subscribe({ tags: [{ key: 'p', any: [bob.publicKey] }], kinds: [1] })
    await inbox.stored
    const { relays } = await alice.publish({ kind: 1, content: 'for bob', tags: [['p', bob.publicKey]] })
    expect(relays[url]).toMatchObject({ ok: true, status: 'stored' })
    expect(texts(await take(inbox, 1))).toEqual(['for bob'])
    expect(texts(await bob.query({ authors: [alice.publicKey] }))).toEqual(['for bob'])
    expect(texts(await alice.query({ kinds: [1] }))).toEqual(['for bob'])
    expect(await alice.request(bob.publicKey, 'greet', 'Alice')).toBe('hello Alice')
    expect([...alice.errors, ...bob.errors]).toEqual([])
  })
})

test('with auth off nothing is signed, and the refusal is the answer', async () => {
  const { url } = await relay(GATED)
  const alice = await client(url, { auth: false })
  expect(await failure(alice.publish({ kind: 1, content: 'x' }))).toMatchObject({
    code: 'REJECTED',
    rejectCode: 'auth_required',
  })
  expect(await failure(alice.query({ kinds: [1] }))).toMatchObject({ rejectCode: 'auth_required' })
})

test('a key that another may not use is restricted, once', async () => {
  const { url } = await relay({ auth: { write: [{ allow: [publicKeyOf(generateSecretKey())] }] } })
  const alice = await client(url)
  expect(await failure(alice.publish({ kind: 1, content: 'x' }))).toMatchObject({ rejectCode: 'restricted' })
})

test('a relay that knows itself by another name gets no further than a refusal', async () => {
  const { url } = await relay({ ...GATED, auth: { ...GATED.auth, urls: ['wss://elsewhere.example'] } })
  const alice = await client(url)
  expect(await failure(alice.publish({ kind: 1, content: 'x' }))).toMatchObject({
    rejectCode: 'auth_required',
  })
})

test('a relay that asks late is answered, and what it refused is sent again: publishes and subscriptions', async () => {
  let proofs = 0
  const late = await scripted((message, send) => {
    if (message.type === 'hello') send(WELCOME)
    else if (message.type === 'auth') {
      proofs++
      send({ type: 'ack', event_id: idOf(message), status: 'forwarded' })
    } else if (message.type === 'publish') {
      const id = idOf(message)
      if (proofs > 0) return send({ type: 'ack', event_id: id, status: 'stored', seq: 1 })
      send({ type: 'auth', challenge: 'c0ffee' })
      send({ type: 'error', error: 'auth required', code: 'auth_required', event_id: id })
    } else if (message.type === 'subscribe') {
      if (proofs > 0) {
        send({ type: 'subscribed', sub_id: String(message.sub_id), gap: false })
        return send({ type: 'eose', sub_id: String(message.sub_id), cursor: 'e-1' })
      }
      send({ type: 'auth', challenge: 'c0ffee' })
      send({ type: 'error', error: 'auth required', code: 'auth_required', sub_id: String(message.sub_id) })
    }
  })
  const alice = await client(late.url)
  const [found, published] = await Promise.all([
    alice.query({ kinds: [1] }),
    alice.publish({ kind: 1, content: 'x' }),
  ])
  expect(found).toEqual([])
  expect(published.relays[late.url]).toMatchObject({ ok: true, status: 'stored' })
  expect(proofs).toBe(1)
})

test('a relay that never stops to ask is not told for ever: the publish is refused', async () => {
  const deaf = await scripted((message, send) => {
    if (message.type === 'hello') send(WELCOME)
    if (message.type === 'auth') send({ type: 'ack', event_id: idOf(message), status: 'forwarded' })
    if (message.type !== 'publish') return
    send({ type: 'auth', challenge: 'again' })
    send({ type: 'error', error: 'auth required', code: 'auth_required', event_id: idOf(message) })
  })
  const alice = await client(deaf.url)
  expect(await failure(alice.publish({ kind: 1, content: 'x' }, { timeoutMs: 60_000 }))).toMatchObject({
    code: 'REJECTED',
    rejectCode: 'auth_required',
  })
})

test('the signature names the URL that we connected to, whatever the relay says', async () => {
  const signer = localSigner()
  const evil = await scripted((message, send) => {
    if (message.type === 'auth') send({ type: 'ack', event_id: idOf(message), status: 'forwarded' })
    if (message.type !== 'hello') return
    send({ ...WELCOME, features: ['auth'] })
    send({ type: 'auth', challenge: 'of another relay', relay: 'wss://bank.example' })
    send({ type: 'auth', challenge: 'wss://bank.example' })
  })
  const connected = client(evil.url, { signer })
  const auths = () => evil.received.filter(({ type }) => type === 'auth')
  await until(() => auths().length > 0)
  const [{ event } = {}] = auths()
  const { kind, pubkey, tags } = event as Record<string, unknown>
  expect({ kind, pubkey, tags }).toEqual({
    kind: 22242,
    pubkey: signer.publicKey,
    tags: [
      ['relay', evil.url],
      ['challenge', 'of another relay'],
    ],
  })
  expect(auths()).toHaveLength(1)
  await connected
})

test('a signer that fails costs the proof, not the connection', async () => {
  const { url } = await relay(GATED)
  const alice = await client(url, {
    signer: { publicKey: localSigner().publicKey, sign: () => Promise.reject(new Error('no token')) },
  })
  expect(alice.connected).toEqual([url])
  expect(alice.errors).toMatchObject([{ code: 'HANDLER_FAILED' }])
})
