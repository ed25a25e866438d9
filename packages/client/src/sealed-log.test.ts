import { describe, expect, test } from 'vitest'
import { client, failure, proxy, relay, until } from '../test/world.js'
import type { Json } from './call-message.js'
import type { Client } from './client.js'
import { LOG_KIND, openLog } from './sealed-log.js'
import { readLog } from './sealed-log-reader.js'
import { getNote, NOTE_KIND, putNote } from './sealed-note.js'

const LATER = Date.now() + 3_600_000

const logOf = (writer: Client, reader: Client, more: { collectMs?: number } = {}) =>
  openLog(writer, { reader: reader.publicKey, name: 'one', expiresAt: LATER, ...more })

async function all(entries: AsyncIterable<Json>): Promise<Json[]> {
  const list: Json[] = []
  for await (const entry of entries) list.push(entry)
  return list
}

describe('a sealed log', () => {
  test('has every entry in order, once, for a reader from the start, one in between and one after the end', async () => {
    const { url } = await relay()
    const [writer, reader] = [await client(url), await client(url)]
    const options = { writer: writer.publicKey, name: 'one' }
    const early = readLog(reader, options)
    await early.ready
    const log = logOf(writer, reader, { collectMs: 1 })
    const seen: Json[] = []
    const reading = (async () => {
      for await (const entry of early) seen.push(entry)
    })()
    const entries = Array.from({ length: 60 }, (_, n) => ({ n, text: `"\\ é 😀 ${n}\n` }))
    for (const entry of entries.slice(0, 30)) {
      log.append(entry)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await until(() => seen.length === 30)
    const middle = readLog(reader, options)
    for (const entry of entries.slice(30)) log.append(entry)
    await log.end()
    await reading
    expect(seen).toEqual(entries)
    expect(await all(middle)).toEqual(entries)
    const late = readLog(reader, options)
    expect(await all(late)).toEqual(entries)
    expect([early.outcome, middle.outcome, late.outcome]).toEqual(['end', 'end', 'end'])
  })

  test('an entry longer than an event goes in several', async () => {
    const { url } = await relay()
    const [writer, reader] = [await client(url), await client(url)]
    const log = logOf(writer, reader)
    const long = '😀"\u0000x'.repeat(60_001)
    log.append({ long })
    log.append('behind')
    await log.end()
    expect(await all(readLog(reader, { writer: writer.publicKey, name: 'one' }))).toEqual([
      { long },
      'behind',
    ])
    const events = await reader.query({ kinds: [LOG_KIND], limit: 100 })
    expect(events.length).toBeGreaterThan(3)
    expect(events.every((event) => !event.text.includes('behind'))).toBe(true)
  })

  test('goes on behind a lost connection, on both sides', async () => {
    const { port } = await relay()
    const [one, two] = [await proxy(port), await proxy(port)]
    const [writer, reader] = [await client(one.url), await client(two.url)]
    const reading = readLog(reader, { writer: writer.publicKey, name: 'one', quietMs: 500 })
    const read = all(reading)
    const log = logOf(writer, reader, { collectMs: 1 })
    for (let n = 0; n < 40; n++) {
      log.append(n)
      if (n === 10) two.cut()
      if (n === 20) one.cut()
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await log.end()
    expect(await read).toEqual(Array.from({ length: 40 }, (_, n) => n))
  })

  test('a reader asks whether to go on waiting, and gives up', async () => {
    const { url } = await relay()
    const [writer, reader] = [await client(url), await client(url)]
    const log = logOf(writer, reader, { collectMs: 1 })
    log.append('begun')
    const seen: Json[] = []
    const quiet = () => seen.length === 0
    const reading = readLog(reader, { writer: writer.publicKey, name: 'one', quietMs: 50, quiet })
    for await (const entry of reading) seen.push(entry)
    expect(seen).toEqual(['begun'])
    expect(reading.outcome).toBe('quiet')
  })

  test('abort ends the reading with the reason of the signal', async () => {
    const { url } = await relay()
    const [writer, reader] = [await client(url), await client(url)]
    const stop = new AbortController()
    const reading = all(readLog(reader, { writer: writer.publicKey, name: 'one', signal: stop.signal }))
    stop.abort(new Error('enough'))
    expect(await failure(reading)).toMatchObject({ message: 'enough' })
  })
})

describe('a sealed note', () => {
  test('is the newest value, for its reader alone', async () => {
    const { url } = await relay()
    const [writer, reader, other] = [await client(url), await client(url), await client(url)]
    const options = { reader: reader.publicKey, name: 'head', expiresAt: LATER }
    await putNote(writer, { turn: 1 }, options)
    await putNote(writer, { turn: 2, text: 'secret' }, options)
    expect(await getNote(reader, { writer: writer.publicKey, name: 'head' })).toEqual({
      turn: 2,
      text: 'secret',
    })
    expect(await getNote(other, { writer: writer.publicKey, name: 'head' })).toBeUndefined()
    expect(await getNote(reader, { writer: writer.publicKey, name: 'another' })).toBeUndefined()
    const stored = await other.query({ kinds: [NOTE_KIND], limit: 10 })
    expect(stored).toHaveLength(1)
    expect(JSON.stringify(stored.map(({ text, tags }) => [text, tags]))).not.toContain('secret')
  })

  test('that fits into no event is TOO_LARGE', async () => {
    const { url } = await relay()
    const [writer, reader] = [await client(url), await client(url)]
    const options = { reader: reader.publicKey, name: 'head', expiresAt: LATER }
    expect(await failure(putNote(writer, 'x'.repeat(400_000), options))).toMatchObject({ code: 'TOO_LARGE' })
  })
})
