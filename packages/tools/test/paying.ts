/** Calls of the payment tools, for tests: as a framework makes them, and as a model reads them. */
import { callTool, type JsonRecord, modelParts, type RunOptions } from '../src/index.js'
import { type PaymentContext, paymentTools } from '../src/payments.js'
import type { AnyTool } from '../src/tool-definition.js'

type Name = (typeof paymentTools)[number]['name']

function toolOf(name: Name): AnyTool<PaymentContext> {
  const found = paymentTools.find((each) => each.name === name)
  if (found === undefined) throw new Error(`no tool ${name}`)
  return found
}

export function call(ctx: PaymentContext, name: Name, input: object, options: RunOptions = {}) {
  return callTool(toolOf(name), ctx, input, options)
}

export async function outputOf(ctx: PaymentContext, name: Name, input: object, options?: RunOptions) {
  const outcome = await call(ctx, name, input, options)
  if (!outcome.ok) throw new Error(JSON.stringify(outcome.error))
  return outcome.output
}

/** What a model reads of an output. */
export function shownParts(name: Name, output: JsonRecord) {
  return modelParts(toolOf(name), output)
}

export function shownText(name: Name, output: JsonRecord): string {
  const [part] = shownParts(name, output)
  return part?.type === 'text' ? part.text : ''
}
