/**
 * Tools behind an A2A agent (spec a2a 8.2): each is a skill, called by its name and answered with its output. Policy is that
 * of `runTool`: deadline, abort, approval, idempotency (the call id is the task's), output check, redaction.
 *
 *   call     a data part {action, payload}, as `agent.request` makes it; or metadata {skill} and a data part that is the
 *            input; the name may be left out where there is one tool, and JSON text counts as data
 *   answer   one artifact: what a model would read of the output, if the tool says so, and the output as a data part
 *   asks     INPUT_REQUIRED with `askApproval`; the answer counts for the very question
 */
import type { AgentSkill, Ending, Execution, Executor, Part } from '@aetherkit/a2a'
import { callWithHuman } from './human.js'
import type { Json, JsonRecord } from './json.js'
import { modelParts, type OnBug } from './run-tool.js'
import { readCall } from './skill-call.js'
import { type AnyTool, type ApprovalRequest, type ToolContext, toolName } from './tool-definition.js'
import { errorText } from './tool-error.js'

export interface ToolExecutorOptions {
  /** Put before every skill id; give the same to `skillsOf`. */
  readonly prefix?: string
  /** Receives the full error where the caller is told `INTERNAL`; standard error by default. */
  readonly onBug?: OnBug
}

/** `ctx`: one for all callers, or made for each, such as with a budget of his own. */
export function toolExecutor<C extends ToolContext>(
  definitions: readonly AnyTool<C>[],
  ctx: C | ((execution: Execution) => C | Promise<C>),
  options: ToolExecutorOptions = {},
): Executor {
  const tools = new Map(definitions.map((each) => [toolName(each, options.prefix), each]))
  return {
    async execute(execution): Promise<Ending | undefined> {
      // Loaded already by the agent that executes this; who only calls agents goes without.
      const { askApproval, readApproval } = await import('@aetherkit/a2a')
      const call = await readCall(execution, tools)
      if ('refusal' in call) return { state: 'rejected', message: call.refusal }
      const { definition, input } = call
      const context = typeof ctx === 'function' ? await ctx(execution) : ctx
      let question: { readonly id: string; readonly request: ApprovalRequest } | undefined
      let isDenied = false
      const ask = (request: ApprovalRequest, id: string) => {
        const asked = { id, tool: definition.name }
        const [decision] = (execution.resumed && readApproval(execution, [asked])) || []
        if (decision === undefined) {
          question = { id, request }
          return 'unasked'
        }
        isDenied = !decision.approved
        return decision.approved ? 'approved' : 'denied'
      }
      const run = {
        signal: execution.signal,
        callId: execution.task.id,
        onProgress: (progress: Json) => execution.progress(wordsOf(progress), { progress }),
      }
      const outcome = await callWithHuman(definition, context, input, ask, run, options.onBug)
      if (question !== undefined) {
        const { id, request } = question
        return askApproval([{ id, tool: definition.name, input, reason: request.text }])
      }
      if (!outcome.ok) {
        const { code, retryable } = outcome.error
        const metadata = { error: code, retryable }
        return { state: isDenied ? 'rejected' : 'failed', message: errorText(outcome.error), metadata }
      }
      execution.artifact({ id: 'result', name: definition.name, parts: partsOf(definition, outcome.output) })
      return undefined
    },
  }
}

/** The skills of a card, one for each tool. */
export function skillsOf(
  definitions: readonly AnyTool<never>[],
  { prefix }: Pick<ToolExecutorOptions, 'prefix'> = {},
): AgentSkill[] {
  return definitions.map((definition) => {
    const { title, name, description, annotations = {} } = definition
    const { readOnly, destructive, spends } = annotations
    return {
      id: toolName(definition, prefix),
      name: title ?? name,
      description,
      tags: [
        'tool',
        ...(readOnly ? ['read-only'] : []),
        ...(destructive ? ['destructive'] : []),
        ...(spends ? ['spends'] : []),
      ],
      inputModes: ['application/json'],
      outputModes: ['application/json', 'text/plain'],
    }
  })
}

function partsOf(definition: AnyTool<never>, output: JsonRecord): readonly Part[] {
  const shown = definition.toModel === undefined ? [] : modelParts(definition, output)
  const parts = shown.map((part): Part => {
    if (part.type === 'text') return { text: part.text }
    const { mediaType, base64: raw, filename } = part
    return { raw, mediaType, ...(filename !== undefined && { filename }) }
  })
  return [...parts, { data: output }]
}

function wordsOf(progress: Json): string {
  if (typeof progress === 'string') return progress
  const words = typeof progress === 'object' && progress !== null && 'message' in progress && progress.message
  return typeof words === 'string' ? words : 'Working'
}
