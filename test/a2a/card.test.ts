/** The agent card (spec a2a 2.7, 2.8). */
import { createPublicKey, verify } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { canonicalCard, connectAgent, lintCard, type PushDelivery } from '@aetherkit/a2a'
import { publicKeyOf, signDigest } from '@aetherkit/core'
import { describe, expect, test } from 'vitest'
import { CARD, codeOf, type Loose, later, named, openAgent, say, V1 } from './agent.js'

const PATH = '/.well-known/agent-card.json'
const KEY = new Uint8Array(32).fill(7)
const push: PushDelivery = { async check() {}, prepare: () => undefined, send() {}, async close() {} }

/** RFC 8785, written down once more: keys by UTF-16 code unit, no blanks. */
function jcs(value: Loose): string {
  if (Array.isArray(value)) return `[${value.map(jcs).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const keys = Object.keys(value).sort()
  return `{${keys.map((key) => `${JSON.stringify(key)}:${jcs(value[key])}`).join(',')}}`
}

describe('card', () => {
  test('[card-path, card-required] the card is where it is looked for, with every required field', async () => {
    const agent = await openAgent()
    const { status, json, headers } = await agent.ask('GET', PATH, { headers: V1 })
    expect([status, headers['content-type']]).toEqual([200, 'application/json'])
    expect(json).toMatchObject({
      name: 'Parrot',
      description: 'Repeats what it hears',
      version: expect.any(String),
      capabilities: { streaming: true, pushNotifications: false, extendedAgentCard: false },
      defaultInputModes: ['text/plain'],
      defaultOutputModes: ['text/plain'],
      skills: [{ id: 'echo', name: 'Echo', description: 'Says it again', tags: ['text'] }],
    })
    expect(json.supportedInterfaces.length).toBeGreaterThan(0)
  })

  test('[card-path] it needs no credentials', async () => {
    const agent = await openAgent({ authenticate: named })
    expect((await agent.ask('GET', PATH, { headers: V1 })).status).toBe(200)
    expect((await agent.ask('POST', PATH)).status).toBe(405)
  })

  test('[card-old-path] the path of 0.2 answers too', async () => {
    const agent = await openAgent()
    const old = await agent.ask('GET', '/.well-known/agent.json', { headers: V1 })
    expect(old.json).toEqual((await agent.ask('GET', PATH, { headers: V1 })).json)
  })

  test('[card-interfaces] each binding is listed twice, 1.0 first, and its URL is the base that answers', async () => {
    const agent = await openAgent()
    const { json } = await agent.ask('GET', PATH, { headers: V1 })
    expect(json.supportedInterfaces).toEqual(
      [
        ['JSONRPC', '1.0'],
        ['HTTP+JSON', '1.0'],
        ['JSONRPC', '0.3'],
        ['HTTP+JSON', '0.3'],
      ].map(([protocolBinding, protocolVersion]) => ({ url: agent.url, protocolBinding, protocolVersion })),
    )
    const [{ url }] = json.supportedInterfaces
    expect((await fetch(`${url}/tasks`, { headers: V1 })).status).toBe(200)
    expect((await fetch(`${url}/v1/tasks/nope`)).status).toBe(404)
  })

  test('[card-capabilities] what is not declared is refused, what is declared is served', async () => {
    const plain = await openAgent({ streaming: false })
    const bare = (await plain.ask('GET', PATH, { headers: V1 })).json.capabilities
    expect(bare).toMatchObject({ streaming: false, pushNotifications: false, extendedAgentCard: false })
    expect(codeOf(await plain.rpc('SendStreamingMessage', say('hi')))[0]).toBe(-32004)
    expect(codeOf(await plain.rpc('ListTaskPushNotificationConfigs', { taskId: 'x' }))[0]).toBe(-32003)
    expect(codeOf(await plain.rpc('GetExtendedAgentCard', {}))[0]).toBe(-32007)
    expect(plain.runs).toEqual([])
    const full = await openAgent({ push, authenticate: named, extendedCard: () => full.agent.card() })
    const { capabilities } = (await full.ask('GET', PATH, { headers: V1 })).json
    expect(capabilities).toMatchObject({ streaming: true, pushNotifications: true, extendedAgentCard: true })
    expect((await full.as('alice').rpc('GetExtendedAgentCard', {})).json.result.name).toBe('Parrot')
  })

  test('[card-cache] Cache-Control, ETag and Last-Modified, and 304 without a body on a match', async () => {
    const agent = await openAgent({ cardMaxAgeSeconds: 60 })
    const { headers } = await agent.ask('GET', PATH, { headers: V1 })
    expect(headers['cache-control']).toContain('max-age=60')
    const { etag = '', 'last-modified': modified = '' } = headers
    expect(Number.isNaN(Date.parse(modified))).toBe(false)
    const matches: Record<string, string>[] = [
      { 'if-none-match': etag },
      { 'if-none-match': `"x", W/${etag}` },
      { 'if-modified-since': modified },
    ]
    for (const match of matches) {
      const again = await agent.ask('GET', PATH, { headers: { ...V1, ...match } })
      expect([again.status, again.text, again.headers.etag]).toEqual([304, '', etag])
    }
    expect((await agent.ask('GET', PATH, { headers: { ...V1, 'if-none-match': '"x"' } })).status).toBe(200)
  })

  test('[card-pure] a caller of 1.0 gets no member of 0.3', async () => {
    const agent = await openAgent()
    const { json, headers } = await agent.ask('GET', PATH, { headers: V1 })
    for (const member of [
      'url',
      'preferredTransport',
      'protocolVersion',
      'additionalInterfaces',
      'supportsAuthenticatedExtendedCard',
    ])
      expect(Object.keys(json)).not.toContain(member)
    expect(headers.vary).toMatch(/A2A-Version/i)
    expect((await agent.ask('GET', `${PATH}?A2A-Version=1.0`)).json).toEqual(json)
  })

  test('[card-hybrid] the hybrid is for callers without a version, and a switch of its own', async () => {
    const on = await openAgent()
    const hybrid = (await on.ask('GET', PATH)).json
    expect(hybrid).toMatchObject({
      url: on.url,
      protocolVersion: expect.stringMatching(/^0\.3/),
      supportedInterfaces: [{}, {}, {}, {}],
    })
    const off = await openAgent({ hybridCard: false })
    const pure = (await off.ask('GET', PATH)).json
    expect('url' in pure || 'protocolVersion' in pure).toBe(false)
    const old = {
      message: { kind: 'message', messageId: 'm', role: 'user', parts: [{ kind: 'text', text: 'hi' }] },
    }
    const { json } = await off.rpc('message/send', old, {})
    expect(json.result.kind).toBe('task')
  })

  test.each(['implicit', 'password'])(
    '[card-no-deprecated-flows] a card with the flow %s is refused',
    async (flow) => {
      const scheme = { flows: { [flow]: { tokenUrl: 'https://a.example/t', scopes: {} } } }
      const securitySchemes = { oauth: { oauth2SecurityScheme: scheme } }
      await expect(openAgent({ card: { ...CARD, securitySchemes } })).rejects.toThrow(/deprecated-flow/)
    },
  )

  test('[card-lint] a card with an empty required field is refused', async () => {
    for (const [member, value] of [
      ['name', ''],
      ['description', ''],
      ['skills', []],
    ] as const)
      await expect(openAgent({ card: { ...CARD, [member]: value } })).rejects.toThrow(/empty-required/)
    const agent = await openAgent()
    expect(lintCard(agent.agent.card())).toEqual([])
    expect(lintCard({ ...agent.agent.card(), defaultInputModes: [] })).toEqual([
      { name: 'empty-required', field: 'defaultInputModes' },
    ])
  })

  test('[card-signed, card-signature] with a key the card is signed, and node:crypto alone accepts it', async () => {
    const agent = await openAgent({ key: KEY })
    const { json } = await agent.ask('GET', PATH, { headers: V1 })
    const { signatures, ...card } = json
    const [{ protected: header, signature }] = signatures
    const claims = JSON.parse(Buffer.from(header, 'base64url').toString())
    expect(claims).toMatchObject({ alg: 'EdDSA', typ: 'JOSE', kid: expect.any(String) })
    const payload = Buffer.from(jcs(withoutDefaults(card))).toString('base64url')
    const x = Buffer.from(publicKeyOf(KEY), 'hex').toString('base64url')
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
    const covered = (text: string) =>
      verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'))
    expect(covered(`${header}.${payload}`)).toBe(true)
    const forged = Buffer.from(jcs(withoutDefaults({ ...card, name: 'Mallory' }))).toString('base64url')
    expect(covered(`${header}.${forged}`)).toBe(false)
  })

  test('[card-canonical] required fields stay even when empty, defaults are left out, params are untouched', () => {
    const card = {
      name: 'A',
      description: '',
      version: '1',
      supportedInterfaces: [],
      capabilities: {
        streaming: false,
        extensions: [{ uri: 'urn:x', description: '', params: { empty: '', list: [] } }],
      },
      defaultInputModes: [],
      defaultOutputModes: [],
      skills: [],
      iconUrl: '',
      signatures: [{ protected: 'a', signature: 'b' }],
    }
    expect(JSON.parse(canonicalCard(card))).toEqual({
      capabilities: { extensions: [{ params: { empty: '', list: [] }, uri: 'urn:x' }], streaming: false },
      defaultInputModes: [],
      defaultOutputModes: [],
      description: '',
      iconUrl: '',
      name: 'A',
      skills: [],
      supportedInterfaces: [],
      version: '1',
    })
  })

  test('[card-jku] a jku of another origin is not fetched, and the card is not believed', async () => {
    const asked: string[] = []
    const serve = async (answer: (path: string) => object | undefined) => {
      const server = createServer((request, response) => {
        asked.push(request.url ?? '')
        const body = answer(request.url ?? '')
        response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' })
        response.end(JSON.stringify(body ?? {}))
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      later(() => new Promise((resolve) => server.close(resolve)))
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    }
    const jwk = { kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKeyOf(KEY), 'hex').toString('base64url') }
    const elsewhere = await serve(() => ({ keys: [{ ...jwk, kid: 'k' }] }))
    let card: object = {}
    const origin = await serve((path) => (path === PATH ? card : undefined))
    const bare = {
      ...(await openAgent()).agent.card(),
      supportedInterfaces: [{ url: origin, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
    }
    const header = { alg: 'EdDSA', typ: 'JOSE', kid: 'k', jku: `${elsewhere}/keys` }
    const encode = (text: string) => Buffer.from(text).toString('base64url')
    const first = encode(JSON.stringify(header))
    const bytes = Buffer.from(`${first}.${encode(canonicalCard(bare))}`)
    const signature = Buffer.from(signDigest(bytes, KEY)).toString('base64url')
    card = { ...bare, signatures: [{ protected: first, signature }] }
    const connecting = connectAgent(origin, {
      verify: { jwks: 'same-origin' },
      allowPrivateNetwork: true,
      guard: { warn() {} },
    })
    await expect(connecting).rejects.toMatchObject({ code: 'CARD_UNVERIFIED' })
    expect(asked).toContain(PATH)
    expect(asked).not.toContain('/keys')
  })
})

/** The presence rules, for the members that this agent's card has: a flag that is false is left out of an extension. */
function withoutDefaults({ capabilities, ...card }: Loose): Loose {
  const extensions = capabilities.extensions.map(({ required, ...extension }: Loose) => ({
    ...extension,
    ...(required && { required }),
  }))
  return { ...card, capabilities: { ...capabilities, extensions } }
}
