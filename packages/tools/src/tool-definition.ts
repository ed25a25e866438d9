/**
 * What a tool is, once for all frameworks (spec frameworks 3 and 4). An adapter maps this and nothing else;
 * everything that decides anything is in run-tool.ts.
 */
import type { z } from 'zod'
import type { CallJournal } from './call-journal.js'
import type { Json, JsonRecord } from './json.js'

/** A question to a human, asked by `ToolContext.approve` in hosts that have no approvals of their own. */
export interface ApprovalRequest {
  readonly name: string
  /** What the human is asked, made by the definition from the decoded input. */
  readonly text: string
  readonly callId?: string
}

/** What every tool may find in its context besides its own clients. */
export interface ToolContext {
  /** Remembers calls by id, so that a replayed call is answered and not executed again (fact 5). */
  readonly journal?: CallJournal
  approve?(request: ApprovalRequest): boolean | Promise<boolean>
}

/** Options of one execution. `signal` includes the tool's own deadline by the time `execute` sees it. */
export interface RunOptions {
  readonly signal?: AbortSignal | undefined
  readonly callId?: string | undefined
  onProgress?(progress: Json): void
}

export interface ToolAnnotations {
  readonly readOnly?: boolean
  readonly destructive?: boolean
  /** The same arguments twice have the effect of once. */
  readonly idempotent?: boolean
  readonly spends?: boolean
}

export type ModelPart =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'file'; readonly mediaType: string; readonly base64: string; readonly filename?: string }

export interface ToolDefinition<
  N extends string,
  I extends z.ZodType,
  O extends z.ZodType,
  C extends ToolContext = ToolContext,
> {
  /** snake_case, at most 64 characters. */
  readonly name: N
  readonly title?: string
  /** For the model. Says which fields carry text of other agents. */
  readonly description: string
  /** A flat object. May decode (string to bigint); the model sees the JSON Schema of the input side. */
  readonly input: I
  /** A JSON object without transforms. */
  readonly output: O
  readonly annotations?: ToolAnnotations
  /** Deadline of one execution in milliseconds, 30 000 by default; some runtimes pass no signal at all. */
  readonly timeoutMs?: number
  /** Text for the human, or false for no question. Its presence turns approval on. */
  approval?(ctx: C, input: z.output<I>): string | false
  /** Rejects with `ToolError` for what a model can act on; anything else is a bug and is hidden from it. */
  execute(ctx: C, input: z.output<I>, options: RunOptions): Promise<z.output<O>>
  /** Pure. Required where the output holds proofs or signatures; the default prints the whole output. */
  toModel?(output: z.output<O>): string | readonly ModelPart[]
  /** Pure. What must be answered before the tool can go on, for hosts that ask a human on the spot. */
  question?(output: z.output<O>): Json | undefined
  /** The input of the call that gives the answer, which is whatever the human said. */
  answer?(input: z.output<I>, answer: Json): z.output<I>
}

/**
 * Any definition that runs in context `C`; its input and output types are known to zod alone. Written out, because
 * `z.ZodType<JsonRecord>` is too deep for the compiler (TS2589) in projects without `exactOptionalPropertyTypes`.
 */
export interface AnyTool<C extends ToolContext = ToolContext>
  extends Pick<
    ToolDefinition<string, z.ZodType, z.ZodType, C>,
    'name' | 'title' | 'description' | 'input' | 'output' | 'annotations' | 'timeoutMs' | 'approval'
  > {
  execute(ctx: C, input: unknown, options: RunOptions): Promise<JsonRecord>
  toModel?(output: unknown): string | readonly ModelPart[]
  question?(output: unknown): Json | undefined
  answer?(input: unknown, answer: Json): unknown
}

/** What `execute` of a definition takes and gives. */
export type InputOf<T extends AnyTool<never>> = z.output<T['input']>
export type OutputOf<T extends AnyTool<never>> = z.output<T['output']>

/** Identity, for inference. */
export function defineTool<
  const N extends string,
  I extends z.ZodType,
  O extends z.ZodType,
  C extends ToolContext = ToolContext,
>(definition: ToolDefinition<N, I, O, C>): ToolDefinition<N, I, O, C> {
  toolName(definition)
  return definition
}

/**
 * A set of definitions with unique names.
 * @throws TypeError for a name twice
 */
export function defineTools<const D extends readonly AnyTool<never>[]>(...definitions: D): D {
  const names = new Set<string>()
  for (const { name } of definitions) {
    if (names.has(name)) throw new TypeError(`tool name ${name} is taken twice`)
    names.add(name)
  }
  return definitions
}

/**
 * The name a framework shows to the model: prefix + name (spec frameworks 4).
 * @throws TypeError when the whole does not match `^[a-zA-Z0-9_-]{1,64}$`
 */
export function toolName(definition: { readonly name: string }, prefix = ''): string {
  const name = prefix + definition.name
  if (!/^[a-zA-Z0-9_-]{1,64}$/.test(name)) {
    throw new TypeError(`tool name ${JSON.stringify(name)} must match ^[a-zA-Z0-9_-]{1,64}$`)
  }
  return name
}
