/** The gate of LangChain's human-in-the-loop middleware (spec frameworks 6.3). */
import { type AnyTool, approvalText, type ToolContext, toolName } from '@aetherkit/tools'

/** What `humanInTheLoopMiddleware({ interruptOn })` takes for one tool. */
export interface ToolGate {
  allowedDecisions: ('approve' | 'reject')[]
  description: (call: { args: Record<string, unknown> }) => string
  when: (request: { toolCall: { args: Record<string, unknown> } }) => boolean
}

/**
 * The `interruptOn` of LangChain's `humanInTheLoopMiddleware`, from each definition's `approval`. `edit` is not allowed:
 * edited arguments would skip the text the human agreed to. The caller of `invoke` can switch the gate off by `context`.
 */
export function interruptOn<C extends ToolContext>(
  tools: readonly AnyTool<C>[],
  ctx: C,
  options: { prefix?: string } = {},
): Record<string, ToolGate> {
  const gated = tools.filter((definition) => definition.approval !== undefined)
  const gate = (definition: AnyTool<C>): ToolGate => ({
    allowedDecisions: ['approve', 'reject'],
    description: ({ args }) => approvalText(definition, ctx, args) || definition.name,
    when: ({ toolCall }) => approvalText(definition, ctx, toolCall.args) !== false,
  })
  return Object.fromEntries(gated.map((each) => [toolName(each, options.prefix), gate(each)]))
}
