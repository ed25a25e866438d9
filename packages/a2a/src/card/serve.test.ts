import { localSigner } from '@aetherkit/client'
import { describe, expect, test } from 'vitest'
import { CARD, openParrot, V1 } from '../../test/http.js'
import { ADDRESS, SEED, SERVED } from '../../test/identity.js'
import type { JsonRecord } from '../model.js'
import { buildCard } from './build.js'
import { hybridCard, legacyCard } from './legacy-card.js'
import { signCard, verifyCard } from './sign.js'

describe('2.7, 2.12: cards of 0.3', () => {
  const card = buildCard(
    {
      ...CARD,
      securitySchemes: {
        bearer: { httpAuthSecurityScheme: { scheme: 'Bearer' } },
        key: { apiKeySecurityScheme: { location: 'header', name: 'X-Key' } },
        device: {
          oauth2SecurityScheme: {
            flows: {
              deviceCode: {
                deviceAuthorizationUrl: 'https://a.example/d',
                tokenUrl: 'https://a.example/t',
                scopes: {},
              },
            },
          },
        },
      },
      securityRequirements: [{ schemes: { bearer: { list: ['read'] } } }],
    },
    SERVED,
  )

  test('2.7: one URL on top, security in the style of OpenAPI, the device code flow dropped', () => {
    expect(legacyCard(card)).toMatchObject({
      url: 'https://a.example/a2a',
      preferredTransport: 'JSONRPC',
      protocolVersion: '0.3.0',
      additionalInterfaces: [{ url: 'https://a.example/a2a', transport: 'HTTP+JSON' }],
      supportsAuthenticatedExtendedCard: false,
      securitySchemes: {
        bearer: { type: 'http', scheme: 'Bearer' },
        key: { type: 'apiKey', in: 'header', name: 'X-Key' },
      },
      security: [{ bearer: ['read'] }],
    })
    expect(legacyCard(card)).not.toHaveProperty('supportedInterfaces')
    expect((legacyCard(card).securitySchemes as JsonRecord).device).toBeUndefined()
  })

  test('2.7: a hybrid has the members of both, and the signature of 1.0 still holds', async () => {
    const signer = localSigner(SEED)
    const hybrid = hybridCard(await signCard(card, signer))
    expect(hybrid).toMatchObject({
      url: 'https://a.example/a2a',
      supportedInterfaces: card.supportedInterfaces,
    })
    expect(await verifyCard(hybrid, { keys: [ADDRESS] })).toMatchObject({
      ok: true,
      card: { name: 'Parrot' },
    })
  })
})

describe('2.7: served', () => {
  test.each(['/.well-known/agent-card.json', '/.well-known/agent.json'])(
    '2.7: %s by version',
    async (path) => {
      const parrot = await openParrot({ key: SEED })
      const get = (headers: Record<string, string> = {}, query = '') =>
        parrot.ask('GET', path + query, { headers })
      const modern = await get(V1)
      expect(modern.headers).toMatchObject({ 'content-type': 'application/json', vary: 'A2A-Version' })
      expect(modern.json).not.toHaveProperty('url')
      expect(modern.json.supportedInterfaces[0]).toMatchObject({ url: parrot.url, protocolVersion: '1.0' })
      expect(await verifyCard(modern.json, { keys: [ADDRESS] })).toMatchObject({ ok: true })
      expect((await get({}, '?A2A-Version=1.0')).text).toBe(modern.text)
      const legacy = await get({ 'a2a-version': '0.3' })
      expect(legacy.json).toMatchObject({ url: parrot.url })
      expect(legacy.json).not.toHaveProperty('supportedInterfaces')
      const hybrid = await get()
      expect(hybrid.json).toMatchObject({
        url: parrot.url,
        supportedInterfaces: modern.json.supportedInterfaces,
      })
      await parrot.agent.close()
    },
  )

  test('2.7: the hybrid is a switch of its own: off, a caller without a version gets a pure 1.0 card', async () => {
    const parrot = await openParrot({ hybridCard: false })
    const { json } = await parrot.ask('GET', '/.well-known/agent-card.json')
    expect(json).not.toHaveProperty('url')
    const body = { jsonrpc: '2.0', id: 1, method: 'tasks/get', params: { id: 'x' } }
    expect((await parrot.ask('POST', '/', { body })).json.error.code).toBe(-32001)
    await parrot.agent.close()
  })

  test('2.7: ETag, Last-Modified and Cache-Control, and 304 on a match', async () => {
    const parrot = await openParrot({ cardMaxAgeSeconds: 60 })
    const get = (headers: Record<string, string>) =>
      parrot.ask('GET', '/.well-known/agent-card.json', { headers: { ...V1, ...headers } })
    const { headers } = await get({})
    expect(headers['cache-control']).toBe('public, max-age=60')
    const etag = headers.etag ?? ''
    const since = headers['last-modified'] ?? ''
    expect((await get({ 'if-none-match': etag })).status).toBe(304)
    expect((await get({ 'if-none-match': `"x", W/${etag}` })).status).toBe(304)
    expect((await get({ 'if-none-match': '"x"' })).status).toBe(200)
    expect((await get({ 'if-modified-since': since })).status).toBe(304)
    expect((await get({ 'if-none-match': '"x"', 'if-modified-since': since })).status).toBe(200)
    const legacy = await parrot.ask('GET', '/.well-known/agent-card.json', {
      headers: { 'a2a-version': '0.3' },
    })
    expect(legacy.headers.etag).not.toBe(etag)
    await parrot.agent.close()
  })

  test('2.7: HEAD has the headers of GET', async () => {
    const parrot = await openParrot()
    const head = await parrot.ask('HEAD', '/.well-known/agent-card.json', { headers: V1 })
    expect(head).toMatchObject({ status: 200, text: '' })
    const get = await parrot.ask('GET', '/.well-known/agent-card.json', { headers: V1 })
    expect(head.headers.etag).toBe(get.headers.etag)
    await parrot.agent.close()
  })

  test('2.7: an agent that moved has another card', async () => {
    const parrot = await openParrot()
    parrot.agent.at('https://b.example/agents/p/')
    const { json } = await parrot.ask('GET', '/.well-known/agent-card.json', { headers: V1 })
    expect(json.supportedInterfaces[0].url).toBe('https://b.example/agents/p')
    await parrot.agent.close()
  })
})
