/** Which tool a message calls, and with what (tool-executor.ts has the law). */
import type { Execution, Part } from '@aetherkit/a2a'
import { z } from 'zod'
import { isJsonRecord, type JsonRecord } from './json.js'
import type { AnyTool } from './tool-definition.js'

export interface SkillCall<T> {
  readonly definition: T
  /** As the caller wrote it; it parses. */
  readonly input: JsonRecord
}

export async function readCall<T extends AnyTool<never>>(
  execution: Pick<Execution, 'message' | 'task' | 'resumed'>,
  tools: ReadonlyMap<string, T>,
): Promise<SkillCall<T> | { readonly refusal: string }> {
  const { message, task, resumed } = execution
  // An answer belongs to the call that the task began with.
  const first = resumed ? (task.history?.find(({ role }) => role === 'ROLE_USER') ?? message) : message
  const data = dataOf(first.parts) ?? {}
  const { action, payload } = data
  const [only, ...others] = tools.keys()
  const named = typeof action === 'string' ? action : first.metadata?.skill
  const name = typeof named === 'string' ? named : others.length === 0 ? only : undefined
  const definition = name === undefined ? undefined : tools.get(name)
  if (definition === undefined)
    return { refusal: `Unknown skill. This agent has: ${[...tools.keys()].join(', ')}` }
  const input = typeof action === 'string' ? (payload ?? {}) : data
  const parsed = await definition.input.safeParseAsync(input)
  if (!parsed.success) return { refusal: `Invalid input: ${z.prettifyError(parsed.error)}` }
  return isJsonRecord(input) ? { definition, input } : { refusal: 'Invalid input: expected an object' }
}

function dataOf(parts: readonly Part[]): JsonRecord | undefined {
  for (const { data } of parts) if (isJsonRecord(data)) return data
  const text = parts.flatMap((part) => part.text ?? []).join('\n')
  try {
    const value: unknown = JSON.parse(text)
    return isJsonRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}
