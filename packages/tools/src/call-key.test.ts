import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { keyedSchema, splitCallKey } from './call-key.js'
import { type AnyTool, defineTool } from './tool-definition.js'

const buy = defineTool({
  name: 'buy',
  description: 'Buys',
  input: z.object({ what: z.string().describe('What') }),
  output: z.object({}),
  annotations: { spends: true },
  execute: async () => ({}),
})
const look: AnyTool = { ...buy, annotations: { readOnly: true } }
const schemaOf = (tool: AnyTool) => z.toJSONSchema(tool.input, { io: 'input' })

describe('the key of a call', () => {
  it('is a required argument of tools that spend, and of no other', () => {
    expect(keyedSchema(buy, schemaOf(buy))).toMatchObject({
      properties: { what: { type: 'string' }, idempotency_key: { type: 'string' } },
      required: ['what', 'idempotency_key'],
    })
    expect(keyedSchema(look, schemaOf(look))).toEqual(schemaOf(look))
  })

  it('leaves the arguments before they are parsed', () => {
    const raw = { what: 'tea', idempotency_key: 'a1b2c3d4' }
    expect(splitCallKey(buy, raw)).toEqual({ ok: true, callId: 'a1b2c3d4', input: { what: 'tea' } })
    expect(splitCallKey(look, raw)).toEqual({ ok: true, callId: undefined, input: raw })
  })

  it.each([undefined, 'short', 'with a space', 7])('is REJECTED with nothing paid when it is %j', (key) => {
    const split = splitCallKey(buy, { what: 'tea', idempotency_key: key })
    expect(split).toMatchObject({ ok: false, error: { code: 'REJECTED', paid: false } })
  })

  it('does not hide a field of the tool itself', () => {
    const own: AnyTool = { ...buy, input: z.object({ idempotency_key: z.string() }) }
    expect(() => keyedSchema(own, schemaOf(own))).toThrow(TypeError)
  })
})
