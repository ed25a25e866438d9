/** Finding an agent and deciding how to speak with it (spec a2a 2.7, 2.12, 7.1, 7.10). */
import { createServer } from 'node:http'
import { publicKeyOf } from '@aetherkit/core'
import { base58 } from '@scure/base'
import { exportJWK, generateKeyPair } from 'jose'
import { beforeEach, expect, test } from 'vitest'
import { atEnd, CARD_PATH, cardAt, fakeAgent, json, local, serve, taskOf } from '../../test/faulty.js'
import { CARD, openParrot, parrot } from '../../test/http.js'
import { createAgent } from '../agent.js'
import { signCard } from '../card/sign.js'
import { type ConnectOptions, connectAgent } from './connect.js'
import { type CardCache, memoryCardCache } from './discover-card.js'

let cardCache: CardCache
beforeEach(() => {
  cardCache = memoryCardCache()
})

async function connect(target: Parameters<typeof connectAgent>[0], options: ConnectOptions = {}) {
  const agent = await connectAgent(target, local({ cardCache, ...options }))
  atEnd(() => agent.close())
  return agent
}

const SEED = new Uint8Array(32).fill(9)
const ADDRESS = base58.encode(Buffer.from(publicKeyOf(SEED), 'hex'))

/** Our own agent below a path of a host that has nothing else. */
async function mounted(key?: Uint8Array) {
  const agent = createAgent({ card: CARD, executor: parrot, ...(key && { key }) })
  const server = createServer((request, response) => {
    const [, path] = /^\/agents\/a(?=\/|$|\?)(.*)$/.exec(request.url ?? '') ?? []
    if (path === undefined) return void response.writeHead(404).end('<html>nothing here</html>')
    request.url = path === '' ? '/' : path
    agent.listener(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const url = `http://127.0.0.1:${port}/agents/a`
  agent.at(url)
  atEnd(async () => {
    await agent.close()
    server.closeAllConnections()
    server.close()
  })
  return url
}

test('[client-discovery] the card below a path is found with and without the slash, by its own URL, and by its interface', async () => {
  const url = await mounted()
  for (const target of [url, `${url}/`, `${url}${CARD_PATH}`, new URL(url)]) {
    const agent = await connect(target)
    expect(agent.cardUrl).toBe(url + CARD_PATH)
    expect(await agent.send('hello')).toMatchObject({ task: { status: { state: 'TASK_STATE_COMPLETED' } } })
  }
  const rooted = await serve((asked, response, at) =>
    asked.path === CARD_PATH
      ? json(response, cardAt(`${at}/a2a/rpc`))
      : json(
          response,
          { jsonrpc: '2.0', id: asked.body?.id, result: { task: taskOf() } },
          asked.body ? 200 : 404,
        ),
  )
  expect((await connect(`${rooted.url}/a2a/rpc/`)).card.name).toBe('Fake')
  await expect(connect(`${rooted.url}/other`)).rejects.toMatchObject({ code: 'CARD_NOT_FOUND' })
})

test('[client-discovery] the old path and a card of 0.3 are read, and a card that is none is refused', async () => {
  const { name, description, version, skills } = cardAt('')
  const old = await serve((asked, response, url) => {
    if (asked.path !== '/.well-known/agent.json') return json(response, {}, 404)
    const rest = {
      name,
      description,
      version,
      skills,
      capabilities: {},
      defaultInputModes: [],
      defaultOutputModes: [],
    }
    json(response, {
      ...rest,
      protocolVersion: '0.2.5',
      url,
      securitySchemes: { k: { type: 'apiKey', in: 'header', name: 'X' } },
      security: [{ k: [] }],
    })
  })
  const agent = await connect(old.url)
  expect(agent.interface).toMatchObject({ version: '0.3', binding: 'JSONRPC' })
  expect(agent.card).toMatchObject({
    securitySchemes: { k: { apiKeySecurityScheme: { location: 'header', name: 'X' } } },
    securityRequirements: [{ schemes: { k: {} } }],
  })
  for (const body of [
    '[]',
    '{"name":1}',
    '{"name":"a","name":"b"}',
    '{"__proto__":{}}',
    '<html>',
    '{"skills":{}}',
  ])
    await expect(
      connect((await serve((_asked, response) => void response.end(body))).url),
    ).rejects.toMatchObject({ code: 'CARD_NOT_FOUND' })
})

test('[client-discovery] a card is asked for once while it is fresh, then by its tag, and is bounded', async () => {
  let now = 0
  const { url, asked } = await fakeAgent(
    () => {},
    (at) => cardAt(at),
  )
  const tagged = await serve((each, response) => {
    const headers = { etag: '"one"', 'cache-control': 'max-age=60' }
    if (each.headers['if-none-match'] === '"one"') response.writeHead(304, headers).end()
    else json(response, cardAt(url), 200, headers)
  })
  const options = { now: () => now, approveInterface: () => true }
  await connect(tagged.url, options)
  await connect(tagged.url, options)
  expect(tagged.asked).toHaveLength(1)
  now = 61_000
  expect((await connect(tagged.url, options)).card.name).toBe('Fake')
  expect(tagged.asked.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"one"'])
  await expect(connect(url, { maxCardBytes: 64 })).rejects.toMatchObject({ code: 'CARD_NOT_FOUND' })
  expect(asked.length).toBeGreaterThan(0)
})

test('[client-version] it sends the version, and falls back to 0.3 when 1.0 is not known there and the card offers it', async () => {
  const both = (url: string) =>
    cardAt(url, {
      supportedInterfaces: ['1.0', '0.3'].map((protocolVersion) => ({
        url,
        protocolBinding: 'JSONRPC',
        protocolVersion,
      })),
    })
  for (const code of [-32601, -32009]) {
    const { url, asked } = await fakeAgent(({ body }, response) => {
      const isOld = body.method === 'message/send'
      const task = { kind: 'task', id: 'task-1', contextId: 'c', status: { state: 'input-required' } }
      json(response, {
        jsonrpc: '2.0',
        id: body.id,
        ...(isOld ? { result: task } : { error: { code, message: 'no' } }),
      })
    }, both)
    const agent = await connect(url)
    expect(await agent.send('hello')).toMatchObject({
      task: { status: { state: 'TASK_STATE_INPUT_REQUIRED' } },
    })
    await agent.send('hello')
    const calls = asked.filter(({ method }) => method === 'POST')
    expect(calls.map(({ body, headers }) => [body.method, headers['a2a-version']])).toEqual([
      ['SendMessage', '1.0'],
      ['message/send', '0.3'],
      ['message/send', '0.3'],
    ])
    expect(calls[0]?.body.params.message.messageId).toBe(calls[1]?.body.params.message.messageId)
  }
  // Once 1.0 was understood, an unknown method is what it says.
  const { url } = await fakeAgent(({ body }, response) => {
    const known =
      body.method === 'GetTask' ? { result: taskOf() } : { error: { code: -32601, message: 'no' } }
    json(response, { jsonrpc: '2.0', id: body.id, ...known })
  }, both)
  const agent = await connect(url)
  await agent.get('task-1')
  await expect(agent.cancel('task-1')).rejects.toMatchObject({ code: 'METHOD_NOT_FOUND' })
  expect(agent.interface.version).toBe('1.0')
})

test('[client-version] extensions are asked for under the name of the version', async () => {
  const { url, asked } = await fakeAgent(
    ({ body }, response) =>
      json(response, {
        jsonrpc: '2.0',
        id: body.id,
        result: { ...taskOf(), kind: 'task', status: { state: 'completed' } },
      }),
    (at) =>
      cardAt(at, { supportedInterfaces: [{ url: at, protocolBinding: 'JSONRPC', protocolVersion: '0.3' }] }),
  )
  await (await connect(url, { extensions: ['https://a.example/x'] })).send('hello')
  expect(asked.at(-1)?.headers['x-a2a-extensions']).toBe('https://a.example/x')
})

test('[client-guard] a private address is refused unless it is allowed, whatever a name resolves to', async () => {
  const { agent, url } = await openParrot()
  atEnd(() => agent.close())
  await expect(connectAgent(url, { cardCache })).rejects.toMatchObject({ code: 'URL_REFUSED' })
  const lookup: NonNullable<NonNullable<ConnectOptions['guard']>['lookup']> = (_host, _options, done) =>
    done(null, [{ address: '10.0.0.7', family: 4 }])
  await expect(connectAgent('https://agent.example', { cardCache, guard: { lookup } })).rejects.toMatchObject(
    {
      code: 'URL_REFUSED',
    },
  )
  await expect(connectAgent('ftp://agent.example', { cardCache })).rejects.toBeInstanceOf(TypeError)
})

test('[client-guard] an interface of another origin than the card is not called unless it is approved', async () => {
  const real = await openParrot()
  atEnd(() => real.agent.close())
  const lure = await serve((_asked, response) => json(response, cardAt(real.url)))
  await expect(connect(lure.url)).rejects.toMatchObject({ code: 'NO_INTERFACE' })
  const agent = await connect(lure.url, { approveInterface: ({ url }) => url === real.url })
  expect(await agent.send('hello')).toHaveProperty('task')
})

test('[client-guard] credentials go to the interface and not with the card, and are renewed once after a 401', async () => {
  const { url, asked } = await fakeAgent(({ body, headers }, response) => {
    const isNew = headers.authorization === 'Bearer new'
    if (!isNew) return json(response, {}, 401, { 'www-authenticate': 'Bearer' })
    json(response, { jsonrpc: '2.0', id: body.id, result: { task: taskOf() } })
  })
  const agent = await connect(url, { auth: { bearer: ({ isRetry }) => (isRetry ? 'new' : 'old') } })
  await agent.send('hello')
  expect(asked.map(({ headers }) => headers.authorization)).toEqual([undefined, 'Bearer old', 'Bearer new'])
})

test('[client-card-key] a card is verified against a pinned key; another key, no signature and a change are refused', async () => {
  const url = await mounted(SEED)
  const agent = await connect(url, { verify: { keys: [ADDRESS] } })
  expect(agent.verifiedBy).toBe(ADDRESS)
  const unverified = { code: 'CARD_UNVERIFIED' }
  const otherKey = base58.encode(new Uint8Array(32).fill(1))
  await expect(connect(url, { verify: { keys: [otherKey] } })).rejects.toMatchObject(unverified)
  await expect(connect(await mounted(), { verify: { keys: [ADDRESS] } })).rejects.toMatchObject(unverified)
  const changed = {
    ...agent.card,
    ...JSON.parse(await (await fetch(url + CARD_PATH, { headers: { 'a2a-version': '1.0' } })).text()),
  }
  const target = { ...changed, description: 'Pays you' }
  await expect(connect(target, { verify: { keys: [ADDRESS] } })).rejects.toMatchObject(unverified)
})

test('[client-card-key] by the key set of its own origin, or the key of the first time', async () => {
  const { publicKey } = await generateKeyPair('EdDSA', { extractable: true })
  const stranger = { ...(await exportJWK(publicKey)), kid: 'stranger' }
  const x = Buffer.from(publicKeyOf(SEED), 'hex').toString('base64url')
  let seed = SEED
  const { url, asked } = await serve(async (each, response, at) => {
    if (each.path === '/.well-known/jwks.json')
      return json(response, { keys: [stranger, { kty: 'OKP', crv: 'Ed25519', x, kid: ADDRESS }] })
    const signer = {
      publicKey: publicKeyOf(seed),
      sign: async (bytes: Uint8Array) => (await import('@aetherkit/core')).signDigest(bytes, seed),
    }
    json(response, await signCard(cardAt(at) as never, signer), 200, { 'cache-control': 'no-store' })
  })
  expect((await connect(url, { verify: { jwks: 'same-origin' } })).verifiedBy).toBe(ADDRESS)
  const seen = new Map<string, string>()
  const firstUse = {
    get: (origin: string) => seen.get(origin),
    set: (origin: string, key: string) => void seen.set(origin, key),
  }
  await connect(url, { verify: { firstUse } })
  expect([...seen]).toEqual([[url, ADDRESS]])
  seed = new Uint8Array(32).fill(8)
  await expect(connect(url, { verify: { firstUse } })).rejects.toMatchObject({ code: 'CARD_UNVERIFIED' })
  expect(asked.some(({ path }) => path === '/.well-known/jwks.json')).toBe(true)
})

test('answers that are none of the protocol are INVALID_AGENT_RESPONSE', async () => {
  const results: unknown[] = [
    {},
    { task: {} },
    { task: taskOf({ status: { state: 'DONE' } }) },
    { message: { parts: [{ text: 7 }] } },
  ]
  for (const result of results) {
    const { url } = await fakeAgent(({ body }, response) =>
      json(response, { jsonrpc: '2.0', id: body.id, result }),
    )
    await expect((await connect(url)).send('hello')).rejects.toMatchObject({ code: 'INVALID_AGENT_RESPONSE' })
  }
  const { url } = await fakeAgent((_asked, response) =>
    json(response, { jsonrpc: '2.0', id: 'other', result: { task: taskOf() } }),
  )
  await expect((await connect(url)).send('hello')).rejects.toMatchObject({ code: 'INVALID_AGENT_RESPONSE' })
})

test('a closed client ends what is under way with CLOSED', async () => {
  const { url } = await fakeAgent(() => {})
  const agent = await connect(url)
  const asked = expect(agent.send('hello')).rejects.toMatchObject({ code: 'CLOSED' })
  await agent.close()
  await asked
  await expect(agent.send('hello')).rejects.toMatchObject({ code: 'CLOSED' })
})
