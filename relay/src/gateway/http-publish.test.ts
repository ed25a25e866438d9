/** `POST /v1/events` (spec 3.2, 3.3, 10.1): verdicts for one event and for batches, in the words of the reference. */
import { isJsonObject, type JsonObject, parseJson, writeEvent } from '@aetherkit/core'
import { openMemoryStore, rateLimit, StoreError, saneDefaults } from '@aetherkit/relay'
import { describe, expect, test } from 'vitest'
import { ask, author, post, relay, start } from '../../test/http-relay.js'

describe('POST /v1/events', () => {
  test('takes a bare event or {event}, and answers with id, status, seq and cursor', async () => {
    await start()
    const [first, second] = [author.sign(), author.sign({ kind: 20_000 })]
    const stored = await post('/v1/events', writeEvent(first) ?? '')
    expect(stored.status).toBe(200)
    expect(stored.json).toEqual({
      accepted: true,
      event_id: first.id,
      message: 'accepted',
      status: 'stored',
      seq: 1,
      cursor: `${relay.info.epoch}-1`,
    })
    const wrapped = await post('/v1/events', `{"event":${writeEvent(second)}}`)
    expect(wrapped.json).toMatchObject({ accepted: true, event_id: second.id, status: 'forwarded', seq: 2 })
    expect((await post('/v1/events', writeEvent(first) ?? '')).json).toMatchObject({
      status: 'duplicate',
      seq: 1,
    })
  })

  test('refuses with the status of the table and the words of the reference', async () => {
    await start({ limits: { maxJsonDepth: 4 } })
    const event = author.sign()
    const text = writeEvent(event) ?? ''
    const refused = async (body: string) => {
      const { status, json } = await post('/v1/events', body)
      expect(json).toMatchObject({ accepted: false, error: 'validation_failed' })
      return [status, json.code, json.message]
    }
    const changed = (name: string, value: unknown) => JSON.stringify({ ...JSON.parse(text), [name]: value })
    const bad = 'invalid_event'
    expect(await refused('7')).toEqual([400, 'invalid_message', 'invalid_message: payload must be object'])
    expect(await refused('{')).toEqual([400, 'invalid_message', 'invalid_message: payload must be object'])
    expect(await refused('{"event":7}')).toEqual([400, bad, 'invalid_event: event must be object'])
    expect(await refused('')).toEqual([400, bad, 'invalid_event: event_id must be hex string'])
    expect(await refused(changed('event_id', 'zz'))).toEqual([
      400,
      bad,
      'invalid_event: event_id must be hex',
    ])
    expect(await refused(changed('sig', '00'))).toEqual([400, bad, 'sig must be 64 bytes'])
    expect(await refused(changed('kind', true))).toEqual([400, bad, 'invalid_event: kind must be int'])
    expect(await refused(changed('tags', {}))).toEqual([400, bad, 'invalid_event: tags must be list'])
    expect(await refused(changed('tags', [[]]))).toEqual([400, bad, 'invalid_event: malformed tag'])
    expect(await refused(changed('content', 7))).toEqual([400, bad, 'invalid_event: content must be string'])
    expect(await refused(changed('kind', 40_000))).toEqual([400, 'kind_out_of_range', 'kind out of range'])
    expect(await refused(changed('sig', '00'.repeat(64)))).toEqual([
      400,
      'invalid_signature',
      'invalid signature',
    ])
    expect(await refused(changed('content', 'y'))).toEqual([400, 'id_mismatch', 'event_id mismatch'])
    expect(await refused(text.replace('"kind":1', '"kind":1,"kind":1'))).toEqual([
      400,
      bad,
      'duplicate key in event',
    ])
    const late = author.text({ createdAt: 2n ** 63n })
    expect(await refused(late)).toEqual([
      400,
      'created_at_out_of_window',
      'created_at outside allowed window',
    ])
    expect((await refused(`{"event":${'['.repeat(9)}${']'.repeat(9)}}`))[1]).toBe('invalid_message')
    const big = author.text({ content: 'x'.repeat(530_000) })
    expect(await refused(big)).toEqual([413, 'too_large', 'event exceeds maximum size'])
    expect((await post('/v1/events', text)).status).toBe(200)
  })

  test('names the refused event where its id could be read', async () => {
    await start()
    const event = author.sign()
    const { json } = await post('/v1/events', (writeEvent(event) ?? '').replace('"kind":1', '"kind":-1'))
    expect(json).toMatchObject({ code: 'invalid_event', event_id: event.id })
  })

  test('takes a batch as a JSON array: each event has its verdict, in order', async () => {
    await start({ limits: { unackedPublishes: 3 } })
    const events = Array.from({ length: 10 }, () => author.sign())
    const items = events.map((event, i) =>
      i === 4 ? '{"event":null}' : i === 5 ? '7' : (writeEvent(event) ?? ''),
    )
    const { status, json } = await post('/v1/events', `[${items.join(',')}]`)
    expect(status).toBe(200)
    const results = json.results as JsonObject[]
    expect(results.map(({ accepted, code }) => accepted || code)).toEqual(
      events.map((_, i) => (i === 4 ? 'invalid_event' : i === 5 ? 'invalid_message' : true)),
    )
    expect(results[9]).toMatchObject({ event_id: events[9]?.id, seq: 8 })
  })

  test('takes a batch as NDJSON, and answers in NDJSON when asked', async () => {
    await start()
    const headers = { 'content-type': 'application/x-ndjson', accept: 'application/x-ndjson' }
    const body = `${author.text()}\n\nnot json\r\n{"event":${author.text()}}\r\n`
    const answer = await post('/v1/events', body, headers)
    expect(answer.headers['content-type']).toBe('application/x-ndjson')
    const lines = answer.text
      .trimEnd()
      .split('\n')
      .map((line) => parseJson(line))
    expect(lines.map((line) => line.ok && isJsonObject(line.value) && line.value.accepted)).toEqual([
      true,
      false,
      true,
    ])
    const asJson = await post('/v1/events', author.text(), { 'content-type': 'application/jsonl' })
    expect(asJson.json.results).toMatchObject([{ accepted: true }])
  })

  test('refuses a batch over the cap as a whole', async () => {
    await start({ limits: { maxBatch: 2 } })
    const { status, json } = await post('/v1/events', '[1,2,3]')
    expect([status, json.code, json.accepted]).toEqual([400, 'limit_exceeded', false])
  })

  test('takes binary content as base64 from clients that list the feature, and shows it only to such', async () => {
    await start()
    const event = author.sign({ content: Uint8Array.of(0xff, 0x00) })
    const text = writeEvent(event, { base64: true }) ?? ''
    expect((await post('/v1/events', text)).json.code).toBe('id_mismatch')
    expect((await post('/v1/events?features=base64', text)).json.accepted).toBe(true)
    expect((await ask(`GET /v1/events/${event.id}`)).status).toBe(404)
    expect((await ask(`GET /v1/events/${event.id}?features=base64`)).json.content).toBe('/wA=')
    expect((await ask('GET /v1/query')).json.events).toEqual([])
    expect((await ask('GET /v1/query?features=base64')).json.events).toMatchObject([{ event_id: event.id }])
  })

  test('carries the wait of a rate limit in the body and in Retry-After', async () => {
    await start({ policies: [...saneDefaults(), rateLimit('ip', { capacity: 1, perSecond: 0.25 })] })
    expect((await post('/v1/events', author.text())).status).toBe(200)
    const { status, headers, json } = await post('/v1/events', author.text())
    expect([status, json.code, json.error, json.message]).toEqual([
      429,
      'rate_limited',
      'validation_failed',
      'rate limit exceeded',
    ])
    expect(Number(headers['retry-after'])).toBe(Math.ceil(Number(json.retry_after_ms) / 1000))
  })

  test('answers storage_full with 507, and reads go on', async () => {
    const store = openMemoryStore()
    await start({ store: { ...store, put: () => Promise.reject(new StoreError('storage_full', 'full')) } })
    const { status, json } = await post('/v1/events', author.text())
    expect([status, json.code, json.message]).toEqual([507, 'storage_full', 'storage full'])
    expect((await ask('GET /v1/query')).status).toBe(200)
  })
})
