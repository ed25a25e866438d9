/**
 * The conformance suite of tool definitions (spec frameworks 11.1), for any test runner:
 *
 *   for (const { name, run } of toolChecks(cases, surfaces)) it(name, run)
 *
 * A case is one definition with an input that succeeds; a surface is one framework a definition is shown through.
 */
import assert from 'node:assert/strict'
import { z } from 'zod'
import { createJournal } from './call-journal.js'
import { modelParts, runTool } from './run-tool.js'
import { type AnyTool, type RunOptions, type ToolContext, toolName } from './tool-definition.js'

export { aetherToolCases } from './aether-cases.js'
export { type PaymentToolShop, paymentToolCases } from './payment-cases.js'

export interface ToolCase<C extends ToolContext> {
  readonly definition: AnyTool<C>
  /** Raw arguments, as a model writes them, that make the tool succeed in `context()`. */
  readonly input: unknown
  context(): C | Promise<C>
  /** For a spending tool: other arguments that would succeed too, and how many payments were made so far. */
  readonly spending?: { readonly otherInput: unknown; payments(): number }
}

export interface ToolSurface {
  readonly name: string
  /** What the framework does to the schemas when tools are bound to a model; throws if it cannot. */
  convert?(definition: AnyTool<never>): unknown
  /** Runs the tool in the framework; all that a model, a log of messages or a user interface would get. */
  call<C extends ToolContext>(
    definition: AnyTool<C>,
    ctx: C,
    input: unknown,
    options: RunOptions & { readonly callId: string; onBug(error: unknown): void },
  ): Promise<unknown>
}

export interface ToolCheck {
  readonly name: string
  run(): Promise<void>
}

/** One check per rule and case, in the order of the spec. */
export function toolChecks<C extends ToolContext>(
  cases: readonly ToolCase<C>[],
  surfaces: readonly ToolSurface[] = [],
): readonly ToolCheck[] {
  return cases.flatMap((each) => {
    const check = (rule: string, run: () => void | Promise<void>): ToolCheck => ({
      name: `${each.definition.name} ${rule}`,
      run: async () => run(),
    })
    return [
      check('has a lawful name and describes itself and every field', () => isDescribed(each.definition)),
      check('has a flat input and an output that every host converts', () =>
        converts(each.definition, surfaces),
      ),
      check('returns plain JSON and shows it by a pure function', () => returnsJson(each)),
      check('settles when the caller aborts, also before it starts', () => settlesOnAbort(each)),
      check('hides the text of an unknown exception', () => hidesExceptions(each, surfaces)),
      check('asks before it spends, and pays once for a replayed call', () => spendsOnce(each)),
    ]
  })
}

function isDescribed(definition: AnyTool<never>): void {
  toolName(definition)
  assert.match(definition.name, /^[a-z0-9]+(_[a-z0-9]+)*$/, 'the name is snake_case')
  assert.ok(definition.description.length > 0, 'the description is missing')
  for (const [path, field] of fieldsOf(z.toJSONSchema(definition.input, { io: 'input' }))) {
    assert.ok(field.description, `field ${path} has no description`)
  }
}

function converts(definition: AnyTool<never>, surfaces: readonly ToolSurface[]): void {
  for (const schema of [
    z.toJSONSchema(definition.input, { io: 'input' }),
    z.toJSONSchema(definition.output),
  ]) {
    assert.equal(schema.type, 'object')
    assert.equal(schema.anyOf ?? schema.oneOf ?? schema.allOf, undefined, 'a union at the top')
  }
  for (const surface of surfaces) surface.convert?.(definition)
}

async function returnsJson<C extends ToolContext>({
  definition,
  input,
  context,
}: ToolCase<C>): Promise<void> {
  const outcome = await runTool(definition, await context(), definition.input.parse(input))
  assert.ok(outcome.ok, `failed: ${JSON.stringify(outcome)}`)
  const clone = JSON.parse(JSON.stringify(outcome.output))
  assert.deepEqual(clone, outcome.output)
  assert.deepEqual(modelParts(definition, clone), modelParts(definition, outcome.output))
}

async function settlesOnAbort<C extends ToolContext>({
  definition,
  input,
  context,
}: ToolCase<C>): Promise<void> {
  const ctx = await context()
  const decoded = definition.input.parse(input)
  const reason = new Error('aborted by the caller')
  const early = AbortSignal.abort(reason)
  await assert.rejects(runTool(definition, ctx, decoded, { signal: early }), (error) => error === reason)

  const stop = new AbortController()
  const deaf: AnyTool<C> = { ...definition, execute: () => new Promise(() => {}) }
  const running = runTool(deaf, ctx, decoded, { signal: stop.signal })
  stop.abort(reason)
  await assert.rejects(running, (error) => error === reason)
}

async function hidesExceptions<C extends ToolContext>(
  { definition, input, context }: ToolCase<C>,
  surfaces: readonly ToolSurface[],
): Promise<void> {
  const secret = 'postgres://user:hunter2@10.0.0.1'
  const broken: AnyTool<C> = { ...definition, execute: () => Promise.reject(new Error(secret)) }
  const ctx = await context()
  const bugs: unknown[] = []
  const onBug = (error: unknown) => bugs.push(error)
  const outcome = await runTool(broken, ctx, definition.input.parse(input), {}, onBug)
  assert.equal(!outcome.ok && outcome.error.code, 'INTERNAL')
  assert.ok(!JSON.stringify(outcome).includes(secret))
  for (const surface of surfaces) {
    const shown = await surface.call(broken, ctx, input, { callId: `bug-${surface.name}`, onBug })
    assert.ok(!everythingIn(shown).includes(secret), `${surface.name} shows the exception`)
  }
  assert.equal(bugs.length, 1 + surfaces.length)
}

async function spendsOnce<C extends ToolContext>({
  definition,
  input,
  context,
  spending,
}: ToolCase<C>): Promise<void> {
  if (definition.annotations?.spends !== true) return
  assert.ok(definition.approval, 'a spending tool needs approval')
  assert.ok(spending, 'the case of a spending tool needs `spending`')
  const given = await context()
  const ctx: C = { ...given, journal: given.journal ?? createJournal() }
  const before = spending.payments()
  const call = (raw: unknown) => runTool(definition, ctx, definition.input.parse(raw), { callId: 'call-1' })
  const [first, second] = await Promise.all([call(input), call(input)])
  assert.ok(first.ok)
  assert.deepEqual(second, first)
  assert.deepEqual(await call(input), first)
  const other = await call(spending.otherInput)
  assert.equal(!other.ok && other.error.code, 'REJECTED')
  assert.equal(spending.payments(), before + 1)
}

function fieldsOf(schema: unknown, path = ''): [string, { description?: unknown }][] {
  if (typeof schema !== 'object' || schema === null) return []
  const properties = 'properties' in schema ? Object.entries(schema.properties ?? {}) : []
  const own = properties.flatMap(([key, field]) => [
    [`${path}${key}`, field] as [string, { description?: unknown }],
    ...fieldsOf(field, `${path}${key}.`),
  ])
  return 'items' in schema ? [...own, ...fieldsOf(schema.items, `${path}[].`)] : own
}

/** Also what `JSON.stringify` leaves out: messages and stacks of errors. */
function everythingIn(value: unknown): string {
  const showError = (_key: string, each: unknown) =>
    each instanceof Error ? { message: each.message, stack: each.stack, cause: each.cause } : each
  return JSON.stringify(value, showError) ?? ''
}
