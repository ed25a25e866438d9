/** `aether-relay --gateway nostr` as a stranger meets it: what was taken outlives kill -9, in every store. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { finalizeEvent, generateSecretKey, getPublicKey } from 'nostr-tools/pure'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connectNostrTo } from '../../test/nostr-client.js'
import { temporaryFolder } from '../../test/temporary-folder.js'

const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8')
const key = generateSecretKey()

let folder: string
const children: ChildProcess[] = []
beforeEach(() => {
  folder = temporaryFolder('nostr')
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

interface Run {
  readonly child: ChildProcess
  readonly url: string
}

async function run(...args: string[]): Promise<Run> {
  const ports = ['--ws-port', '0', '--nostr-port', '0']
  const child = spawn(process.execPath, [MAIN, '--gateway', 'nostr', ...ports, ...args], { cwd: folder })
  children.push(child)
  let said = ''
  return new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      said += chunk
      const [, url] = /"nostr":"(ws:[^"]+)"/.exec(said) ?? []
      if (url !== undefined) resolve({ child, url })
    })
    child.stderr.on('data', (chunk) => {
      said += chunk
    })
    child.on('close', (code) => reject(new Error(`ended with ${code}: ${said}`)))
  })
}

async function kill({ child }: Run): Promise<void> {
  const gone = new Promise((resolve) => child.once('close', resolve))
  child.kill('SIGKILL')
  await gone
}

describe.each([
  ['lmdb', './data'],
  ['sqlite', './data'],
  ['sqlite', './own.db'],
])('--storage %s --storage-path %s', (storage, path) => {
  test('keeps genuine Nostr events through kill -9', async () => {
    const flags = ['--storage', storage, '--storage-path', path]
    const first = await run(...flags)
    const client = await connectNostrTo(first.url)
    const events = [1, 2, 3].map((i) =>
      finalizeEvent({ kind: 1, content: `${i}`, tags: [['ключ', '']], created_at: 1_700_000_000 + i }, key),
    )
    for (const event of events) expect(await client.publish(event)).toBe('accepted')
    await kill(first)
    client.close()
    const again = await connectNostrTo((await run(...flags)).url)
    const seen: string[] = []
    await new Promise<void>((resolve) => {
      again.subscribe([{}], { onevent: ({ id }) => seen.push(id), oneose: resolve })
    })
    expect(seen).toEqual(events.map(({ id }) => id).reverse())
    again.close()
  })
})

test('the session of the README runs, and says what the README says', async () => {
  const [, program = '', said] =
    /```ts nostr session\n([\s\S]*?)```\n\n```text\n([\s\S]*?)```/.exec(README) ?? []
  const { url } = await run('--storage', 'memory')
  const script = program.replace('ws://127.0.0.1:7447', url)
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
  })
  expect(stdout).toBe(said)
})

test('the section auth of the file says who may write, and --public-url what the relay is called', async () => {
  writeFileSync(
    join(folder, 'relay.json'),
    JSON.stringify({ auth: { write: [{ kinds: [1], allow: [getPublicKey(key)] }] } }),
  )
  const url = 'wss://relay.example'
  const { url: here } = await run('--storage', 'memory', '--config', 'relay.json', '--public-url', url)
  const client = await connectNostrTo(here)
  const event = finalizeEvent({ kind: 1, content: '', tags: [], created_at: 1_700_000_000 }, key)
  await expect(client.publish(event)).rejects.toThrow('auth-required: auth required')
  await client.auth(async (template) => {
    const tags = template.tags.map((tag) => (tag[0] === 'relay' ? ['relay', url] : tag))
    return finalizeEvent({ ...template, tags }, key)
  })
  expect(await client.publish(event)).toBe('accepted')
  client.close()
})

test.each([
  [
    '{"auth":{"read":[{}]}}',
    'auth.read[0].allow in relay.json must be one of authenticated, author, parties',
  ],
  ['{"auth":{"read":[{"allow":["x"]}]}}', 'auth.read[0].allow in relay.json must hold keys of 64 hex digits'],
  ['{"auth":{"red":[]}}', 'auth.red in relay.json is no setting'],
])('%s is refused with its key', async (file, message) => {
  writeFileSync(join(folder, 'relay.json'), file)
  await expect(run('--storage', 'memory', '--config', 'relay.json')).rejects.toThrow(
    expect.objectContaining({ message: expect.stringContaining(message) }),
  )
})
