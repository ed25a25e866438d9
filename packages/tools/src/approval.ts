/** Questions to a human (spec frameworks 3, 5): the text is the definition's, who asks is the framework or the host. */
import type { AnyTool, ToolContext } from './tool-definition.js'
import { ToolError } from './tool-error.js'

/**
 * The question to a human about raw arguments, for the gates of frameworks.
 * @returns false when the definition asks nothing, or when the arguments do not parse: such a call never runs.
 * A definition that fails to make its text still asks.
 */
export function approvalText<C extends ToolContext>(
  definition: AnyTool<C>,
  ctx: C,
  rawInput: unknown,
): string | false {
  if (definition.approval === undefined) return false
  const parsed = definition.input.safeParse(rawInput)
  if (!parsed.success) return false
  try {
    return definition.approval(ctx, parsed.data)
  } catch {
    return `Allow ${definition.name}? (its own question could not be made)`
  }
}

/**
 * Asks by `ctx.approve`, in hosts that have no gate of their own.
 * @throws ToolError NEEDS_APPROVAL for a denial
 */
export async function askHuman<C extends ToolContext>(
  definition: AnyTool<C>,
  ctx: C,
  input: unknown,
  callId: string | undefined,
): Promise<void> {
  const text = ctx.approve === undefined ? false : (definition.approval?.(ctx, input) ?? false)
  if (text === false) return
  const request = { name: definition.name, text, ...(callId === undefined ? {} : { callId }) }
  if ((await ctx.approve?.(request)) === true) return
  throw new ToolError({
    code: 'NEEDS_APPROVAL',
    message: `${definition.name} was denied by a human; do not retry`,
  })
}
