/**
 * Tool definitions as AI SDK tools for `ai` 6 and 7 (spec frameworks 5 and 7). The types are structural, so that no
 * major of `ai` is imported. No decision is taken here: `runTool` has the policy.
 */
import {
  type AetherContext,
  type AetherContextOptions,
  type AnyTool,
  aetherContext,
  approvalText,
  callTool,
  aetherTools as definitions,
  errorText,
  type Json,
  modelParts,
  type OnBug,
  type OutputOf,
  type ToolContext,
  toolName,
} from '@aetherkit/tools'
import { type RawInput, type RawSchema, rawSchema } from './input-schema.js'
import { type FileParts, type ModelOutput, outputOf, toModelOutput } from './model-output.js'

export interface AiToolOptions<P extends string = '', F extends FileParts = 'v6'> {
  /** Put before every tool name; give the same to `toolApproval`. */
  readonly prefix?: P
  /** The shape of binary parts; `ai` 7 takes the form of 6 with a deprecation warning. */
  readonly fileParts?: F
  /** Receives the full error where the model is told `INTERNAL`; standard error by default. */
  readonly onBug?: OnBug
  readonly onProgress?: (progress: Json, call: { name: string; toolCallId: string }) => void
}

/** One tool, of the shape that `tool()` of `ai` returns. */
export interface AiTool<T extends AnyTool<never>, F = 'v6'> {
  description: string
  inputSchema: RawSchema<RawInput<T>>
  outputSchema: T['output']
  needsApproval?: (input: RawInput<T>) => boolean
  execute: (
    input: RawInput<T>,
    options: { toolCallId: string; abortSignal?: AbortSignal | undefined },
  ) => Promise<OutputOf<T>>
  toModelOutput: (options: { toolCallId: string; input: RawInput<T>; output: OutputOf<T> }) => ModelOutput<F>
}

export type AiTools<D extends readonly AnyTool<never>[], P extends string, F> = {
  [T in D[number] as `${P}${T['name']}`]: AiTool<T, F>
}

export type ToolApprovals<D extends readonly AnyTool<never>[], P extends string> = {
  [T in D[number] as `${P}${T['name']}`]?: (
    input: unknown,
  ) => { type: 'user-approval'; reason: string } | 'not-applicable'
}

/** One AI SDK tool per definition, keyed by its prefixed name; spread it into `tools`. */
export function toAiSdkTools<
  const D extends readonly AnyTool<C>[],
  C extends ToolContext,
  const P extends string = '',
  F extends FileParts = 'v6',
>(tools: D, ctx: C, options: AiToolOptions<P, F> = {}): AiTools<D, P, F> {
  const entries = tools.map((each) => [toolName(each, options.prefix), toAiSdkTool(each, ctx, options)])
  return Object.fromEntries(entries)
}

/** The Aether tools: publish, query, wait, request, discover, advertise, state. */
export function aetherTools<const P extends string = '', F extends FileParts = 'v6'>(
  client: AetherContext['client'],
  options: AiToolOptions<P, F> & AetherContextOptions = {},
): AiTools<typeof definitions, P, F> {
  return toAiSdkTools(definitions, aetherContext(client, options), options)
}

/** The `toolApproval` of `ai` 7, from each definition's `approval`; the reason is the text for the human. */
export function toolApproval<
  const D extends readonly AnyTool<C>[],
  C extends ToolContext,
  const P extends string = '',
>(tools: D, ctx: C, options: { readonly prefix?: P } = {}): ToolApprovals<D, P> {
  const gated = tools.filter((definition) => definition.approval !== undefined)
  const gate = (definition: AnyTool<C>) => (input: unknown) => {
    const reason = approvalText(definition, ctx, input)
    return reason === false ? 'not-applicable' : { type: 'user-approval', reason }
  }
  const entries = gated.map((each) => [toolName(each, options.prefix), gate(each)])
  return Object.fromEntries(entries)
}

function toAiSdkTool<C extends ToolContext>(
  definition: AnyTool<C>,
  ctx: C,
  { prefix, fileParts, onBug, onProgress }: AiToolOptions<string, FileParts>,
): AiTool<AnyTool<C>, FileParts> {
  const name = toolName(definition, prefix)
  return {
    description: definition.description,
    inputSchema: rawSchema(definition.input),
    outputSchema: definition.output,
    ...(definition.approval && { needsApproval: (input) => approvalText(definition, ctx, input) !== false }),
    async execute(input, { toolCallId, abortSignal }) {
      const progress = (value: Json) => onProgress?.(value, { name, toolCallId })
      const run = { signal: abortSignal, callId: toolCallId, onProgress: progress }
      const outcome = await callTool(definition, ctx, input, run, onBug)
      if (outcome.ok) return outcome.output
      // `ai` 7 shows the model `name: message`; without a name the text is the same JSON in both majors.
      throw Object.assign(new Error(errorText(outcome.error)), { name: '' })
    },
    toModelOutput: (options) => toModelOutput(modelParts(definition, outputOf(options)), fileParts),
  }
}
