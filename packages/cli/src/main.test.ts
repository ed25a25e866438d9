/** `aether` as a stranger meets it: help, wrong use, keys and exit codes. */
import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { publicKeyOf, readSecretKey, toHex, writePublicKey, writeSecretKey } from '@aetherkit/core'
import { describe, expect, test, vi } from 'vitest'
import { aether, event, folder, Run, relay, secretKey } from '../test/world.js'
import { eventLine } from './event-text.js'
import { EXIT } from './exit.js'

// A busy machine may take its time.
vi.setConfig({ testTimeout: 180_000 })

const COMMANDS = [
  'keygen',
  'key',
  'pub',
  'sub',
  'query',
  'request',
  'serve',
  'discover',
  'export',
  'import',
  'bench',
]
const key = { AETHER_SECRET_KEY: toHex(secretKey) }
const NOBODY = 'ws://127.0.0.1:9'

describe('help', () => {
  test('comes without arguments, too, on standard error, and ends with 2', async () => {
    const { code, out, err } = await aether([])
    expect({ code, out }).toEqual({ code: EXIT.usage, out: '' })
    expect(err).toMatch(/^Usage: aether /)
  })

  test('of the whole names every command and every exit code', async () => {
    const { code, out } = await aether(['--help'])
    expect(code).toBe(EXIT.ok)
    for (const name of [...COMMANDS, 'relay']) expect(out).toMatch(new RegExp(`^  ${name} `, 'm'))
    for (const exit of Object.values(EXIT)) expect(out).toMatch(new RegExp(`\\b${exit}\\b`))
  })

  test.each(COMMANDS)('of %s is text on standard output', async (name) => {
    const { code, out, err } = await aether([name, '--help'])
    expect({ code, err }).toEqual({ code: EXIT.ok, err: '' })
    expect(out).toContain(`Usage: aether ${name}`)
    expect(Math.max(...out.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  test('of relay is that of the relay, with all its flags', async () => {
    const { code, out } = await aether(['relay', '--help'])
    expect(code).toBe(EXIT.ok)
    expect(out).toContain('--storage-path')
    expect((await aether(['relay', 'export', '--help'])).out).toContain('--resume')
  })
})

test('aether relay is a relay: it listens, logs, and ends with 0 on SIGTERM', async () => {
  const run = new Run(['relay', '--storage', 'memory', '--ws-port', '0'])
  const [line = ''] = await run.lines(1)
  const { url }: { url: string } = JSON.parse(line)
  expect((await aether(['pub', 'hi'], { relay: url, env: key })).code).toBe(EXIT.ok)
  run.child.kill('SIGTERM')
  expect((await run.done).code).toBe(0)
  expect((await aether(['relay', '--storage', 'paper'])).code).toBe(2)
})

describe('a key', () => {
  test('is made once, with mode 0600, and its public key is printed in both forms', async () => {
    const path = join(folder(), 'a.key')
    const { code, out } = await aether(['keygen', path])
    expect(code).toBe(EXIT.ok)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    const before = readFileSync(path, 'utf8')
    const read = readSecretKey(before.trim())
    const publicKey = read.ok ? publicKeyOf(read.secretKey) : ''
    expect(out).toBe(`${publicKey}\n${writePublicKey(publicKey)}\n`)
    expect((await aether(['keygen', path])).code).toBe(EXIT.file)
    expect(readFileSync(path, 'utf8')).toBe(before)
    expect((await aether(['key', path, '--json'])).out).toBe(
      `${JSON.stringify({ public_key: publicKey, text: writePublicKey(publicKey) })}\n`,
    )
  })

  test.each(['640', '604', '660'])('that others can read is refused: mode %s', async (mode) => {
    const path = join(folder(), 'a.key')
    writeFileSync(path, writeSecretKey(secretKey))
    chmodSync(path, Number.parseInt(mode, 8))
    const { code, out, err } = await aether(['pub', 'x', '--key', path], { relay: NOBODY })
    expect({ code, out }).toEqual({ code: EXIT.usage, out: '' })
    expect(err).toContain('chmod 600')
  })

  test('is never an argument, and no message repeats it', async () => {
    for (const text of [toHex(secretKey), writeSecretKey(secretKey)]) {
      for (const args of [
        ['pub', 'x', '--key', text],
        ['keygen', text],
        ['key', text],
      ]) {
        const { code, out, err } = await aether(args, { relay: NOBODY })
        expect(code).toBe(EXIT.usage)
        expect(out + err).not.toContain(text)
      }
      expect(existsSync(text)).toBe(false)
    }
    const wrong = await aether(['key'], { env: { AETHER_SECRET_KEY: 'secret-of-mine' } })
    expect(wrong.code).toBe(EXIT.usage)
    expect(wrong.err).not.toContain('secret-of-mine')
  })

  test('that is not there, or none, is told apart', async () => {
    expect((await aether(['key', join(folder(), 'none')])).code).toBe(EXIT.file)
    expect((await aether(['pub', 'x'], { relay: NOBODY })).code).toBe(EXIT.usage)
    expect((await aether(['serve', 'x', '--', 'cat'], { relay: NOBODY })).code).toBe(EXIT.usage)
  })
})

describe('wrong use ends with 2, before any relay is asked', () => {
  test.each([
    [['nonsense']],
    [['query', '--nonsense']],
    [['query', '--kindd', '1']],
    [['request']],
    [['query', '--kind', '65536']],
    [['query', '--id', 'xyz']],
    [['query', '--since', '1700000000']],
    [['query', '--filter', '{"unknown":1}']],
    [['query', '--filter', '{}', '--kind', '1']],
    [['query', '--relay', 'http://localhost']],
    [['query', '--timeout', '-1']],
    [['pub', 'x', '--tag', 'novalue']],
    [['pub', '--event', '{"kind":1}']],
    [['request', 'nokey', 'x']],
    [['request', 'a'.repeat(64), 'x', 'no json']],
    [['serve', 'x']],
    [['serve', 'x', '--', 'no-such-program-anywhere']],
    [['pub', 'x', '--key', '/']],
    [['pub', 'x', '--work', '33']],
    [['pub', '--event', '{}', '--work', '3']],
    [['pub', 'x', '--quorum', '2']],
    [['query', '--noise', 'nn']],
    [['query', '--relay-key', 'a'.repeat(64)]],
    [['request', 'a'.repeat(64)]],
    [['request', 'a'.repeat(64), 'x', '--task', 't']],
    [['request', 'https://a.example', '--data', 'no json']],
    [['request', 'https://a.example', '--cancel']],
    [['request', 'https://a.example', 'x', '--allow-origin', 'a.example']],
    [['discover']],
    [['export', '--cursor', 'c']],
    [['export', '--relay', NOBODY, '--relay', 'ws://127.0.0.1:10']],
  ])('%j', async (args) => {
    const { code, out, err } = await aether(args, { relay: NOBODY, env: key })
    expect({ code, out }).toEqual({ code: EXIT.usage, out: '' })
    expect(err).toMatch(/^aether: [^\n]+\n$/)
  })
})

describe('exit codes', () => {
  test('no relay: 3, in one line', async () => {
    const { code, err } = await aether(['query', '--timeout', '300ms'], { relay: NOBODY })
    expect(code).toBe(EXIT.noRelay)
    expect(err.trim().split('\n')).toHaveLength(1)
  })

  test('refused: 4, and the verdict of each relay is a record', async () => {
    const { url } = await relay()
    const forged = { ...event('x'), sig: event('y').sig }
    const { code, out, err } = await aether(['pub', '--event', '--json'], {
      relay: url,
      input: eventLine(forged),
    })
    expect(code).toBe(EXIT.rejected)
    expect(JSON.parse(out)).toMatchObject({
      id: forged.id,
      relays: { [url]: { ok: false, code: 'invalid_signature' } },
    })
    expect(err).toContain('invalid_signature')
  })

  test('no answer: 5; a file that is not there: 7', async () => {
    const { url } = await relay()
    const nobody = publicKeyOf(secretKey)
    expect((await aether(['request', nobody, 'x', 'null', '-t', '5s'], { relay: url })).code).toBe(
      EXIT.timeout,
    )
    const path = join(folder(), 'none')
    expect(await aether(['import', path], { relay: url })).toEqual({
      code: EXIT.file,
      out: '',
      err: `aether: ${path}: no such file or directory\n`,
    })
    expect((await aether(['export', '--to', join(path, 'x')], { relay: url })).code).toBe(EXIT.file)
  })
})

test('bench prints its figures beside the limit of the same run', async () => {
  const { url } = await relay()
  const args = ['bench', '--events', '200', '--subscribers', '2', '--size', '32']
  const { code, out, err } = await aether([...args, '--json'], { relay: url })
  expect({ code, err }).toEqual({ code: EXIT.ok, err: '' })
  const report = JSON.parse(out)
  expect(report.limit.signatures_per_second).toBeGreaterThan(0)
  expect(report).toMatchObject({ publish: { count: 200 }, deliver: { count: 400 } })
  expect((await aether(args, { relay: url })).out).toMatch(/^limit .*\npublish .*\ndeliver .*$/m)
})
