/** A key proven over HTTP (spec 4.1, 10): the header that the client makes, at a relay with gates. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { httpAuthorization, localSigner } from '@aetherkit/client'
import { publicKeyOf, signEvent, toHex, writeEvent } from '@aetherkit/core'
import { createRelay, type Relay } from '@aetherkit/relay'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'

// A busy machine may take its time.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const secret = new Uint8Array(32).fill(7)
const signer = localSigner(secret)
const event = signEvent(
  { kind: 4, content: 'é', tags: [['p', publicKeyOf(secret)]], createdAt: BigInt(Date.now()) * 1_000_000n },
  secret,
)
let relay: Relay
beforeAll(async () => {
  const gate = [{ kinds: [[4, 4] as const], allow: 'parties' as const }]
  relay = await createRelay({ verifyWorkers: 1, http: {}, auth: { read: gate, write: gate } })
})
afterAll(() => relay.close())
const root = fileURLToPath(new URL('..', import.meta.url))

async function ask(
  path: string,
  method: string,
  body?: string | Uint8Array,
  as: typeof signer | null = signer,
) {
  const url = `${relay.http?.url}${path}`
  const authorization = as === null ? undefined : await httpAuthorization(as, url, method, body)
  const response = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', ...(authorization && { authorization }) },
    ...(body !== undefined && { body: Buffer.from(body) }),
  })
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate'),
    text: await response.text(),
  }
}

test('a gated event is published and read by whoever proves the key, and by nobody else', async () => {
  const body = writeEvent(event) ?? ''
  expect(await ask('/v1/events', 'POST', body, null)).toMatchObject({ status: 401, challenge: 'Aether' })
  expect(await ask('/v1/events', 'POST', body, localSigner())).toMatchObject({ status: 403 })
  expect(await ask('/v1/events', 'POST', Buffer.from(body))).toMatchObject({ status: 200 })
  for (const path of [`/v1/events/${event.id}`, '/v1/query?kinds=4&%23p=x', '/v1/query?kinds=4'])
    expect((await ask(path, 'GET')).status).toBe(200)
  expect((await ask('/v1/query', 'POST', '{"filters":{"kinds":[4]}}')).text).toContain(event.id)
  expect(await ask('/v1/query?kinds=4', 'GET', undefined, null)).toMatchObject({
    status: 401,
    challenge: 'Aether',
  })
  expect((await ask('/v1/query?kinds=4', 'GET', undefined, localSigner())).text).not.toContain(event.id)
})

test('the session of the relay README reads a gated event with a key from a file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'aether-key-'))
  try {
    const file = join(folder, 'agent.key')
    writeFileSync(file, `${toHex(secret)}\n`, { mode: 0o600 })
    await ask('/v1/events', 'POST', writeEvent(event) ?? '')
    const readme = readFileSync(join(root, 'relay/README.md'), 'utf8')
    const [, script = ''] = /```sh key session\n([\s\S]*?)```/.exec(readme) ?? []
    const own = script.replace('http://127.0.0.1:8081', relay.http?.url ?? '').replace('agent.key', file)
    const { stdout } = await promisify(execFile)('bash', ['-euc', own], { cwd: root })
    expect(stdout).toContain(`{"events":[{"event_id":"${event.id}"`)
    expect(stdout).toContain('"next":null}')
  } finally {
    rmSync(folder, { recursive: true })
  }
})
