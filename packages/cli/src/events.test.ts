/** `aether pub`, `sub` and `query`, and how they end: readers that are gone, SIGINT, a place kept in a file. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from '@aetherkit/client'
import {
  type Event,
  leadingZeroBits,
  parseJson,
  publicKeyOf,
  readEvent,
  toHex,
  writePublicKey,
} from '@aetherkit/core'
import { proofOfWork } from '@aetherkit/relay'
import { describe, expect, test, vi } from 'vitest'
import { aether, event, folder, listenedLine, MAIN, Run, relay, secretKey, shell } from '../test/world.js'
import { eventLine } from './event-text.js'
import { EXIT } from './exit.js'

vi.setConfig({ testTimeout: 180_000 })

const env = { AETHER_SECRET_KEY: toHex(secretKey) }
const me = publicKeyOf(secretKey)

async function store(url: string, events: readonly Event[]): Promise<void> {
  const client = await connect(url)
  for (const each of events) await client.publish(each)
  await client.close()
}

function contents(out: string): string[] {
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const json = parseJson(line)
      const read = json.ok ? readEvent(json.value, { base64: true }) : json
      return read.ok ? Buffer.from(read.event.content).toString('latin1') : 'no event'
    })
}

describe('pub', () => {
  test('publishes the argument, standard input byte for byte, or every line of it', async () => {
    const { url } = await relay()
    await aether(['pub', 'one', '--tag', 't=a', '--tag', 't=b=c', '--kind', '7'], { relay: url, env })
    await aether(['pub'], { relay: url, env, input: 'two\n' })
    expect((await aether(['pub', '--lines'], { relay: url, env, input: '3\n4' })).code).toBe(EXIT.ok)
    const { out } = await aether(['query', '--author', writePublicKey(me), '--json'], { relay: url })
    expect(contents(out)).toEqual(['4', '3', 'two\n', 'one'])
    expect(out).toContain('"tags":[["t","a"],["t","b=c"]]')
    const tagged = await aether(['query', '--tag', 't=b=c', '--kind', '1,7', '--json'], { relay: url })
    expect(contents(tagged.out)).toEqual(['one'])
  })

  test('takes signed events as they are, without a key of its own', async () => {
    const { url } = await relay()
    const [a, b, c] = [event('a'), event('b'), event('c')]
    expect((await aether(['pub', '--event', eventLine(a)], { relay: url })).code).toBe(EXIT.ok)
    const input = `${eventLine(b)}\n\n${eventLine(c)}\n`
    const { code, out } = await aether(['pub', '--event', '--json'], { relay: url, input })
    expect(code).toBe(EXIT.ok)
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).id),
    ).toEqual([b.id, c.id])
    expect((await aether(['query', '--json'], { relay: url })).out).toBe(
      [c, b, a].map((e) => `${eventLine(e)}\n`).join(''),
    )
  })

  test('does the work that is asked for', async () => {
    const { url } = await relay({ policies: [proofOfWork(10)] })
    expect((await aether(['pub', 'x'], { relay: url, env })).code).toBe(EXIT.rejected)
    const { code, out } = await aether(['pub', 'x', '--work', '10', '--tag', 't=a'], { relay: url, env })
    expect(code).toBe(EXIT.ok)
    expect(leadingZeroBits(out.slice(0, 64))).toBeGreaterThanOrEqual(10)
    const lines = await aether(['pub', '--lines', '--work', '10'], { relay: url, env, input: 'a\nb' })
    expect(lines.code).toBe(EXIT.ok)
    expect((await aether(['query', '--tag', 't=a', '--json'], { relay: url })).out).toContain('["nonce","1')
  })

  test('content that is no text survives', async () => {
    const { url } = await relay()
    const { out } = await shell(
      `printf '\\377\\001' | aether pub --json > /dev/null && aether query --json`,
      { relay: url, env },
    )
    expect(contents(out)).toEqual(['\u00ff\u0001'])
  })
})

test('text of strangers cannot drive the terminal, and colours are for terminals only', async () => {
  const { url } = await relay()
  await store(url, [event('\u001b[2J\u202egone\r\nnext\u009b')])
  const { out } = await aether(['query'], { relay: url })
  expect(out).toMatch(/^[\x20-\x7e]+\n$/)
  expect(out).toContain('\\x1b[2J\\u202egone\\r\\nnext\\x9b')
})

test('--noise hides what goes over the line, and --relay-key knows the relay', async () => {
  const { url } = await relay()
  await store(url, [event('a secret thing')])
  const line = await listenedLine(url)
  const at = { relay: line.url }
  expect((await aether(['query'], at)).out).toContain('a secret thing')
  expect(line.heard()).toContain('a secret thing')
  const before = line.heard().length
  const info: { noise_pubkey: string } = await (await fetch(`${url.replace('ws', 'http')}/v1/info`)).json()
  const pinned = ['query', '--noise', 'xx', '--relay-key', info.noise_pubkey]
  for (const args of [['query', '--noise', 'xx'], pinned])
    expect((await aether(args, at)).out).toContain('a secret thing')
  expect(line.heard().length).toBeGreaterThan(before)
  expect(line.heard().slice(before)).not.toContain('a secret thing')
  const other = await aether(['query', '--noise', 'xx', '--relay-key', 'a'.repeat(64)], at)
  expect({ code: other.code, out: other.out }).toEqual({ code: EXIT.noRelay, out: '' })
  expect(other.err).toContain('pinned key')
})

describe('sub', () => {
  test('prints stored events and then live ones, and ends after --count', async () => {
    const { url } = await relay()
    await store(url, [event('old'), event('older')])
    const run = new Run(['sub', '--stored', '--limit', '1', '--count', '2', '--json'], { relay: url })
    await run.lines(1)
    await store(url, [event('new')])
    const { code, out } = await run.done
    expect(code).toBe(EXIT.ok)
    expect(contents(out)).toEqual(['older', 'new'])
  })

  test.each([
    ['SIGINT', EXIT.interrupted],
    ['SIGTERM', EXIT.terminated],
  ] as const)('%s ends it cleanly, with all that was printed', async (signal, exit) => {
    const { url } = await relay()
    await store(url, [event('1'), event('2')])
    const run = new Run(['sub', '--stored', '--json'], { relay: url })
    await run.lines(2)
    run.child.kill(signal)
    const { code, out, err } = await run.done
    expect({ code, err }).toEqual({ code: exit, err: '' })
    expect(contents(out)).toEqual(['2', '1'])
  })

  test('goes on behind the place in its cursor file, after SIGINT as after kill -9', async () => {
    const { url } = await relay()
    const cursor = join(folder(), 'place')
    const args = ['sub', '--stored', '--cursor', cursor, '--json']
    const seen: string[] = []
    for (const [round, signal] of (['SIGINT', 'SIGKILL', 'SIGINT'] as const).entries()) {
      await store(url, [event(`${round}a`), event(`${round}b`)])
      const run = new Run(args, { relay: url })
      await run.lines(2)
      // The live part begins behind the stored one, and the place is in the file soon after an event.
      await store(url, [event(`${round}c`)])
      await run.lines(3)
      const before = readCursor(cursor)
      await vi.waitUntil(() => readCursor(cursor) >= before && readCursor(cursor) > round * 3 + 2, {
        timeout: 100_000,
      })
      run.child.kill(signal)
      seen.push(...contents((await run.done).out).sort())
    }
    expect(seen).toEqual(['0a', '0b', '0c', '1a', '1b', '1c', '2a', '2b', '2c'])
    expect((await aether([...args, '--kind', '1'], { relay: url })).code).toBe(EXIT.usage)
  })
})

function readCursor(path: string): number {
  try {
    const { cursors }: { cursors: Record<string, string> } = JSON.parse(readFileSync(path, 'utf8'))
    return Number(Object.values(cursors)[0]?.split('-')[1] ?? 0)
  } catch {
    return 0
  }
}

describe('in a pipe', () => {
  test('a reader that has had enough ends it quietly', async () => {
    const { url } = await relay()
    await store(
      url,
      Array.from({ length: 300 }, (_, i) => event(`${i} ${'x'.repeat(1000)}`)),
    )
    for (const command of ['export', 'query --json', 'sub --stored --json']) {
      const { out, err } = await shell(`aether ${command} | head -1 | wc -l; echo \${PIPESTATUS[0]}`, {
        relay: url,
      })
      expect({ out: out.split(/\s+/).filter(Boolean), err }).toEqual({
        out: ['1', String(EXIT.pipe)],
        err: '',
      })
    }
  })

  test('a live subscription ends at the first event that nobody reads', async () => {
    const { url } = await relay()
    const child = spawn(process.execPath, [MAIN, 'sub', '--json', '--relay', url], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const done = new Promise((resolve) => child.once('exit', resolve))
    let err = ''
    child.stderr.on('data', (data) => {
      err += data
    })
    const first = new Promise((resolve) => child.stdout.once('data', resolve))
    const client = await connect(url)
    let isRead = false
    void first.then(() => {
      isRead = true
    })
    while (!isRead) await client.publish({ kind: 1, content: 'tick' })
    child.stdout.destroy()
    while (child.exitCode === null) await client.publish({ kind: 1, content: 'tock' })
    await client.close()
    expect({ code: await done, err }).toEqual({ code: EXIT.pipe, err: '' })
  })
})
