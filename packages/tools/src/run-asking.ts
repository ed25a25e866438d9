/**
 * Tools whose result may be a question, such as that of another agent (spec a2a 8.1): where the host can ask a human on
 * the spot, it does, and the tool goes on with the answer.
 */
import type { Json } from './json.js'
import { type OnBug, runTool } from './run-tool.js'
import type { AnyTool, RunOptions, ToolContext } from './tool-definition.js'
import type { Outcome } from './tool-error.js'

/** Questions in a row that one call may ask. */
const MAX_ROUNDS = 16

/**
 * As `runTool`, and as often as there is a question. `ask` may throw what the host interrupts itself with, and the whole
 * may then run again from the start: each round has a call id of its own, so nothing is done twice.
 */
export async function runAsking<C extends ToolContext>(
  definition: AnyTool<C>,
  ctx: C,
  input: unknown,
  options: RunOptions,
  ask: ((question: Json) => Json | Promise<Json>) | undefined,
  onBug?: OnBug,
): Promise<Outcome<unknown>> {
  const { question, answer } = definition
  const run = (given: unknown, callId: string | undefined) =>
    runTool(definition, ctx, given, { ...options, callId }, onBug)
  let outcome = await run(input, options.callId)
  if (ask === undefined || question === undefined || answer === undefined) return outcome
  for (let round = 1; round <= MAX_ROUNDS && outcome.ok; round += 1) {
    const asked = question(outcome.output)
    if (asked === undefined) break
    const said = await ask(asked)
    outcome = await run(answer(input, said), options.callId && `${options.callId}/${round}`)
  }
  return outcome
}
