/** Keys proven over HTTP (spec 4.1, 10.3, 13.2): a proof a request, and what gates let through for it. */
import { generateSecretKey, type JsonObject, publicKeyOf, signToken, writeEvent } from '@aetherkit/core'
import type { Relay, RelayOptions } from '@aetherkit/relay'
import { describe, expect, test } from 'vitest'
import { type AskOptions, ask as askPort, EventStream } from '../../test/http-client.js'
import { createProver, type ProofChange, type Prover } from '../../test/http-proof.js'
import { RawPeer } from '../../test/raw-peer.js'
import { createAuthor } from '../../test/signing.js'
import { startRelay } from '../../test/start-relay.js'

const [ann, bob, eve] = [createProver(), createProver(), createProver()]
const byAnn = createAuthor(ann.secretKey)
const MAIL = 4
const CLUB = 5
const BOARD = 6
const GATES: NonNullable<RelayOptions['auth']> = {
  read: [
    { kinds: [[MAIL, MAIL]], allow: 'parties' },
    { kinds: [[CLUB, CLUB]], allow: [ann.publicKey] },
  ],
  write: [{ kinds: [[BOARD, BOARD]], allow: 'author' }],
}

const start = (options: RelayOptions = {}) => startRelay({ http: {}, auth: GATES, ...options })

interface Asked {
  readonly as?: Prover
  readonly body?: string
  readonly headers?: AskOptions['headers']
  readonly change?: ProofChange
}
function ask(relay: Relay, line: string, { as, body, headers = {}, change }: Asked = {}) {
  const proof = as === undefined ? {} : as.header(relay, line, body, change)
  const rest = body === undefined ? {} : { body }
  return askPort(relay.http?.port ?? 0, line, { ...rest, headers: { ...proof, ...headers } })
}
const ids = (events: unknown) => (events as JsonObject[]).map(({ event_id }) => event_id)
const filters = (...kinds: number[]) => JSON.stringify({ filters: { kinds } })

describe('read gates', () => {
  test('let the parties read by query, by id, in an export and live, and nobody else', async () => {
    const relay = await start()
    const letter = byAnn.sign({ kind: MAIL, tags: [['p', bob.publicKey]] })
    expect(await relay.publish(letter)).toMatchObject({ ok: true })
    const one = `GET /v1/events/${letter.id}`
    for (const as of [ann, bob]) {
      expect(ids((await ask(relay, 'GET /v1/query?kinds=4', { as })).json.events)).toEqual([letter.id])
      expect(ids((await ask(relay, 'POST /v1/query', { as, body: filters(MAIL) })).json.events)).toEqual([
        letter.id,
      ])
      expect((await ask(relay, one, { as })).text).toBe(writeEvent(letter))
      const headers = { accept: 'application/x-ndjson' }
      expect((await ask(relay, 'GET /v1/query', { as, headers })).text).toBe(`${writeEvent(letter)}\n`)
    }
    expect((await ask(relay, 'GET /v1/query?kinds=4', { as: eve })).json.events).toEqual([])
    expect((await ask(relay, one, { as: eve })).status).toBe(404)
    expect((await ask(relay, one)).status).toBe(404)
    expect((await ask(relay, 'GET /v1/query')).json.events).toEqual([])
    for (const line of ['GET /v1/query?kinds=4', 'POST /v1/query', 'POST /v1/subscriptions']) {
      const refused = await ask(relay, line, line.startsWith('POST') ? { body: filters(MAIL) } : {})
      expect([refused.status, refused.json.code, refused.headers['www-authenticate']]).toEqual([
        401,
        'auth_required',
        'Aether',
      ])
    }
  })

  test('hold for each reader of a stream by what that reader has proven', async () => {
    const relay = await start()
    const body = JSON.stringify({ filters: { kinds: [MAIL], replay: true }, subscription_id: 'mail' })
    const kept = byAnn.sign({ kind: MAIL, tags: [['p', bob.publicKey]] })
    await relay.publish(kept)
    expect((await ask(relay, 'POST /v1/subscriptions', { as: ann, body })).status).toBe(200)
    const path = '/v1/stream?subscription_id=mail'
    const refused = await ask(relay, `GET ${path}`)
    expect([refused.status, refused.json.code]).toEqual([401, 'auth_required'])
    const open = (as: Prover) =>
      EventStream.open(relay.http?.port ?? 0, path, as.header(relay, `GET ${path}`))
    const [anns, eves] = await Promise.all([open(ann), open(eve)])
    expect((await anns.nextJson()).event).toMatchObject({ event_id: kept.id })
    await anns.nextJson('eose')
    await eves.nextJson('eose')
    const live = byAnn.sign({ kind: MAIL })
    await relay.publish(live)
    const hers = createAuthor(eve.secretKey).sign({ kind: MAIL })
    await relay.publish(hers)
    expect((await anns.nextJson()).event).toMatchObject({ event_id: live.id })
    expect((await eves.nextJson()).event).toMatchObject({ event_id: hers.id })
  })

  test('of a list of keys refuse who has proven another one by showing nothing', async () => {
    const relay = await start()
    await relay.publish(byAnn.sign({ kind: CLUB }))
    expect((await ask(relay, 'GET /v1/query?kinds=5', { as: ann })).json.events).toHaveLength(1)
    expect((await ask(relay, 'GET /v1/query?kinds=5', { as: eve })).json.events).toEqual([])
  })
})

test('write gates take a post from who proves the key, and say of others that they are unknown or restricted', async () => {
  const relay = await start()
  const body = byAnn.text({ kind: BOARD })
  const unknown = await ask(relay, 'POST /v1/events', { body })
  expect([unknown.status, unknown.json.code, unknown.headers['www-authenticate']]).toEqual([
    401,
    'auth_required',
    'Aether',
  ])
  const restricted = await ask(relay, 'POST /v1/events', { body, as: eve })
  expect([restricted.status, restricted.json.code]).toEqual([403, 'restricted'])
  expect((await ask(relay, 'POST /v1/events', { body, as: ann })).json).toMatchObject({ status: 'stored' })
})

test('a key that made a subscription may set and end it from anywhere; an address no longer may', async () => {
  const relay = await start()
  const body = JSON.stringify({ filters: {}, subscription_id: 'mine' })
  const line = 'POST /v1/subscriptions'
  expect((await ask(relay, line, { as: ann, body })).status).toBe(200)
  expect((await ask(relay, line, { body })).json.code).toBe('subscription_conflict')
  expect((await ask(relay, line, { as: eve, body })).json.code).toBe('subscription_conflict')
  expect((await ask(relay, 'DELETE /v1/subscriptions/mine')).json.code).toBe('subscription_not_found')
  expect((await ask(relay, line, { as: ann, body })).status).toBe(200)
  expect((await ask(relay, 'DELETE /v1/subscriptions/mine', { as: ann })).json.deleted).toBe(true)
})

describe('a proof', () => {
  const line = 'GET /v1/query?kinds=5'

  test('is good once, also when it is shown twice at the same time', async () => {
    const relay = await start()
    const headers = ann.header(relay, line)
    const answers = await Promise.all([ask(relay, line, { headers }), ask(relay, line, { headers })])
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 401])
    const late = await ask(relay, line, { headers })
    expect([late.json.code, late.json.detail]).toEqual(['auth_required', 'this proof was shown before'])
  })

  const MINUTE = 60_000_000_000n
  const now = BigInt(Date.now()) * 1_000_000n
  test.each<[string, ProofChange, string]>([
    ['of another kind', { kind: 22242 }, 'kind_unsupported'],
    ['of a minute ago', { createdAt: now - MINUTE - 1n }, 'created_at_out_of_window'],
    ['of in a minute', { createdAt: now + MINUTE + 1n }, 'created_at_out_of_window'],
    ['for another method', { tags: [['method', 'POST']] }, 'auth_required'],
    ['without a method', { tags: [['method']] }, 'auth_required'],
    ['without a URL', { tags: [['u']] }, 'auth_required'],
    ['for no URL', { tags: [['u', '/v1/query?kinds=5']] }, 'auth_required'],
    ['for another relay', { tags: [['u', 'https://relay.example/v1/query?kinds=5']] }, 'auth_required'],
  ])('%s does not hold', async (_what, change, code) => {
    const relay = await start({ now: () => now })
    const refused = await ask(relay, line, { as: ann, change: { createdAt: now, ...change } })
    expect([refused.status, refused.json.code, refused.headers['www-authenticate']]).toEqual([
      401,
      code,
      'Aether',
    ])
  })

  test('holds at the edges of its minute', async () => {
    const relay = await start({ now: () => now })
    for (const createdAt of [now - MINUTE, now + MINUTE])
      expect((await ask(relay, line, { as: ann, change: { createdAt } })).status).toBe(200)
  })

  test('for another path or query does not hold', async () => {
    const relay = await start()
    for (const other of ['GET /v1/query', 'GET /v1/query?kinds=4', 'GET /v1/query/?kinds=5']) {
      const headers = ann.header(relay, other)
      expect((await ask(relay, line, { headers })).json.code).toBe('auth_required')
    }
  })

  test('names a query with escapes as a URL writes it', async () => {
    const relay = await start()
    const escaped = 'GET /v1/query?kinds=5&%23t=a%20b'
    expect((await ask(relay, escaped, { as: ann })).status).toBe(200)
  })

  test('binds the body: another one, or one that it does not name, is refused', async () => {
    const relay = await start()
    const post = 'POST /v1/query'
    const [club, mail] = [filters(CLUB), filters(MAIL)]
    const swapped = await ask(relay, post, { body: mail, headers: ann.header(relay, post, club) })
    expect([swapped.status, swapped.json.code]).toEqual([401, 'auth_required'])
    const unnamed = await ask(relay, post, { body: club, headers: ann.header(relay, post) })
    expect([unnamed.status, unnamed.json.code]).toEqual([401, 'auth_required'])
    const published = byAnn.text({ kind: BOARD })
    const forged = await ask(relay, 'POST /v1/events', {
      body: published,
      headers: ann.header(relay, 'POST /v1/events', club),
    })
    expect([forged.status, forged.json.code]).toEqual([401, 'auth_required'])
    expect((await ask(relay, post, { as: ann, body: club })).status).toBe(200)
  })

  test.each([
    ['that is empty', ''],
    ['that is no base64', '%%%'],
    ['of two words', 'a b'],
    ['without fields', Buffer.from('{}').toString('base64')],
    ['as deep as a header is long', Buffer.from('['.repeat(9000)).toString('base64')],
  ])('%s is refused', async (_what, text) => {
    const relay = await start()
    const headers = { authorization: `Aether ${text}` }
    const { status, json } = await ask(relay, 'GET /v1/query', { headers })
    expect([status, json.code]).toEqual([401, expect.stringMatching(/^invalid_(message|event)$/)])
  })

  test('with another signature or content is refused by the same verifier as an event', async () => {
    const relay = await start()
    const proof = (change: (json: string) => string) => {
      const { authorization } = ann.header(relay, line)
      const json = Buffer.from(authorization.split(' ')[1] ?? '', 'base64').toString()
      return { headers: { authorization: `Aether ${Buffer.from(change(json)).toString('base64url')}` } }
    }
    const codes = async (change: (json: string) => string) => {
      const { status, json } = await ask(relay, line, proof(change))
      return [status, json.code]
    }
    const unsigned = (json: string) => json.replace(/"sig":"[0-9a-f]+"/, `"sig":"${'00'.repeat(64)}"`)
    expect(await codes(unsigned)).toEqual([401, 'invalid_signature'])
    const claimed = (json: string) => json.replace(ann.publicKey, publicKeyOf(generateSecretKey()))
    expect(await codes(claimed)).toEqual([401, 'id_mismatch'])
    expect(
      (
        await ask(
          relay,
          line,
          proof((json) => json),
        )
      ).status,
    ).toBe(200)
  })

  test("is not another's to publish, and what it proves ends with its request", async () => {
    const relay = await start()
    const peer = await RawPeer.connect(relay.port)
    const event = byAnn.sign({ kind: 27235, tags: [['u', 'x']] })
    expect(await peer.ask(`{"type":"publish","event":${writeEvent(event)}}`)).toMatchObject({
      type: 'error',
      code: 'kind_unsupported',
    })
    expect((await ask(relay, line, { as: ann })).status).toBe(200)
    expect((await ask(relay, line)).status).toBe(401)
  })

  test('names the relay by its public URL where there is one, with the path that it has there', async () => {
    const urls = ['wss://relay.example', 'https://example.com/aether/']
    const relay = await start({ auth: { ...GATES, urls } })
    const through = (u: string) => ask(relay, line, { as: ann, change: { tags: [['u', u]] } })
    expect((await through('https://relay.example/v1/query?kinds=5')).status).toBe(200)
    expect((await through('https://example.com/aether/v1/query?kinds=5')).status).toBe(200)
    expect((await through('https://example.com/v1/query?kinds=5')).status).toBe(401)
    expect((await through('https://relay.example:444/v1/query?kinds=5')).status).toBe(401)
    expect((await ask(relay, line, { as: ann })).status).toBe(401)
  })
})

test('capability tokens come in the proof, and a stream uses them once', async () => {
  const owner = generateSecretKey()
  const relay = await start({
    auth: {},
    capabilities: { owner: publicKeyOf(owner), publish: [[BOARD, BOARD]], subscribe: [[CLUB, CLUB]] },
  })
  const token = (capability: string, maxUses: bigint, issuerSecret = owner) => {
    const subject = ann.publicKey
    const made = signToken({ issuerSecret, subject, capability, caveats: { maxUses } })
    return { tags: [['capability', JSON.stringify(made)]] as const }
  }
  const body = byAnn.text({ kind: BOARD })
  expect((await ask(relay, 'POST /v1/events', { as: ann, body })).json.code).toBe('restricted')
  const granted = { as: ann, body, change: token(`publish:${BOARD}`, 1n) }
  expect((await ask(relay, 'POST /v1/events', granted)).json.status).toBe('stored')
  const change = token(`subscribe:${CLUB}`, 1n)
  const set = JSON.stringify({ filters: { kinds: [CLUB] }, subscription_id: 'club' })
  expect((await ask(relay, 'POST /v1/subscriptions', { as: ann, body: set, change })).status).toBe(200)
  const path = '/v1/stream?subscription_id=club'
  const open = () =>
    EventStream.open(relay.http?.port ?? 0, path, ann.header(relay, `GET ${path}`, '', change))
  const stream = await open()
  const event = byAnn.sign({ kind: CLUB })
  await relay.publish(event)
  expect((await stream.nextJson()).event).toMatchObject({ event_id: event.id })
  expect(await (await open()).nextJson('closed')).toMatchObject({ code: 'restricted' })
  const forged = token(`subscribe:${CLUB}`, 1n, ann.secretKey)
  const refused = await ask(relay, 'GET /v1/query?kinds=5', { as: ann, change: forged })
  expect([refused.status, refused.json.code]).toEqual([403, 'restricted'])
})
