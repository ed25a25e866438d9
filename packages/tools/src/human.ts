/**
 * The human behind a host that has no gate of its own (spec frameworks 5, MCP): asked through the host where it can, and
 * where it cannot, what needs approval is denied.
 */
import { blake3, toHex } from '@aetherkit/core'
import type { JsonRecord } from './json.js'
import { callTool, type OnBug } from './run-tool.js'
import type { AnyTool, ApprovalRequest, RunOptions, ToolContext } from './tool-definition.js'
import { type Outcome, ToolError } from './tool-error.js'

/** `unasked`: the host can ask, and comes again with the answer. `nobody`: it cannot. */
export type HumanAnswer = 'approved' | 'denied' | 'unasked' | 'nobody'

/**
 * As `callTool`; `ask` says what is known of the answer to a question, whose id is good for this question alone. An
 * application's own `approve` stays. Without an approval the call ends in NEEDS_APPROVAL, and nothing has run.
 */
export function callWithHuman<C extends ToolContext>(
  definition: AnyTool<C>,
  ctx: C,
  rawInput: unknown,
  ask: (request: ApprovalRequest, questionId: string) => HumanAnswer,
  options?: RunOptions,
  onBug?: OnBug,
): Promise<Outcome<JsonRecord>> {
  if (ctx.approve !== undefined) return callTool(definition, ctx, rawInput, options, onBug)
  // The tool itself runs in the application's own context, which it may change.
  const own: AnyTool<C> = {
    ...definition,
    execute: (_asking, input, given) => definition.execute(ctx, input, given),
  }
  const approve = (request: ApprovalRequest): boolean => {
    const answer = ask(request, questionId(request))
    if (answer === 'approved' || answer === 'denied') return answer === 'approved'
    const why = answer === 'unasked' ? 'waits for a human' : 'needs a human, and this host cannot ask one'
    throw new ToolError({ code: 'NEEDS_APPROVAL', message: `${request.name} ${why}; do not retry` })
  }
  return callTool(own, { ...ctx, approve }, rawInput, options, onBug)
}

/** An answer counts for this question alone: the tool, the text that was shown, and the call. */
function questionId({ name, text, callId = '' }: ApprovalRequest): string {
  const digest = blake3(new TextEncoder().encode(JSON.stringify([name, text, callId])))
  return `approve-${toHex(digest).slice(0, 32)}`
}
