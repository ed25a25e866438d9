/**
 * The only place with policy (spec frameworks 3): deadline, abort, approval, idempotency, output check, redaction.
 */
import { z } from 'zod'
import { askHuman } from './approval.js'
import { orAbort, withDeadline } from './deadline.js'
import { isJsonRecord, type JsonRecord } from './json.js'
import type { AnyTool, ModelPart, RunOptions, ToolContext, ToolDefinition } from './tool-definition.js'
import { type Outcome, ToolError, type ToolFailure, toFailure } from './tool-error.js'

const DEFAULT_TIMEOUT_MS = 30_000

/** Receives the full error of a bug; the model receives `INTERNAL`. */
export type OnBug = (error: unknown, name: string) => void

/** The default `onBug`: standard error. */
export function reportBug(error: unknown, name: string): void {
  console.error(`aetherkit: tool ${name} failed`, error)
}

/**
 * Runs a tool on already decoded input.
 * @returns the checked output, or a failure that is safe to show to a model
 * @throws only the caller's own `signal.reason`
 */
export function runTool<I extends z.ZodType, O extends z.ZodType, C extends ToolContext>(
  definition: ToolDefinition<string, I, O, C>,
  ctx: C,
  input: z.output<I>,
  options?: RunOptions,
  onBug?: OnBug,
): Promise<Outcome<z.output<O>>>
export async function runTool(
  definition: AnyTool,
  ctx: ToolContext,
  input: unknown,
  options: RunOptions = {},
  onBug: OnBug = reportBug,
): Promise<Outcome<JsonRecord>> {
  return run(definition, ctx, input, options, onBug)
}

/** As `runTool`, on raw arguments; arguments that do not parse are a failure that names the fields. */
export async function callTool<C extends ToolContext>(
  definition: AnyTool<C>,
  ctx: C,
  rawInput: unknown,
  options: RunOptions = {},
  onBug: OnBug = reportBug,
): Promise<Outcome<JsonRecord>> {
  options.signal?.throwIfAborted()
  const parsed = await definition.input.safeParseAsync(rawInput)
  if (parsed.success) return run(definition, ctx, parsed.data, options, onBug)
  const message = `invalid arguments: ${z.prettifyError(parsed.error)}`
  return { ok: false, error: { code: 'REJECTED', message, retryable: true } }
}

/** What the model reads of an output: `toModel`, or the output as JSON. Pure. */
export function modelParts<O>(
  definition: { toModel?(output: O): string | readonly ModelPart[] },
  output: O,
): readonly ModelPart[] {
  const shown = definition.toModel?.(output) ?? JSON.stringify(output)
  return typeof shown === 'string' ? [{ type: 'text', text: shown }] : shown
}

async function run<C extends ToolContext>(
  definition: AnyTool<C>,
  ctx: C,
  input: unknown,
  options: RunOptions,
  onBug: OnBug,
): Promise<Outcome<JsonRecord>> {
  options.signal?.throwIfAborted()
  try {
    return { ok: true, output: await orAbort(options.signal, runOnce(definition, ctx, input, options)) }
  } catch (error) {
    if (options.signal?.aborted) throw options.signal.reason
    return { ok: false, error: failureOf(definition, error, onBug) }
  }
}

/** One execution for each call id, for tools that have an effect. */
async function runOnce<C extends ToolContext>(
  definition: AnyTool<C>,
  ctx: C,
  input: unknown,
  options: RunOptions,
): Promise<JsonRecord> {
  const { name, annotations = {} } = definition
  const { readOnly = false, spends = false } = annotations
  const perform = async () => {
    await beforeExecution(name, spends, async () => {
      await askHuman(definition, ctx, input, options.callId)
      options.signal?.throwIfAborted()
    })
    const execution = execute(definition, ctx, input, options)
    return spends ? execution.catch((error) => Promise.reject(afterPayment(name, error))) : execution
  }
  const { callId } = options
  if (ctx.journal === undefined || callId === undefined || readOnly) return perform()
  const args = JSON.stringify(input, (_key, value) => (typeof value === 'bigint' ? `${value}n` : value)) ?? ''
  return ctx.journal.once({ name, callId, args, spends }, perform)
}

async function execute<C extends ToolContext>(
  definition: AnyTool<C>,
  ctx: C,
  input: unknown,
  options: RunOptions,
): Promise<JsonRecord> {
  const { name, timeoutMs = DEFAULT_TIMEOUT_MS } = definition
  const made = await withDeadline({ name, timeoutMs }, options.signal, (signal) =>
    definition.execute(ctx, input, { ...options, signal }),
  )
  const output = await definition.output.parseAsync(made)
  if (!isJsonRecord(output)) throw new TypeError(`the output of ${name} is no plain JSON object`)
  modelParts(definition, output) // a failing `toModel` is a bug here, not an exception in a framework
  return output
}

/** What fails before a tool runs has cost nothing, so that the journal may forget it. */
async function beforeExecution(name: string, spends: boolean, prepare: () => Promise<void>): Promise<void> {
  try {
    await prepare()
  } catch (cause) {
    const known = ToolError.is(cause)
      ? toFailure(cause)
      : { code: 'INTERNAL' as const, message: `${name} failed` }
    throw new ToolError({ ...known, cause, ...(spends ? { paid: false } : {}) })
  }
}

/** A payment that did not clearly fail may have been made, and a model must not try again. */
function afterPayment(name: string, cause: unknown): ToolError {
  const hint = 'whether it was paid is unknown; do not retry with a new call'
  const paid = 'unknown'
  if (!ToolError.is(cause))
    return new ToolError({ code: 'INTERNAL', message: `${name} failed; ${hint}`, paid, cause })
  if (cause.paid !== undefined || cause.code !== 'TIMEOUT') return cause
  return new ToolError({ code: 'PAYMENT_UNKNOWN', message: `${cause.message}; ${hint}`, paid })
}

function failureOf({ name }: { readonly name: string }, error: unknown, onBug: OnBug): ToolFailure {
  if (!ToolError.is(error)) {
    report(error, name, onBug)
    return { code: 'INTERNAL', message: `${name} failed`, retryable: false }
  }
  if (error.code === 'INTERNAL') report(error.cause ?? error, name, onBug)
  return toFailure(error)
}

/** A reporter that fails itself must not reach the model either. */
function report(bug: unknown, name: string, onBug: OnBug): void {
  try {
    onBug(bug, name)
  } catch {
    return
  }
}
