import { createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { canonicalizeAgentCard, AgentCard as SdkCard } from '@a2a-js/sdk'
import { localSigner } from '@aetherkit/client'
import { base58 } from '@scure/base'
import { describe, expect, test } from 'vitest'
import { CARD, openParrot, SKILL } from '../../test/http.js'
import { ADDRESS, SEED, SERVED } from '../../test/identity.js'
import { createAgent } from '../agent.js'
import type { AgentCard, JsonRecord } from '../model.js'
import { buildCard } from './build.js'
import { canonicalCard } from './canonical.js'
import { lintCard } from './lint.js'
import { type CardTrust, signCard, verifyCard } from './sign.js'

const vectors = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../../../../test/vectors/a2a/${name}.json`, import.meta.url), 'utf8'))

describe('2.8: the canonical form', () => {
  const { cases } = vectors<{ cases: { note: string; card: JsonRecord; canonical: string }[] }>(
    'card-canonical',
  )
  test.each(cases)('2.8: $note', ({ card, canonical }) => {
    expect(canonicalCard(card)).toBe(canonical)
  })

  test('2.8: a card without faults has the same form in the SDK', () => {
    const card = buildCard({ ...CARD, iconUrl: 'https://a.example/i.png' }, SERVED)
    expect(lintCard(card)).toEqual([])
    expect(canonicalizeAgentCard(SdkCard.fromJSON(card))).toBe(canonicalCard(card))
  })
})

describe('2.8, 7.10: signatures', () => {
  interface Case {
    readonly note: string
    readonly card: JsonRecord
    readonly verdict: string
    readonly kid?: string
    readonly uncovered?: readonly string[]
  }
  const { trust, cases } = vectors<{ trust: CardTrust; cases: Case[] }>('card-signatures')

  test.each(cases)('2.8: $note $verdict', async ({ card, verdict, kid = ADDRESS, uncovered = [] }) => {
    const result = await verifyCard(card, trust)
    expect(result.ok ? 'ok' : result.reason).toBe(verdict)
    if (!result.ok) return
    expect(result.kid).toBe(kid)
    for (const member of ['signatures', ...uncovered]) expect(result.card).not.toHaveProperty(member)
  })

  test('7.10: node:crypto verifies what an agent signed, and kid is its address', async () => {
    const agent = createAgent({
      card: CARD,
      url: 'https://a.example',
      key: SEED,
      executor: { async execute() {} },
    })
    const { signatures = [], ...card } = await agent.signedCard()
    const [entry] = signatures
    const header = Buffer.from(entry?.protected ?? '', 'base64url').toString()
    expect(JSON.parse(header)).toEqual({ alg: 'EdDSA', kid: ADDRESS, typ: 'JOSE' })
    const x = Buffer.from(base58.decode(ADDRESS)).toString('base64url')
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
    const input = `${entry?.protected}.${Buffer.from(canonicalCard(card)).toString('base64url')}`
    expect(verify(null, Buffer.from(input), key, Buffer.from(entry?.signature ?? '', 'base64url'))).toBe(true)
    await agent.close()
  })

  test('2.8: a second signature stands beside the first, and either is enough', async () => {
    const card = buildCard(CARD, SERVED)
    const other = { publicKey: '00'.repeat(32), sign: () => new Uint8Array(64) }
    const signer = localSigner(SEED)
    const twice = await signCard(await signCard(card, other), signer)
    expect(twice.signatures).toHaveLength(2)
    expect(await verifyCard(twice, { keys: [ADDRESS] })).toMatchObject({ ok: true, kid: ADDRESS })
  })
})

describe('2.7: the card that is built', () => {
  test('2.7: every binding is there once a version, 1.0 first, by its base', () => {
    const { supportedInterfaces } = buildCard(CARD, SERVED)
    expect(supportedInterfaces.map((item) => [item.protocolBinding, item.protocolVersion])).toEqual([
      ['JSONRPC', '1.0'],
      ['HTTP+JSON', '1.0'],
      ['JSONRPC', '0.3'],
      ['HTTP+JSON', '0.3'],
    ])
    expect(new Set(supportedInterfaces.map(({ url }) => url))).toEqual(new Set(['https://a.example/a2a']))
  })

  test('2.7: a capability is declared only when it is served', async () => {
    const plain = await openParrot({ streaming: false, legacy: false })
    expect(plain.agent.card().capabilities).toEqual({
      streaming: false,
      pushNotifications: false,
      extendedAgentCard: false,
    })
    expect((await plain.rpc('SendStreamingMessage', {})).json.error).toBeDefined()
    await plain.agent.close()
    const full = await openParrot({
      push: { async check() {}, prepare: () => undefined, send() {}, async close() {} },
      authenticate: () => ({ owner: 'bearer:a', anonymous: false }),
      extendedCard: () => full.agent.card(),
    })
    expect(full.agent.card().capabilities).toMatchObject({
      streaming: true,
      pushNotifications: true,
      extendedAgentCard: true,
    })
    expect((await full.rpc('GetExtendedAgentCard', {})).json.result.name).toBe('Parrot')
    await full.agent.close()
  })

  test('2.7: a card with a fault is refused when the agent is made', () => {
    const make = (card: object) => () =>
      createAgent({ card: { ...CARD, ...card }, executor: { async execute() {} } })
    expect(make({ name: '' })).toThrow('empty-required at name')
    expect(make({ skills: [SKILL, SKILL] })).toThrow('duplicate-skill at skills[1]')
  })
})

describe('2.7, 2.8: the linter', () => {
  const good = buildCard(CARD, SERVED)
  const oauth = (flows: object) => ({ securitySchemes: { o: { oauth2SecurityScheme: { flows } } } })
  test.each<[string, object, string]>([
    ['empty-required', { description: '' }, 'description'],
    ['empty-required', { skills: [] }, 'skills'],
    ['empty-required', { skills: [{ ...SKILL, tags: [] }] }, 'skills[0].tags'],
    ['empty-required', { supportedInterfaces: [] }, 'supportedInterfaces'],
    ['empty-required', { provider: { organization: 'x', url: '' } }, 'provider.url'],
    ['wrong-type', { name: 7 }, 'name'],
    ['wrong-type', { capabilities: { streaming: 'yes' } }, 'capabilities.streaming'],
    ['wrong-type', { skills: [7] }, 'skills[0]'],
    [
      'bad-interface-url',
      { supportedInterfaces: [{ url: '/rpc', protocolBinding: 'JSONRPC', protocolVersion: '1.0' }] },
      'supportedInterfaces[0].url',
    ],
    [
      'bad-interface-url',
      {
        supportedInterfaces: [
          { url: 'https://a.example/message:send', protocolBinding: 'HTTP+JSON', protocolVersion: '1.0' },
        ],
      },
      'supportedInterfaces[0].url',
    ],
    [
      'bad-interface-url',
      {
        supportedInterfaces: [
          { url: 'https://u:p@a.example', protocolBinding: 'JSONRPC', protocolVersion: '1.0' },
        ],
      },
      'supportedInterfaces[0].url',
    ],
    [
      'bad-protocol-version',
      {
        supportedInterfaces: [
          { url: 'https://a.example', protocolBinding: 'JSONRPC', protocolVersion: '1.0.1' },
        ],
      },
      'supportedInterfaces[0].protocolVersion',
    ],
    [
      'duplicate-interface',
      { supportedInterfaces: [good.supportedInterfaces[0], good.supportedInterfaces[0]] },
      'supportedInterfaces[1]',
    ],
    ['duplicate-skill', { skills: [SKILL, SKILL] }, 'skills[1]'],
    ['bad-media-type', { defaultInputModes: ['text'] }, 'defaultInputModes[0]'],
    [
      'duplicate-extension',
      { capabilities: { extensions: [{ uri: 'a:b' }, { uri: 'a:b' }] } },
      'capabilities.extensions[1]',
    ],
    [
      'deprecated-flow',
      oauth({ password: { tokenUrl: 'https://a.example', scopes: {} } }),
      'securitySchemes.o',
    ],
    ['bad-security-scheme', { securitySchemes: { x: {} } }, 'securitySchemes.x'],
    [
      'unknown-security-scheme',
      { securityRequirements: [{ schemes: { nope: { list: [] } } }] },
      'securityRequirements[0].schemes.nope',
    ],
  ])('2.7: %s %#', (name, change, field) => {
    expect(lintCard({ ...good, ...change } as AgentCard)).toContainEqual({ name, field })
  })
})
