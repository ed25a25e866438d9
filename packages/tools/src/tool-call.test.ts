import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import {
  type CallableTool,
  dispatchToolCall,
  toAnthropicTool,
  toCallableTool,
  toGenericTool,
  toOpenAITool,
} from './tool-call.js'
import { defineTool } from './tool-definition.js'

const echo: CallableTool = {
  name: 'echo',
  description: 'Says it back',
  parameters: { type: 'object', properties: { text: { type: 'string' } } },
  handler: (args) => args,
}
const { name, description, parameters } = echo
const tools = { echo }

describe('schemas', () => {
  it('have the shape of OpenAI, Anthropic and generic hosts', () => {
    expect(toOpenAITool(echo)).toEqual({ type: 'function', function: { name, description, parameters } })
    expect(toAnthropicTool(echo)).toEqual({ name, description, input_schema: parameters })
    expect(toGenericTool(echo)).toEqual({ name, description, parameters })
  })
})

describe('dispatchToolCall', () => {
  it.each([
    ['an OpenAI call with text', { type: 'function', function: { name, arguments: '{"text":"hi"}' } }],
    ['an OpenAI call with an object', { type: 'function', function: { name, arguments: { text: 'hi' } } }],
    ['a generic call', { name, arguments: { text: 'hi' } }],
    ['an Anthropic tool_use block', { type: 'tool_use', id: 'a', name, input: { text: 'hi' } }],
  ])('runs %s', async (_what, call) => {
    expect(await dispatchToolCall(tools, call)).toEqual({ text: 'hi' })
  })

  it('takes missing arguments as an empty object', async () => {
    expect(await dispatchToolCall(tools, { name })).toEqual({})
    expect(await dispatchToolCall(new Map([['echo', echo]]), { name })).toEqual({})
  })

  it.each([
    ['unknown tool: nobody', { name: 'nobody' }],
    ['unknown tool: constructor', { name: 'constructor' }],
    ['unknown tool: __proto__', { name: '__proto__' }],
    ['tool name missing', { arguments: {} }],
    ['tool name missing', { type: 'function', function: {} }],
    ['tool name missing', null],
    ['tool arguments must be JSON', { name, arguments: '{' }],
    ['tool arguments must be object', { name, arguments: '[]' }],
    ['tool arguments must be object', { name, arguments: 7 }],
  ])('rejects by "%s"', async (message, call) => {
    await expect(dispatchToolCall(tools, call)).rejects.toThrow(new Error(message))
  })
})

describe('toCallableTool', () => {
  const double = defineTool({
    name: 'double',
    description: 'Doubles',
    input: z.object({ n: z.number().describe('A number') }),
    output: z.object({ n: z.number() }),
    execute: async (_ctx, { n }) => {
      if (n > 9) throw new Error('secret')
      return { n: 2 * n }
    },
  })
  const bugs: unknown[] = []
  const callable = toCallableTool(double, {}, (error) => bugs.push(error))

  it('answers with what a model may read', async () => {
    expect(await dispatchToolCall({ double: callable }, { name: 'double', input: { n: 2 } })).toBe('{"n":4}')
    expect(callable.parameters).toMatchObject({ type: 'object', required: ['n'] })
  })

  it('answers invalid arguments by REJECTED and a bug by INTERNAL', async () => {
    expect(await callable.handler({ n: 'x' })).toContain('"error":"REJECTED"')
    expect(await callable.handler({ n: 10 })).toBe(
      '{"error":"INTERNAL","message":"double failed","retryable":false}',
    )
    expect(bugs).toHaveLength(1)
  })
})
