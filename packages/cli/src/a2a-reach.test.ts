/** Which A2A agents `aether request` and `discover` call, as whom, and what they refuse: addresses, origins, prices. */
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  createGate,
  createLedger,
  createSolanaSettler,
  DEVNET,
  keypairSigner,
  memoryStore,
} from '@aetherkit/payments'
import { describe, expect, test, vi } from 'vitest'
import { agent, oldAgent, server } from '../test/agents.js'
import { aether, folder, later } from '../test/world.js'
import { EXIT } from './exit.js'

vi.setConfig({ testTimeout: 180_000 })

test('what costs is not paid: the price is named, and the exit code is 9', async () => {
  const settler = createSolanaSettler({
    rpcUrl: 'http://127.0.0.1:9',
    network: DEVNET,
    sponsors: [keypairSigner(new Uint8Array(32).fill(3))],
  })
  const gate = createGate({ settler, ledger: createLedger(memoryStore()), rateLimit: false })
  later(() => gate.close())
  const { url } = await agent({
    payment: {
      gate,
      network: 'solana-devnet',
      payTo: '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU',
      price: '0.01',
      url: 'https://agent.example',
    },
  })
  const { code, out, err } = await aether(['request', url, 'hello'])
  expect({ code, out }).toEqual({ code: EXIT.payment, out: '' })
  expect(err).toContain('aether: the agent asks for 0.01 USDC on solana-devnet: this command pays nothing\n')
  const { agent: behind } = await agent()
  const walled = await server((own) => (request, response) => {
    const interfaces = [{ url: own, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }]
    if (request.method === 'GET')
      return void response.end(JSON.stringify({ ...behind.card(), supportedInterfaces: interfaces }))
    const terms = { accepts: [{ network: 'eip155:1', asset: '0xusd', amount: '7' }] }
    response
      .writeHead(402, { 'payment-required': Buffer.from(JSON.stringify(terms)).toString('base64') })
      .end()
  })
  const paid = await aether(['request', walled, 'hello'])
  expect(paid.code).toBe(EXIT.payment)
  expect(paid.err).toContain('asks for 7 of 0xusd on eip155:1')
})

describe('where a request may go', () => {
  test.each([
    ['http://10.0.0.1/', 'https'],
    ['https://10.0.0.1/', '--allow-private-network'],
    ['https://169.254.169.254/', '--allow-private-network'],
    ['https://[::ffff:10.0.0.1]/', '--allow-private-network'],
    ['http://example.com/', 'https'],
    ['https://user:secret@agent.example/', 'password'],
    ['aether:00', '64 hex'],
  ])('%s is refused before anything is sent', async (url, why) => {
    const runs = [
      ['request', url, 'x'],
      ['discover', url],
    ].map((args) => aether(args))
    for (const { code, out, err } of await Promise.all(runs)) {
      expect({ code, out }).toEqual({ code: EXIT.usage, out: '' })
      expect(err.trim().split('\n')).toHaveLength(1)
      expect(err).toContain(why)
      expect(err).not.toContain('secret')
    }
  })

  test('a redirect is not followed, not even on this machine', async () => {
    const { url } = await agent()
    const from = await server(() => (_, response) => response.writeHead(302, { location: url }).end())
    const { code, err } = await aether(['request', from, 'x'])
    expect(code).toBe(EXIT.usage)
    expect(err).toContain('redirects')
  })

  test('another origin than that of the card needs to be named', async () => {
    const { agent: made, url } = await agent()
    const from = await server(() => (_, response) => response.end(JSON.stringify(made.card())))
    const refused = await aether(['request', from, 'x'])
    expect(refused.code).toBe(EXIT.peer)
    expect(refused.err).toContain('--allow-origin')
    expect((await aether(['discover', from])).out).toContain('(another origin)')
    expect((await aether(['request', from, 'x', '--allow-origin', url])).out).toBe('x\n')
  })

  test('nobody there: 3; no card there: 3; in one line', async () => {
    const { url } = await agent()
    for (const target of ['http://127.0.0.1:1/', `${url}/nothing`]) {
      const { code, err } = await aether(['request', target, 'x'])
      expect(code).toBe(EXIT.noRelay)
      expect(err.trim().split('\n')).toHaveLength(1)
    }
  })
})

test('a bearer token comes from a file that nobody else can read, and goes to the agent alone', async () => {
  const { url } = await agent({
    authenticate: (request) =>
      request.header('authorization') === 'Bearer t0ken' ? { owner: 'me', anonymous: false } : undefined,
  })
  const path = join(folder(), 'token')
  writeFileSync(path, 't0ken\n', { mode: 0o600 })
  expect((await aether(['request', url, 'hi', '--token-file', path])).out).toBe('hi\n')
  const none = await aether(['request', url, 'hi'])
  expect(none.code).toBe(EXIT.peer)
  expect(none.err).toContain('--token-file')
  chmodSync(path, 0o644)
  const open = await aether(['request', url, 'hi', '--token-file', path])
  expect(open.code).toBe(EXIT.usage)
  expect(open.err).toContain('chmod 600')
})

test('discover prints the card of a URL: readable, or as it is', async () => {
  const { url } = await agent()
  const { code, out } = await aether(['discover', url])
  expect(code).toBe(EXIT.ok)
  expect(out).toMatch(/^Parrot {2}1\.2\.0 {2}Repeats what it hears\n/)
  expect(out).toContain(`1.0 JSONRPC  ${url}`)
  expect(out).toContain('  echo  Echo  Says it again  [text]\n      hello \\x1b[2J\n')
  const old = await aether(['discover', `${await oldAgent()}/.well-known/agent.json`])
  expect(old.out).toContain('0.3')
  const { out: json } = await aether(['discover', url, '--json'])
  expect(JSON.parse(json)).toMatchObject({ name: 'Parrot', skills: [{ id: 'echo' }] })
})
