/** Native JSON messages: kept error texts, limits, tolerance (spec 3.2, 4.1, 4.3, 4.4, 7.2, 7.5). */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { REJECTS } from '../codes.js'
import type { Event } from '../event.js'
import { writeJson } from '../json.js'
import { readMessage } from './read-message.js'
import { readRelayMessage } from './read-relay-message.js'
import { writeEventMessage, writeMessage } from './write-message.js'

const ID = 'ab'.repeat(32)
const EVENT: Event = {
  id: ID,
  pubkey: 'cd'.repeat(32),
  createdAt: 1_760_000_000_123_456_789n,
  kind: 1,
  tags: [['t', 'x']],
  content: new TextEncoder().encode('hello'),
  sig: '12'.repeat(64),
}
const EVENT_JSON = `{"event_id":"${ID}","pubkey":"${EVENT.pubkey}","kind":1,"created_at":1760000000123456789,"tags":[["t","x"]],"content":"hello","sig":"${EVENT.sig}"}`

describe('reading what a client sends', () => {
  it.each([
    ['[]', 'invalid_message', 'message must be object'],
    ['', 'invalid_message', 'message must be object'],
    ['\ufeff{"type":"hello"}', 'invalid_message', 'message must be object'],
    ['{}', 'invalid_message', 'message type missing'],
    ['{"type":1}', 'invalid_message', 'message type missing'],
    ['{"type":"constructor"}', 'invalid_message', 'unknown message type'],
    ['{"type":"ack"}', 'invalid_message', 'unknown message type'],
    ['{"type":"publish"}', 'invalid_message', 'publish event must be mapping'],
    ['{"type":"publish","event":[]}', 'invalid_message', 'publish event must be mapping'],
    ['{"type":"publish","event":{}}', 'invalid_event', 'event_id must be bytes or hex string'],
    ['{"type":"auth","event":"x"}', 'invalid_message', 'publish event must be mapping'],
    ['{"type":"subscribe","filters":[]}', 'invalid_message', 'subscribe requires sub_id'],
    ['{"type":"subscribe","sub_id":"","filters":[]}', 'invalid_message', 'subscribe requires sub_id'],
    ['{"type":"subscribe","sub_id":7,"filters":[]}', 'invalid_message', 'subscribe requires sub_id'],
    ['{"type":"subscribe","sub_id":"\\ud800"}', 'invalid_message', 'subscribe requires sub_id'],
    ['{"type":"subscribe","sub_id":"s","filters":{}}', 'invalid_message', 'filters must be list'],
    ['{"type":"subscribe","sub_id":"s","filters":null}', 'invalid_message', 'filters must be list'],
    ['{"type":"subscribe","sub_id":"s","filters":[{"kinds":1}]}', 'invalid_filter', 'kinds must be a list'],
    ['{"type":"subscribe","sub_id":"s","filters":[{"kind":1}]}', 'unsupported', 'unsupported'],
    ['{"type":"subscribe","sub_id":"s","filters":[],"after":1}', 'invalid_message', 'message must be object'],
    ['{"type":"unsubscribe"}', 'invalid_message', 'unsubscribe requires sub_id'],
    ['{"type":"noise"}', 'noise_error', 'noise payload missing'],
    ['{"type":"noise","payload_hex":"0"}', 'noise_error', 'noise payload missing'],
    ['{"type":"noise","payload_hex":"0 "}', 'noise_error', 'noise payload missing'],
    ['{"type":"hello","version":0}', 'unsupported', 'unsupported'],
    ['{"type":"hello","version":"1"}', 'unsupported', 'unsupported'],
    ['{"type":"hello","version":1.5}', 'unsupported', 'unsupported'],
    ['{"type":"hello","noise":{"required":"yes"}}', 'invalid_message', 'message must be object'],
    ['{"type":"hello","noise":true}', 'invalid_message', 'message must be object'],
  ])('refuses %s with %s: %s', (text, code, error) => {
    expect(readMessage(text)).toMatchObject({ ok: false, code, error })
  })

  it('reads sub_ids of 1 to 128 bytes', () => {
    const read = (subId: string) => readMessage(JSON.stringify({ type: 'unsubscribe', sub_id: subId }))
    expect(read('s'.repeat(128))).toMatchObject({ ok: true })
    expect(read('ü'.repeat(64))).toMatchObject({ ok: true })
    expect(read('s'.repeat(129))).toMatchObject({ code: 'limit_exceeded' })
    expect(read('ü'.repeat(65))).toMatchObject({ code: 'limit_exceeded' })
  })

  it('caps filters and their values', () => {
    const read = (filters: unknown) =>
      readMessage(JSON.stringify({ type: 'subscribe', sub_id: 's', filters }))
    expect(read(Array(32).fill({}))).toMatchObject({ ok: true })
    expect(read(Array(33).fill({}))).toMatchObject({ code: 'limit_exceeded', subId: 's' })
    expect(read([{ kinds: Array(1001).fill(1) }])).toMatchObject({ code: 'limit_exceeded', subId: 's' })
  })

  it('answers anything at all with a message or a code of the table', () => {
    const types = [
      'hello',
      'publish',
      'subscribe',
      'unsubscribe',
      'noise',
      'auth',
      'welcome',
      'event',
      'error',
    ]
    const names = [
      'sub_id',
      'event',
      'filters',
      'payload_hex',
      'noise',
      'version',
      'formats',
      'after',
      'limits',
    ]
    const odd = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom<unknown>(ID, '0', '', 1e30, -1, EVENT, [{ kinds: [] }], [['t', 'x']], {
        required: true,
      }),
    )
    const message = fc.dictionary(fc.constantFrom(...names), odd)
    fc.assert(
      fc.property(fc.constantFrom(...types), message, fc.nat(9), (type, members, envelope) => {
        const text = writeJson({ type, ...members })
        for (const read of [readMessage, readRelayMessage]) {
          for (const options of [{}, { envelope }, { base64: true }]) {
            const result = read(text, options)
            if (!result.ok) expect(REJECTS).toHaveProperty(result.code)
          }
        }
      }),
      { numRuns: 1000 },
    )
  })

  it('caps depth', () => {
    expect(readMessage(`${'{"type":'.repeat(33)}1${'}'.repeat(33)}`)).toMatchObject({
      code: 'invalid_message',
    })
    expect(readMessage('['.repeat(100_000))).toMatchObject({ code: 'invalid_message' })
  })

  it('takes a subscribe without filters for one that matches nothing', () => {
    expect(readMessage('{"type":"subscribe","sub_id":"s"}')).toMatchObject({ message: { filters: [] } })
  })

  it('keeps all digits of created_at and gives the double for the repair', () => {
    const read = readMessage(`{"type":"publish","event":${EVENT_JSON}}`)
    expect(read).toEqual({
      ok: true,
      message: { type: 'publish', event: EVENT, rounded: 1_760_000_000_123_456_768n },
    })
  })

  it('names the event or the subscription that a refusal is about', () => {
    const event = EVENT_JSON.replace('"kind":1', '"kind":"one"')
    expect(readMessage(`{"type":"publish","event":${event}}`)).toMatchObject({
      code: 'invalid_event',
      error: 'kind must be int',
      eventId: ID,
    })
    expect(readMessage('{"type":"subscribe","sub_id":"s","filters":[1]}')).toMatchObject({ subId: 's' })
  })

  it('strips content_encoding unless the peer listed base64', () => {
    const event = EVENT_JSON.replace('"content":"hello"', '"content":"/w==","content_encoding":"base64"')
    const content = (base64: boolean) => {
      const read = readMessage(`{"type":"publish","event":${event}}`, { base64 })
      return read.ok && read.message.type === 'publish' ? [...read.message.event.content] : undefined
    }
    expect(content(false)).toEqual([...Buffer.from('/w==')])
    expect(content(true)).toEqual([0xff])
  })

  it.each([
    ['{"type":"hello"}', { version: 1, formats: ['json'], noise: { required: false }, features: [] }],
    ['{"type":"hello","version":null,"formats":"json","features":{}}', { version: 1, formats: ['json'] }],
    ['{"type":"hello","formats":["json",1]}', { formats: ['json'] }],
    ['{"type":"hello","formats":[]}', { formats: ['json'] }],
    [
      '{"type":"hello","version":99,"formats":["aether.v2","json"]}',
      { version: 99, formats: ['aether.v2', 'json'] },
    ],
    ['{"type":"hello","noise":{"required":true,"pubkey":"zz"}}', { noise: { required: true } }],
    [
      `{"type":"hello","noise":{"required":true,"pubkey":"${ID.toUpperCase()}"}}`,
      { noise: { required: true, pubkey: ID } },
    ],
  ])('reads %s', (text, hello) => {
    expect(readMessage(text)).toMatchObject({ ok: true, message: { type: 'hello', ...hello } })
  })
})

describe('reading what a relay sends', () => {
  it('ignores types it does not know', () => {
    expect(readRelayMessage('{"type":"shiny","x":[1]}')).toEqual({ ok: true, message: undefined })
    expect(readRelayMessage('{"type":"__proto__"}')).toEqual({ ok: true, message: undefined })
  })

  it('ignores extra members and optional members of a wrong shape', () => {
    expect(
      readRelayMessage('{"type":"ack","event_id":"zz","status":"lost","seq":-1,"cursor":3,"x":1}'),
    ).toEqual({
      ok: true,
      message: { type: 'ack' },
    })
    expect(readRelayMessage('{"type":"error","error":"x","code":"new_code","retry_after_ms":"1"}')).toEqual({
      ok: true,
      message: { type: 'error', error: 'x' },
    })
    expect(readRelayMessage('{"type":"welcome","noise":7,"limits":{"frame":9,"x":"y"}}')).toEqual({
      ok: true,
      message: {
        type: 'welcome',
        version: 1,
        format: 'json',
        noise: { required: false },
        features: [],
        limits: { frame: 9 },
      },
    })
  })

  it.each([
    ['[]'],
    ['{"type":"event","sub_id":"s"}'],
    [`{"type":"event","event":${EVENT_JSON}}`],
    ['{"type":"eose"}'],
    ['{"type":"auth"}'],
    ['{"type":"info"}'],
  ])('refuses %s, which says nothing', (text) => {
    expect(readRelayMessage(text)).toMatchObject({ ok: false, code: 'invalid_message' })
  })

  it('refuses an event of the wrong shape and names the subscription', () => {
    const event = EVENT_JSON.replace('[["t","x"]]', '[[1]]')
    expect(readRelayMessage(`{"type":"event","sub_id":"s","event":${event}}`)).toMatchObject({
      code: 'invalid_event',
      subId: 's',
    })
  })

  it('reads the info document', () => {
    const read = readRelayMessage('{"type":"info","info":{"name":"relay"}}')
    expect(read).toMatchObject({ ok: true, message: { type: 'info', info: { name: 'relay' } } })
  })
})

describe('writing', () => {
  it('wraps a rendering that is made once', () => {
    const json = writeEventMessage('s"1', EVENT_JSON, { seq: 2n ** 64n - 1n, stored: true })
    expect(json).toBe(
      `{"type":"event","sub_id":"s\\"1","event":${EVENT_JSON},"seq":18446744073709551615,"stored":true}`,
    )
    expect(writeEventMessage('s', EVENT_JSON, { stored: false })).toBe(
      `{"type":"event","sub_id":"s","event":${EVENT_JSON}}`,
    )
  })

  it('puts the type first and leaves out what is absent', () => {
    expect(
      writeMessage({ error: 'invalid signature', type: 'error', code: 'invalid_signature', eventId: ID }),
    ).toBe(`{"type":"error","error":"invalid signature","code":"invalid_signature","event_id":"${ID}"}`)
    expect(writeMessage({ type: 'ack', eventId: ID, status: 'stored', seq: 7n, cursor: 'e-7' })).toBe(
      `{"type":"ack","event_id":"${ID}","status":"stored","seq":7,"cursor":"e-7"}`,
    )
  })

  it('refuses binary content for a peer without base64', () => {
    const event = { ...EVENT, content: Uint8Array.of(0xff) }
    expect(() => writeMessage({ type: 'publish', event })).toThrow(TypeError)
    expect(writeMessage({ type: 'publish', event }, { base64: true })).toContain(
      '"content_encoding":"base64"',
    )
  })
})
