/** Relays that ask who one is: the key proves it, and who is not let in learns it by the exit code. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateSecretKey, publicKeyOf, writeSecretKey } from '@aetherkit/core'
import { expect, test, vi } from 'vitest'
import { aether, folder, Run, relay } from '../test/world.js'
import { EXIT } from './exit.js'

vi.setConfig({ testTimeout: 180_000 })

/** A key in a file, as `--key` takes it. */
function keyFile(): { readonly flags: readonly string[]; readonly publicKey: string } {
  const secretKey = generateSecretKey()
  const path = join(folder(), 'key')
  writeFileSync(path, writeSecretKey(secretKey), { mode: 0o600 })
  return { flags: ['--key', path], publicKey: publicKeyOf(secretKey) }
}

test('a write gate lets in the key that is on its list, and refuses the others with 4', async () => {
  const [mine, other] = [keyFile(), keyFile()]
  const { url } = await relay({ auth: { write: [{ kinds: [[1, 1]], allow: [mine.publicKey] }] } })
  const at = { relay: url }
  expect((await aether(['pub', 'x', ...mine.flags], at)).code).toBe(EXIT.ok)
  const refused = await aether(['pub', 'x', '--json', ...other.flags], at)
  expect(refused.code).toBe(EXIT.rejected)
  expect(JSON.parse(refused.out).relays[url]).toMatchObject({ ok: false, code: 'restricted' })
  expect(refused.err).toBe('aether: refused by the relays: restricted\n')
  expect((await aether(['pub', 'x', '--kind', '7', ...other.flags], at)).code).toBe(EXIT.ok)
  const read = await aether(['query', '--json'], at)
  expect(read.out.trim().split('\n')).toHaveLength(2)
})

test('a read gate shows stored and live events to the key that may read them, and to no other', async () => {
  const [mine, other] = [keyFile(), keyFile()]
  const { url } = await relay({ auth: { read: [{ kinds: [[1, 1]], allow: [mine.publicKey] }] } })
  const at = { relay: url }
  await aether(['pub', 'stored', ...other.flags], at)
  const args = ['--kind', '1', '--json']
  expect((await aether(['query', ...args, ...mine.flags], at)).out).toContain('"stored"')
  expect((await aether(['export', ...args, ...mine.flags], at)).out).toContain('"stored"')
  for (const flags of [other.flags, []])
    expect(await aether(['query', ...args, ...flags], at)).toEqual({ code: EXIT.ok, out: '', err: '' })
  const [within, outside] = [mine, other].map(
    ({ flags }) => new Run(['sub', '--stored', '--kind', '1,7', '--json', ...flags], at),
  )
  await within?.lines(1)
  await aether(['pub', 'live', ...other.flags], at)
  await aether(['pub', 'for all', '--kind', '7', ...other.flags], at)
  await outside?.lines(1)
  await within?.lines(3)
  expect(within?.out).toContain('"live"')
  expect(outside?.out).toContain('"for all"')
  expect(outside?.out.trim().split('\n')).toHaveLength(1)
})

test('http-auth prints the header that lets a key in over HTTP, once', async () => {
  const [mine, other] = [keyFile(), keyFile()]
  const { http, url: native } = await relay({
    http: {},
    auth: {
      read: [{ kinds: [[1, 1]], allow: [mine.publicKey] }],
      write: [{ kinds: [[1, 1]], allow: [mine.publicKey] }],
    },
  })
  const url = `${http?.url}/v1/query?kinds=1`
  const ask = async (flags: readonly string[]) => {
    const { out } = await aether(['http-auth', url, ...flags], {})
    const [name = '', value = ''] = out.trim().split(': ')
    const [first, again] = [
      await fetch(url, { headers: { [name]: value } }),
      await fetch(url, { headers: { [name]: value } }),
    ]
    expect([first.status, again.status]).toEqual([200, 401])
    return (await first.text()).includes('"for me"')
  }
  await aether(['pub', 'for me', ...mine.flags], { relay: native })
  expect(await ask(mine.flags)).toBe(true)
  expect(await ask(other.flags)).toBe(false)
  expect((await aether(['http-auth', 'ws://a', ...mine.flags], {})).code).toBe(EXIT.usage)
  expect((await aether(['http-auth', url], {})).code).toBe(EXIT.usage)
})

test('a relay that takes no proof lets nobody in: 4, in one line', async () => {
  const { flags } = keyFile()
  const rule = [{ kinds: [[1, 1]], allow: 'authenticated' }] as const
  // It says that it is somewhere else than where it is called.
  const { url } = await relay({ auth: { read: rule, write: rule, urls: ['wss://relay.example'] } })
  for (const args of [
    ['pub', 'x'],
    ['query', '--kind', '1'],
    ['sub', '--kind', '1', '--stored'],
  ]) {
    const { code, err } = await aether([...args, ...flags, '--timeout', '20s'], { relay: url })
    expect(code).toBe(EXIT.rejected)
    expect(err).toMatch(/^aether: [^\n]*auth_required[^\n]*\n$/)
  }
})
