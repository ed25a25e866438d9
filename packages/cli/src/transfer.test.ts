/** `aether export` and `import` between relays: nothing lost, nothing twice, also after a kill. */
import { appendFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from '@aetherkit/client'
import { createClock, type Event } from '@aetherkit/core'
import { openMemoryStore, type Relay, type StoredEvent } from '@aetherkit/relay'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import { aether, event, folder, Run, relay } from '../test/world.js'
import { eventLine } from './event-text.js'
import { EXIT } from './exit.js'

vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 })

const COUNT = 3000
/** Every third was created in one and the same nanosecond. */
let events: Event[]

beforeAll(() => {
  const clock = createClock()
  const instant = clock()
  events = Array.from({ length: COUNT }, (_, i) => event(`${i}`, 1, i % 3 === 0 ? instant : clock()))
})

async function filled(): Promise<Relay> {
  const store = openMemoryStore()
  await store.put(events.map((each, i): StoredEvent => ({ seq: BigInt(i + 1), event: each })))
  return relay({ store, limits: { maxLimit: 400 } })
}

const idsOf = (text: string): string[] =>
  [...text.matchAll(/^\{"event_id":"([0-9a-f]{64})"/gm)].map((match) => match[1] ?? '')
const sorted = (ids: readonly string[]) => [...ids].sort()

describe('export', () => {
  test('writes every stored event once, newest first', async () => {
    const { url } = await filled()
    const { code, out, err } = await aether(['export'], { relay: url })
    expect({ code, err }).toEqual({ code: EXIT.ok, err: `aether: ${COUNT} events exported\n` })
    expect(sorted(idsOf(out))).toEqual(sorted(events.map(({ id }) => id)))
    const byTime = events.toSorted((a, b) =>
      a.createdAt === b.createdAt ? (a.id < b.id ? -1 : 1) : a.createdAt < b.createdAt ? 1 : -1,
    )
    expect(out).toBe(byTime.map((each) => `${eventLine(each)}\n`).join(''))
  })

  test('ends after --limit, over all pages', async () => {
    const { url } = await filled()
    const { out } = await aether(['export', '--limit', '450', '--page', '100'], { relay: url })
    expect(new Set(idsOf(out)).size).toBe(450)
  })

  test('that is killed again and again goes on: nothing lost, nothing twice', async () => {
    const { url } = await filled()
    const [to, cursor] = [join(folder(), 'out.ndjson'), join(folder(), 'cursor')]
    const args = ['export', '--to', to, '--cursor', cursor, '--page', '50']
    const size = () => (existsSync(to) ? statSync(to).size : 0)
    let kills = 0
    for (const signal of ['SIGKILL', 'SIGINT', 'SIGKILL'] as const) {
      const before = size()
      const run = new Run(args, { relay: url })
      let isOver = false
      void run.done.then(() => {
        isOver = true
      })
      await vi.waitUntil(() => isOver || size() > before, { interval: 1, timeout: 60_000 })
      if (run.child.kill(signal)) kills++
      await run.done
      // As if the page had been written, and the place behind it not yet.
      appendFileSync(to, '{"event_id":"half a li')
    }
    expect(kills).toBeGreaterThan(0)
    expect((await aether(args, { relay: url })).code).toBe(EXIT.ok)
    const ids = idsOf(readFileSync(to, 'utf8'))
    expect(ids).toHaveLength(COUNT)
    expect(sorted(ids)).toEqual(sorted(events.map(({ id }) => id)))
    expect((await aether([...args, '--kind', '1'], { relay: url })).code).toBe(EXIT.usage)
    writeFileSync(to, '')
    expect((await aether(args, { relay: url })).code).toBe(EXIT.usage)
  })
})

describe('import', () => {
  test('into a second relay makes it equal, and again changes nothing', async () => {
    const [one, two] = [await filled(), await relay()]
    const { out: exported } = await aether(['export'], { relay: one.url })
    const first = await aether(['import', '--json'], { relay: two.url, input: exported })
    expect(first.code).toBe(EXIT.ok)
    expect(JSON.parse(first.out)).toEqual({
      lines: COUNT,
      accepted: { stored: COUNT },
      refused: {},
      first: [],
    })
    expect((await aether(['export'], { relay: two.url })).out).toBe(exported)
    const again = await aether(['import', '--json'], { relay: two.url, input: exported })
    expect(JSON.parse(again.out)).toMatchObject({ accepted: { duplicate: COUNT } })
  })

  test('counts what it refuses by code, names the first lines, and ends with 4', async () => {
    const { url } = await relay()
    const good = event('good')
    const forged = { ...event('x'), sig: good.sig }
    const input = [
      eventLine(good),
      '',
      'no json',
      eventLine(forged),
      eventLine(event('too', 60_000)),
      '{"kind":1}',
    ].join('\n')
    const { code, out, err } = await aether(['import', '--json'], { relay: url, input })
    expect(code).toBe(EXIT.rejected)
    expect(JSON.parse(out)).toMatchObject({
      lines: 6,
      accepted: { stored: 1 },
      refused: { invalid_message: 1, invalid_signature: 1, invalid_event: 1 },
    })
    expect(err).toContain('line 3: invalid_message')
  })

  test('that is killed goes on behind its place: everything arrives', async () => {
    const { url } = await relay()
    const [from, cursor] = [join(folder(), 'in.ndjson'), join(folder(), 'cursor')]
    writeFileSync(from, events.map((each) => `${eventLine(each)}\n`).join(''))
    const args = ['import', from, '--cursor', cursor, '--window', '8', '--json']
    for (const signal of ['SIGKILL', 'SIGINT'] as const) {
      const before = placeIn(cursor)
      const run = new Run(args, { relay: url })
      let isOver = false
      void run.done.then(() => {
        isOver = true
      })
      await vi.waitUntil(() => isOver || placeIn(cursor) > before, { interval: 1, timeout: 60_000 })
      run.child.kill(signal)
      await run.done
    }
    const kept = placeIn(cursor)
    expect(kept).toBeGreaterThan(0)
    const { code, out } = await aether(args, { relay: url })
    expect(code).toBe(EXIT.ok)
    const { lines, accepted } = JSON.parse(out)
    expect(lines).toBe(COUNT)
    expect((accepted.stored ?? 0) + (accepted.duplicate ?? 0)).toBe(COUNT - kept)
    const { out: there } = await aether(['export'], { relay: url })
    expect(sorted(idsOf(there))).toEqual(sorted(events.map(({ id }) => id)))
  })

  test('ends when the relay is gone for good, and says how far it came', async () => {
    const one = await relay()
    const from = new Run(['import', '--timeout', '5s'], { relay: one.url })
    from.child.stdin.write(`${eventLine(event('1'))}\n`)
    const watcher = await connect(one.url)
    await vi.waitUntil(async () => (await watcher.query({ kinds: [1] })).length === 1, { timeout: 60_000 })
    await watcher.close()
    await one.close()
    from.child.stdin.end(`${eventLine(event('2'))}\n`)
    const { code, err } = await from.done
    expect(code).toBe(EXIT.noRelay)
    expect(err).toContain('ended behind line 1')
  })
})

function placeIn(path: string): number {
  if (!existsSync(path)) return 0
  const { lines }: { lines: number } = JSON.parse(readFileSync(path, 'utf8'))
  return lines
}
