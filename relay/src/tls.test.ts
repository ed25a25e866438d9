/** TLS on every port, and a certificate that is exchanged under open connections. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { writeMessage } from '@aetherkit/core'
import { createRelay, type RelayOptions } from '@aetherkit/relay'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { hasOpenssl, makeCertificate } from '../test/certificate.js'
import { RelayProcess } from '../test/relay-process.js'
import { createAuthor } from '../test/signing.js'
import { startRelay } from '../test/start-relay.js'
import { temporaryFolder } from '../test/temporary-folder.js'

const author = createAuthor()
const publish = () => writeMessage({ type: 'publish', event: author.sign() })

let folder: string
const children: RelayProcess[] = []
const clients: WebSocket[] = []
beforeEach(() => {
  folder = temporaryFolder('tls')
})
afterEach(() => {
  for (const client of clients.splice(0)) client.terminate()
  for (const { child } of children.splice(0)) child.kill('SIGKILL')
})

function credentials(name: string) {
  const { cert, key } = makeCertificate(folder, name)
  return { cert: readFileSync(cert), key: readFileSync(key) }
}

async function start(name: string, options: RelayOptions = {}) {
  const tls = credentials(name)
  const relay = await startRelay({ tls, ...options })
  return { relay, tls }
}

async function open(port: number, ca: Buffer, path = ''): Promise<WebSocket> {
  const client = new WebSocket(`wss://127.0.0.1:${port}${path}`, { ca })
  clients.push(client)
  await new Promise((resolve, reject) => client.once('open', resolve).once('error', reject))
  return client
}

async function ask(client: WebSocket, message: string): Promise<{ status?: string; code?: string }> {
  const answer = new Promise<Buffer>((resolve) => client.once('message', resolve))
  client.send(message)
  return JSON.parse(String(await answer))
}

/** The name in the certificate that a new connection is shown. */
async function shownName(port: number): Promise<string | string[] | undefined> {
  const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false })
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject))
  const { CN } = socket.getPeerCertificate().subject
  socket.destroy()
  return CN
}

function fetchText(port: number, path: string, ca: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, path, ca, host: '127.0.0.1' }, async (response) => {
      const chunks = []
      for await (const chunk of response) chunks.push(chunk as Buffer)
      resolve(Buffer.concat(chunks).toString())
    }).once('error', reject)
  })
}

describe.skipIf(!hasOpenssl)('with certificates by openssl (skipped where it is not installed)', () => {
  test('every port is TLS: native, Nostr, HTTP and /v1/ws, and none answers in clear', async () => {
    const { relay, tls } = await start('first', { http: { wsPort: 0 }, nostr: {} })
    expect(relay.url).toBe(`wss://127.0.0.1:${relay.port}`)
    expect(relay.http?.url).toMatch(/^https:/)
    expect(relay.nostr?.url).toMatch(/^wss:/)
    expect((await ask(await open(relay.port, tls.cert), publish())).status).toBe('stored')
    const { port = 0, wsPort = 0 } = relay.http ?? {}
    for (const each of [port, wsPort])
      expect((await ask(await open(each, tls.cert, '/v1/ws'), publish())).status).toBe('stored')
    expect(JSON.parse(await fetchText(port, '/healthz', tls.cert))).toMatchObject({ status: 'ok' })
    await open(relay.nostr?.port ?? 0, tls.cert)
    await expect(fetch(`http://127.0.0.1:${relay.port}/v1/info`)).rejects.toThrow(TypeError)
  })

  test('old TLS versions are refused, and a handshake that does not come ends with the header timeout', async () => {
    const { relay } = await start('first', { limits: { headersMs: 200 } })
    const old = connectTls({
      port: relay.port,
      host: '127.0.0.1',
      rejectUnauthorized: false,
      maxVersion: 'TLSv1.1',
    })
    const error = await new Promise<NodeJS.ErrnoException>((resolve) => old.once('error', resolve))
    expect(error.code).toMatch(/^ERR_SSL|ECONNRESET|EPROTO/)
    const { connect } = await import('node:net')
    const silent = connect(relay.port, '127.0.0.1')
    await new Promise((resolve) => silent.on('error', () => {}).once('close', resolve))
  })

  test('a new certificate is shown to new connections on every port, and open ones live on', async () => {
    const { relay, tls } = await start('first', { http: {} })
    const client = await open(relay.port, tls.cert)
    const httpPort = relay.http?.port ?? 0
    expect([await shownName(relay.port), await shownName(httpPort)]).toEqual(['first', 'first'])
    await relay.reload({ tls: credentials('second') })
    expect([await shownName(relay.port), await shownName(httpPort)]).toEqual(['second', 'second'])
    expect((await ask(client, publish())).status).toBe('stored')
    await expect(relay.reload({ tls: { cert: 'x', key: 'y' } })).rejects.toThrow(TypeError)
    expect(await shownName(relay.port)).toBe('second')
    expect((await ask(client, publish())).status).toBe('stored')
  })

  test('a drain over TLS tells the peers and ends', async () => {
    const { relay, tls } = await start('first', { http: {} })
    const client = await open(relay.port, tls.cert)
    const closed = new Promise((resolve) => client.once('close', resolve))
    await relay.close()
    expect(await closed).toBe(1001)
  })

  test('the binary: SIGHUP takes the files anew, keeps connections, and a broken file changes nothing', async () => {
    const first = makeCertificate(folder, 'first')
    const second = makeCertificate(folder, 'second')
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
    copyFileSync(first.cert, cert)
    copyFileSync(first.key, key)
    const run = new RelayProcess(folder, [
      '--ws-port',
      '0',
      '--storage',
      'memory',
      '--tls-cert',
      cert,
      '--tls-key',
      key,
    ])
    children.push(run)
    const port = await run.port()
    expect((await run.line('listening')).url).toMatch(/^wss:/)
    const client = await open(port, readFileSync(first.cert))
    copyFileSync(second.cert, cert)
    copyFileSync(second.key, key)
    run.child.kill('SIGHUP')
    const { certificate } = await run.line('reloaded')
    expect(certificate).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
    expect(await shownName(port)).toBe('second')
    expect((await ask(client, publish())).status).toBe('stored')
    writeFileSync(cert, 'broken')
    run.child.kill('SIGHUP')
    expect((await run.line('not reloaded')).error).toContain('cert.pem')
    expect(await shownName(port)).toBe('second')
    expect((await ask(client, publish())).status).toBe('stored')
    run.child.kill('SIGTERM')
    expect(await run.exit).toBe(0)
  })
})

test('a certificate that is none ends the start: TypeError in the library, exit code 2 and the file in the binary', async () => {
  await expect(createRelay({ tls: { cert: 'no', key: 'pem' } })).rejects.toThrow(TypeError)
  writeFileSync(join(folder, 'bad.pem'), 'no')
  const run = new RelayProcess(folder, [
    '--storage',
    'memory',
    '--tls-cert',
    'bad.pem',
    '--tls-key',
    'missing.pem',
  ])
  children.push(run)
  expect(await run.exit).toBe(2)
  expect(run.err).toMatch(/^aether-relay: missing\.pem cannot be read: ENOENT[^\n]*\n$/)
})
