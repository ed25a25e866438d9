/** The FlatBuffers envelope (spec 4.2) against bytes of the unmodified reference SDKs (test/vectors/envelopes.json). */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { decodeBinary, decodeEnvelope, encodeEnvelope, envelopeType } from './envelope.js'
import { readMessage } from './read-message.js'
import { readRelayMessage } from './read-relay-message.js'

interface Vector {
  readonly name: string
  readonly type: number
  readonly message: { readonly type: string }
  readonly bytes: string
}
const VECTORS = new URL('../../../../test/vectors/envelopes.json', import.meta.url)
const { envelopes } = JSON.parse(readFileSync(VECTORS, 'utf8')) as { envelopes: readonly Vector[] }
const FROM_CLIENT = ['hello', 'publish', 'subscribe', 'unsubscribe', 'noise']

describe('an envelope of the reference SDKs', () => {
  it.each(envelopes)('opens: $name', ({ type, message, bytes }) => {
    const opened = decodeEnvelope(Buffer.from(bytes, 'hex'))
    expect(opened).toMatchObject({ ok: true, type })
    if (!opened.ok) return
    expect(JSON.parse(opened.json)).toEqual(message)
    const read = FROM_CLIENT.includes(message.type) ? readMessage : readRelayMessage
    expect(read(opened.json, { envelope: opened.type })).toMatchObject({
      ok: true,
      message: { type: message.type },
    })
  })

  it('without a type is hello', () => {
    const hello = envelopes.find(({ name }) => name === 'hello-typescript')!
    const bytes = Buffer.from(hello.bytes, 'hex')
    expect(bytes.readUInt16LE(4 + 4)).toBe(0)
    expect(decodeEnvelope(bytes)).toMatchObject({ ok: true, type: 0 })
  })
})

describe('our envelope', () => {
  it('has the bytes of its table, the type written even for hello', () => {
    const table = '0c000000 08000c0008000400 08000000 08000000 00000000 10000000'.replaceAll(' ', '')
    const json = '{"type":"hello"}'
    expect(Buffer.from(encodeEnvelope(json)).toString('hex')).toBe(table + Buffer.from(json).toString('hex'))
  })

  it('carries messages without an id as ack, never an id above 8', () => {
    for (const type of ['subscribed', 'unsubscribed', 'eose', 'closed', 'auth', 'notice', 'info']) {
      expect(envelopeType(type)).toBe(6)
      expect(encodeEnvelope(`{"type":"${type}"}`)[20]).toBe(6)
    }
  })

  it('finds the type where it is not the first member', () => {
    expect(encodeEnvelope('{ "sub_id":"{\\"type\\":\\"noise\\"}", "type" : "event" }')[20]).toBe(5)
  })

  it.each(['{}', '[]', '{"type":5}', 'type', '{"type":"event","x":"\ud800"}'])(
    'is not made of %j',
    (json) => {
      expect(() => encodeEnvelope(json)).toThrow(TypeError)
    },
  )
})

describe('opening an envelope', () => {
  it('gives {} for a payload that is absent or empty, so that the outer type stands', () => {
    const bytes = encodeEnvelope('{"type":"ack"}')
    const absent = new Uint8Array(bytes)
    absent[10] = 0
    const empty = new Uint8Array(bytes)
    empty[24] = 0
    expect(decodeEnvelope(absent)).toEqual({ ok: true, json: '{}', type: 6 })
    expect(decodeEnvelope(empty)).toEqual({ ok: true, json: '{}', type: 6 })
    expect(readRelayMessage('{}', { envelope: 6 })).toEqual({ ok: true, message: { type: 'ack' } })
  })

  it('refuses ids above 8', () => {
    const bytes = encodeEnvelope('{"type":"noise","payload_hex":""}')
    bytes[20] = 9
    expect(decodeEnvelope(bytes)).toMatchObject({ code: 'invalid_message', error: 'unknown message type' })
  })

  it('reads raw noise bytes as the JSON message of their hex', () => {
    const bytes = encodeEnvelope('{"type":"noise"}')
    const raw = Buffer.from('00000000000000010123456789abcdef', 'hex')
    bytes.set(raw, 28)
    const json = '{"type":"noise","payload_hex":"00000000000000010123456789abcdef"}'
    expect(decodeEnvelope(bytes)).toEqual({ ok: true, json, type: 8 })
  })

  it('refuses a payload that is not UTF-8', () => {
    const bytes = encodeEnvelope('{"type":"ack","x":"y"}')
    bytes[bytes.length - 3] = 0xff
    expect(decodeEnvelope(bytes)).toMatchObject({ code: 'invalid_message', detail: 'payload is not UTF-8' })
  })

  it('is decided by the first byte of a binary message', () => {
    const json = '{"type":"ack"}'
    expect(decodeBinary(new TextEncoder().encode(json))).toEqual({ ok: true, json })
    expect(decodeBinary(encodeEnvelope(json))).toEqual({ ok: true, json, type: 6 })
    expect(decodeBinary(new Uint8Array(0))).toMatchObject({ code: 'invalid_message' })
    expect(decodeBinary(Uint8Array.of(0x7b, 0xff))).toMatchObject({ code: 'invalid_message' })
  })
})

describe('outer and inner type', () => {
  it('must be equal when both are there', () => {
    const json = '{"type":"unsubscribe","sub_id":"s"}'
    expect(readMessage(json, { envelope: 4 })).toMatchObject({ ok: true })
    expect(readMessage(json, { envelope: 2 })).toMatchObject({ code: 'invalid_message' })
  })

  it('may be the outer one alone', () => {
    expect(readMessage('{"sub_id":"s"}', { envelope: 4 })).toEqual({
      ok: true,
      message: { type: 'unsubscribe', subId: 's' },
    })
    expect(readMessage('{"sub_id":"s"}')).toMatchObject({ error: 'message type missing' })
    expect(readMessage('{"type":null}', { envelope: 4 })).toMatchObject({ error: 'message type missing' })
  })

  it('let a message without an id travel as ack only', () => {
    const json = '{"type":"eose","sub_id":"s"}'
    expect(readRelayMessage(json, { envelope: 6 })).toMatchObject({ message: { type: 'eose' } })
    expect(readRelayMessage(json, { envelope: 5 })).toMatchObject({ code: 'invalid_message' })
  })
})
