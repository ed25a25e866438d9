/** Cards of 0.3 and extended cards, verified (spec a2a 2.8, 7.10); cards of 1.0 are in connect.test.ts. */
import { createPrivateKey, sign } from 'node:crypto'
import { publicKeyOf } from '@aetherkit/core'
import { base58 } from '@scure/base'
import { describe, expect, test } from 'vitest'
import { atEnd, CARD_PATH, cardAt, json, local, serve, taskOf } from '../../test/faulty.js'
import { openParrot } from '../../test/http.js'
import type { AgentOptions } from '../agent.js'
import { verifyCard } from '../card/sign.js'
import { type ConnectOptions, connectAgent } from './connect.js'
import { memoryCardCache } from './discover-card.js'

const SEED = new Uint8Array(32).fill(9)
const OTHER = new Uint8Array(32).fill(8)
const addressOf = (seed: Uint8Array): string => base58.encode(Buffer.from(publicKeyOf(seed), 'hex'))
const ADDRESS = addressOf(SEED)
const PINNED: ConnectOptions = { verify: { keys: [ADDRESS] } }

async function connect(target: Parameters<typeof connectAgent>[0], options: ConnectOptions = {}) {
  const agent = await connectAgent(target, local({ cardCache: memoryCardCache(), ...options }))
  atEnd(() => agent.close())
  return agent
}

/** JSON with sorted keys, which is RFC 8785 for what is in these cards. */
const sorted = (value: unknown): string =>
  JSON.stringify(value, (_, inner) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  )

/** By node:crypto alone, over `form`. */
function signed<T extends object>(card: T, form: object = card, seed = SEED) {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const text = JSON.stringify({ alg: 'EdDSA', kid: addressOf(seed), typ: 'JOSE' })
  const header = Buffer.from(text).toString('base64url')
  const payload = Buffer.from(sorted(form)).toString('base64url')
  const signature = sign(null, Buffer.from(`${header}.${payload}`), key).toString('base64url')
  return { ...card, signatures: [{ protected: header, signature }] }
}

const legacyAt = (url: string, more: object = {}) => ({
  name: 'Old',
  description: 'Speaks 0.3',
  version: '1.0.0',
  protocolVersion: '0.3.0',
  url,
  preferredTransport: 'JSONRPC',
  capabilities: { streaming: true },
  defaultInputModes: ['text/plain'],
  defaultOutputModes: ['text/plain'],
  skills: [{ id: 'echo', name: 'Echo', description: '', tags: ['text'] }],
  ...more,
})

/** What the Python SDK of 0.3 signs: nothing that is empty, and no defaults. */
const pythonForm = (url: string) => {
  const { protocolVersion: _version, preferredTransport: _transport, ...card } = legacyAt(url)
  return { ...card, skills: [{ id: 'echo', name: 'Echo', tags: ['text'] }] }
}

describe('a card of 0.3', () => {
  const cards: [string, (url: string) => object][] = [
    ['as it is sent', (url) => signed(legacyAt(url))],
    ['without what is empty or a default', (url) => signed(legacyAt(url), pythonForm(url))],
  ]

  test.each(cards)('[client-card-key] that is signed %s is verified by a pinned key', async (_name, card) => {
    const { url } = await serve((_asked, response, at) => json(response, card(at)))
    const agent = await connect(url, PINNED)
    expect(agent.verifiedBy).toBe(ADDRESS)
    expect(agent.card).toMatchObject({
      name: 'Old',
      supportedInterfaces: [{ url, protocolBinding: 'JSONRPC', protocolVersion: '0.3' }],
    })
    const unverified = { code: 'CARD_UNVERIFIED' }
    await expect(connect(url, { verify: { keys: [addressOf(OTHER)] } })).rejects.toMatchObject(unverified)
  })

  test.each([
    ['description', { description: 'Pays you' }],
    ['url', { url: 'https://evil.example' }],
    ['preferredTransport', { preferredTransport: 'HTTP+JSON' }],
    ['additionalInterfaces', { additionalInterfaces: [{ url: 'https://e.example', transport: 'JSONRPC' }] }],
  ])('[client-card-key] with another %s than was signed is refused', async (_name, change) => {
    for (const [, card] of cards) {
      const { url } = await serve((_asked, response, at) => json(response, { ...card(at), ...change }))
      await expect(connect(url, PINNED)).rejects.toMatchObject({ code: 'CARD_UNVERIFIED' })
    }
  })
})

test('[client-card-key] an unsigned card is taken where no signature is required, unless a key of its origin is known', async () => {
  let card = (at: string): object => cardAt(at)
  const { url } = await serve((_asked, response, at) => json(response, card(at)))
  const keys = [ADDRESS]
  await expect(connect(url, PINNED)).rejects.toMatchObject({ code: 'CARD_UNVERIFIED' })
  expect((await connect(url, { verify: { keys, required: false } })).verifiedBy).toBeUndefined()
  const firstUse = { get: () => ADDRESS, set: () => expect.unreachable() }
  await expect(connect(url, { verify: { firstUse, required: false } })).rejects.toMatchObject({
    code: 'CARD_UNVERIFIED',
  })
  card = (at) => signed(legacyAt(at), legacyAt(at), OTHER)
  await expect(connect(url, { verify: { keys, required: false } })).rejects.toMatchObject({
    code: 'CARD_UNVERIFIED',
  })
})

test('[card-signed] our own card of 0.3 is signed over the form that is sent', async () => {
  const { agent, url, ask } = await openParrot({ key: SEED })
  atEnd(() => agent.close())
  const { json: card } = await ask('GET', CARD_PATH, { headers: { 'a2a-version': '0.3' } })
  const { signatures, ...form } = card
  expect(signed(form).signatures).toEqual(signatures)
  expect(card.url).toBe(url)
  expect(await verifyCard(card, { keys: [ADDRESS] })).toMatchObject({ ok: true, kid: ADDRESS })
})

describe.each([
  ['1.0', 'JSONRPC'],
  ['1.0', 'HTTP+JSON'],
  ['0.3', 'JSONRPC'],
  ['0.3', 'HTTP+JSON'],
] as const)('the extended card in %s over %s', (version, binding) => {
  const spoken: ConnectOptions = { versions: [version], bindings: [binding], auth: { bearer: 't' } }
  const open = async (more: Partial<AgentOptions> = {}) => {
    const parrot = await openParrot({
      authenticate: () => ({ owner: 'bearer:ann', anonymous: false }),
      extendedCard: () => ({
        ...parrot.agent.card(),
        description: 'Knows more',
        securitySchemes: { key: { apiKeySecurityScheme: { location: 'header', name: 'X-Key' } } },
        securityRequirements: [{ schemes: { key: { list: ['all'] } } }],
      }),
      ...more,
    })
    atEnd(() => parrot.agent.close())
    return parrot.url
  }

  test('[client-card-key, card-signed] is signed by the agent and verified like the card', async () => {
    const url = await open({ key: SEED })
    const agent = await connect(url, { ...spoken, ...PINNED })
    expect(agent.interface).toMatchObject({ version, binding })
    expect(await agent.extendedCard()).toMatchObject({
      description: 'Knows more',
      securitySchemes: { key: { apiKeySecurityScheme: { location: 'header', name: 'X-Key' } } },
      securityRequirements: [{ schemes: { key: { list: ['all'] } } }],
    })
  })

  test('[client-card-key] is refused when it is not signed, and taken by who asks for no signature', async () => {
    const url = await open()
    const unsigned = await connect(url, spoken)
    expect(await unsigned.extendedCard()).toMatchObject({ description: 'Knows more' })
    // The card itself comes from the caller, signed.
    const { signatures: _, ...bare } = unsigned.card
    const agent = await connect(signed(bare), { ...spoken, ...PINNED })
    await expect(agent.extendedCard()).rejects.toMatchObject({ code: 'CARD_UNVERIFIED' })
    expect((await agent.send('hello')) as object).toHaveProperty('task')
  })
})

test('[client-card-key] an extended card by another key than the pinned one is refused', async () => {
  const { url } = await serve(({ method, body }, response, at) => {
    if (method === 'GET') return json(response, signed(legacyAt(at)))
    const isCard = body.method === 'agent/getAuthenticatedExtendedCard'
    const other = signed(legacyAt(at), legacyAt(at), OTHER)
    json(response, { jsonrpc: '2.0', id: body.id, result: isCard ? other : { kind: 'task', ...taskOf() } })
  })
  const agent = await connect(url, PINNED)
  await expect(agent.extendedCard()).rejects.toMatchObject({ code: 'CARD_UNVERIFIED' })
})
