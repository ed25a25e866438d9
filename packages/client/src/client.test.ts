import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { client, proxy, relay, until } from '../test/world.js'
import { connect } from './client.js'
import { localSigner } from './signer.js'

test('close leaves no handle: the process exits by itself', async () => {
  const one = await relay()
  const wire = await proxy(one.port)
  // The second relay is never there, so that a reconnect timer is pending at close.
  const program = `
    import { connect } from ${JSON.stringify(new URL('../dist/index.js', import.meta.url).href)}
    const client = await connect([${JSON.stringify(wire.url)}, 'ws://127.0.0.1:9'], { timeoutMs: 20000 })
    client.serve('echo', (payload) => payload)
    const subscription = client.subscribe({ kinds: [1] })
    await subscription.stored
    await client.publish({ kind: 1, content: 'hi' })
    for await (const event of subscription) { process.stdout.write(event.text); break }
    process.stdout.write(await client.request(client.publicKey, 'echo', ' there'))
    const lost = client.request('${localSigner().publicKey}', 'x', null).catch((error) => error.code)
    await client.close()
    process.stdout.write(' ' + await lost)
  `
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (data) => {
    output += data
  })
  const code = await new Promise((resolve) => child.once('exit', resolve))
  expect({ code, output }).toEqual({ code: 0, output: 'hi there CLOSED' })
})

test('a client that is lost and closed while it reconnects leaves no connection', async () => {
  const one = await relay()
  const wire = await proxy(one.port)
  const alice = await client(wire.url)
  wire.cut()
  await until(() => alice.connected.length === 0)
  await alice.close()
  await alice.close()
  expect(alice.connected).toEqual([])
})

test('the same secret is the same agent', async () => {
  const { url } = await relay()
  const secretKey = new Uint8Array(32).fill(7)
  const alice = await client(url, { signer: secretKey })
  const again = await client(url, { signer: localSigner(secretKey) })
  expect(alice.publicKey).toBe(again.publicKey)
  expect((await alice.publish({ kind: 1 })).event.pubkey).toBe(alice.publicKey)
})

test('two events of one client never have the same time', async () => {
  const { url } = await relay()
  const alice = await client(url, { now: () => 1_700_000_000_000 })
  const published = await Promise.all([1, 2, 3].map(() => alice.publish({ kind: 1 })))
  expect(new Set(published.map(({ event }) => event.createdAt)).size).toBe(3)
})

test('only websocket-node.ts and websocket-browser.ts know a WebSocket', async () => {
  const { imports } = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8'))
  expect(imports['#websocket']).toEqual({
    node: './dist/websocket-node.js',
    default: './dist/websocket-browser.js',
  })
  expect(connect).toBeTypeOf('function')
})
