/**
 * The reference's tool-call helpers (spec aether 11.6): schemas for OpenAI, Anthropic and generic hosts, and the
 * dispatch of a model's call. For hosts without a framework; `parameters` is a JSON schema, not checked here.
 */
import { z } from 'zod'
import { callTool, modelParts, type OnBug } from './run-tool.js'
import type { AnyTool, ModelPart, ToolContext } from './tool-definition.js'
import { errorText } from './tool-error.js'

export interface CallableTool<R = unknown> {
  readonly name: string
  readonly description: string
  readonly parameters: Readonly<Record<string, unknown>>
  handler(args: Record<string, unknown>): R | Promise<R>
}

export type ToolCall =
  | { readonly type: 'function'; readonly function: { readonly name: string; readonly arguments?: unknown } }
  | { readonly name: string; readonly arguments?: unknown; readonly input?: unknown }

type Described = Omit<CallableTool, 'handler'>

export function toOpenAITool({ name, description, parameters }: Described) {
  return { type: 'function' as const, function: { name, description, parameters } }
}

export function toAnthropicTool({ name, description, parameters }: Described) {
  return { name, description, input_schema: parameters }
}

export function toGenericTool({ name, description, parameters }: Described) {
  return { name, description, parameters }
}

/**
 * A definition in the shape of these helpers. The handler answers with what a model may read, failures included, and
 * checks the arguments itself, since no framework does it here.
 */
export function toCallableTool<C extends ToolContext>(
  definition: AnyTool<C>,
  ctx: C,
  onBug?: OnBug,
): CallableTool<string | readonly ModelPart[]> {
  const { name, description, input } = definition
  return {
    name,
    description,
    parameters: z.toJSONSchema(input, { io: 'input' }),
    async handler(args) {
      const outcome = await callTool(definition, ctx, args, {}, onBug)
      if (!outcome.ok) return errorText(outcome.error)
      const parts = modelParts(definition, outcome.output)
      const [first] = parts
      return first?.type === 'text' && parts.length === 1 ? first.text : parts
    },
  }
}

/**
 * Runs the handler a call names. Only own properties of `tools` count, so no name reaches a prototype.
 * @throws Error `unknown tool: <name>` | `tool name missing` | `tool arguments must be JSON` |
 * `tool arguments must be object`, and whatever the handler throws
 */
export async function dispatchToolCall<R>(
  tools: Readonly<Record<string, CallableTool<R>>> | ReadonlyMap<string, CallableTool<R>>,
  call: unknown,
): Promise<R> {
  const { name, args } = readCall(call)
  const tool = tools instanceof Map ? tools.get(name) : ownTool(tools, name)
  if (tool === undefined) throw new Error(`unknown tool: ${name}`)
  return tool.handler(readArguments(args))
}

function ownTool<R>(tools: object, name: string): CallableTool<R> | undefined {
  return Object.hasOwn(tools, name) ? Reflect.get(tools, name) : undefined
}

function readCall(call: unknown): { name: string; args: unknown } {
  const outer = isRecord(call) ? call : {}
  const inner = outer.type === 'function' && isRecord(outer.function) ? outer.function : outer
  const { name } = inner
  if (typeof name !== 'string' || name === '') throw new Error('tool name missing')
  return { name, args: inner.arguments ?? inner.input }
}

function readArguments(args: unknown): Record<string, unknown> {
  const value = typeof args === 'string' ? parseArguments(args) : (args ?? {})
  if (!isRecord(value)) throw new Error('tool arguments must be object')
  return value
}

function parseArguments(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new Error('tool arguments must be JSON')
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
