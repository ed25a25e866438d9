/** Stored events over HTTP (spec 2.7, 6, 10.1): by id, in pages and as an export. */
import { type JsonObject, writeEvent } from '@aetherkit/core'
import { describe, expect, test } from 'vitest'
import { ask, author, post, start } from '../../test/http-relay.js'

describe('stored events', () => {
  test('GET /v1/events/{id} gives the event as the relay renders it, or 404', async () => {
    await start()
    const event = author.sign({ content: 'héllo', tags: [['t', 'a']] })
    await post('/v1/events', writeEvent(event) ?? '')
    const { status, text } = await ask(`GET /v1/events/${event.id.toUpperCase()}`)
    expect([status, text]).toEqual([200, writeEvent(event)])
    const missing = await ask(`GET /v1/events/${'0'.repeat(64)}`)
    expect([missing.status, missing.json]).toEqual([
      404,
      { error: 'not_found', message: 'not_found', code: 'not_found' },
    ])
    expect((await ask('GET /v1/events/zz')).status).toBe(404)
  })

  test('an expired event is gone', async () => {
    let now = BigInt(Date.now()) * 1_000_000n
    await start({ now: () => now })
    const event = author.sign({ tags: [['expiration', String(now / 1_000_000_000n + 10n)]] })
    expect((await post('/v1/events', writeEvent(event) ?? '')).status).toBe(200)
    now += 60_000_000_000n
    expect((await ask(`GET /v1/events/${event.id}`)).status).toBe(404)
    expect((await ask('GET /v1/query')).json.events).toEqual([])
  })

  test('a query takes filters in a body, as JSON in the URL, or as parameters; newest first', async () => {
    await start()
    const events = [1, 2, 1, 3].map((kind, i) => author.sign({ kind, tags: [['t', `v${i % 2}`]] }))
    for (const event of events) await post('/v1/events', writeEvent(event) ?? '')
    const ids = (...at: number[]) => at.map((i) => events[i]?.id)
    const found = async (line: string, body?: object) => {
      const { json } = await ask(line, body === undefined ? {} : { body })
      return (json.events as JsonObject[]).map(({ event_id }) => event_id)
    }
    expect(await found('POST /v1/query', { filters: { kinds: [1] } })).toEqual(ids(2, 0))
    expect(await found('POST /v1/query', { filters: [{ kinds: [3] }, { '#t': ['v0'], limit: 1 }] })).toEqual(
      ids(3, 2),
    )
    expect(await found(`GET /v1/query?filters=${encodeURIComponent('{"kinds":[2]}')}`)).toEqual(ids(1))
    expect(await found('GET /v1/query?kinds=1,3&limit=2')).toEqual(ids(3, 2))
    expect(await found('GET /v1/query?%23t=v1&kinds=2')).toEqual(ids(1))
    expect(
      await found(`GET /v1/query?authors=${events[0]?.pubkey.slice(0, 5)}&since=${events[2]?.createdAt}`),
    ).toEqual(ids(3, 2))
    expect(await found('GET /v1/query')).toEqual(ids(3, 2, 1, 0))
  })

  test('pages go on where the last one ended, each event once, whatever the filters share', async () => {
    await start()
    const events = Array.from({ length: 40 }, (_, i) =>
      author.sign({ kind: 1 + (i % 3), tags: [['t', `v${i % 4}`]] }),
    )
    await post('/v1/events', `[${events.map((event) => writeEvent(event)).join(',')}]`)
    const filters = [{ kinds: [1], limit: 4 }, { '#t': ['v0', 'v1'], limit: 3 }, { kinds: [9] }]
    const seen: unknown[] = []
    let next: unknown
    let pages = 0
    do {
      const { json } = await post('/v1/query', { filters, ...(typeof next === 'string' && { next }) })
      seen.push(...(json.events as JsonObject[]).map(({ event_id }) => event_id))
      next = json.next
      pages++
    } while (next !== null)
    const wanted = events.filter(({ kind, tags }) => kind === 1 || ['v0', 'v1'].includes(tags[0]?.[1] ?? ''))
    expect(seen.toSorted()).toEqual(wanted.map(({ id }) => id).toSorted())
    expect(pages).toBeGreaterThan(4)
  })

  test('a page that holds all has no next, also when it is just full', async () => {
    await start()
    await post('/v1/events', `[${author.text()},${author.text()}]`)
    expect((await ask('GET /v1/query?limit=2')).json.next).toBeNull()
    expect((await ask('GET /v1/query?limit=1')).json.next).toEqual(expect.any(String))
    expect((await ask('GET /v1/query?limit=0')).json).toEqual({ events: [], next: null })
  })

  test('an export as NDJSON has no cap, and is paced by its reader', async () => {
    await start({ limits: { defaultLimit: 2, maxLimit: 3 } })
    const events = Array.from({ length: 700 }, () => author.sign({ content: 'y'.repeat(2000) }))
    for (let i = 0; i < events.length; i += 350)
      await post(
        '/v1/events',
        `[${events
          .slice(i, i + 350)
          .map((event) => writeEvent(event))
          .join(',')}]`,
      )
    const { headers, text } = await ask('GET /v1/query?kinds=1', {
      headers: { accept: 'application/x-ndjson' },
    })
    expect(headers['content-type']).toBe('application/x-ndjson')
    expect(text.trimEnd().split('\n')).toEqual(events.toReversed().map((event) => writeEvent(event)))
    expect((await ask('GET /v1/query')).json.events).toHaveLength(2)
  })

  test('bad filters are refused with the kept texts', async () => {
    await start({ limits: { maxFilters: 2 } })
    const refused = async (body: unknown) => {
      const { status, json } = await post('/v1/query', JSON.stringify(body))
      return [status, json.error, json.code, json.message]
    }
    const message = 'invalid_message'
    expect(await refused([])).toEqual([400, message, message, 'invalid_message: payload must be object'])
    expect(await refused({})).toEqual([
      400,
      message,
      message,
      'invalid_message: filters must be object or list',
    ])
    expect(await refused({ filters: [] })).toEqual([
      400,
      message,
      message,
      'invalid_message: filters required',
    ])
    expect(await refused({ filters: [7] })).toEqual([
      400,
      message,
      message,
      'invalid_message: filters must be object or list',
    ])
    expect(await refused({ filters: { kinds: 7 } })).toEqual([
      400,
      message,
      'invalid_filter',
      'kinds must be a list',
    ])
    expect((await refused({ filters: { search: 'x' } }))[2]).toBe('unsupported')
    expect((await refused({ filters: [{}, {}, {}] }))[2]).toBe('limit_exceeded')
    expect((await refused({ filters: {}, next: 'x' }))[2]).toBe(message)
    expect((await ask('GET /v1/query?search=x')).json.code).toBe('unsupported')
    expect((await ask('GET /v1/query?kinds=x')).json.code).toBe('invalid_filter')
  })
})
