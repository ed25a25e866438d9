/** Tool definitions as MCP tools (spec frameworks 5 and 8). No decision is taken here: `callWithHuman` has the policy. */
import type { PricedTool } from '@aetherkit/payments'
import {
  type AnyTool,
  callWithHuman,
  errorText,
  modelParts,
  type OnBug,
  splitCallKey,
  type ToolContext,
  type ToolFailure,
  toolName,
} from '@aetherkit/tools'
import type {
  CallToolResult,
  InputRequiredResult,
  McpServer,
  ServerContext,
  ToolAnnotations,
} from '@modelcontextprotocol/server'
import { toContent } from './content.js'
import { createElicitation } from './elicitation.js'
import { inputSchema } from './input-schema.js'
import { type PaidToolOptions, paidTool } from './paid-tool.js'
import { progressOf } from './progress.js'

export interface McpToolOptions {
  /** Put before every tool name. */
  readonly prefix?: string | undefined
  /** Receives the full error where the model is told `INTERNAL`; standard error by default. */
  readonly onBug?: OnBug | undefined
  /** `never`: what needs a human is denied, also where the host could ask one. `host` by default. */
  readonly approvals?: 'host' | 'never' | undefined
  /** Tools that are paid for, by their name without the prefix. They ask no human. */
  readonly prices?: (PaidToolOptions & { readonly tools: Readonly<Record<string, PricedTool>> }) | undefined
}

/**
 * Registers one MCP tool for each definition.
 * @throws TypeError for a price of a tool that is not there; Error of the SDK for a name that is taken
 */
export function registerTools<C extends ToolContext>(
  server: McpServer,
  definitions: readonly AnyTool<C>[],
  ctx: C,
  options: McpToolOptions = {},
): void {
  const { prefix, prices } = options
  for (const name of Object.keys(prices?.tools ?? {}))
    if (!definitions.some((each) => each.name === name))
      throw new TypeError(`a price for ${name}, which is no tool`)
  for (const definition of definitions) {
    const { title, description, output } = definition
    const name = toolName(definition, prefix)
    const annotations = hintsOf(definition)
    const config = { ...(title !== undefined && { title }), description, annotations }
    const price = prices?.tools[definition.name]
    if (prices === undefined || price === undefined) {
      const run = (args: unknown, call: ServerContext) =>
        runCall(server, definition, ctx, args, call, options)
      server.registerTool(
        name,
        { ...config, inputSchema: inputSchema(definition), outputSchema: output },
        run,
      )
      continue
    }
    // Clients of SDK v1 hold every structured result against the output schema, also an offer: so there is none.
    const run = async (args: unknown, call: ServerContext) =>
      finished(await runCall(server, definition, ctx, args, call, { ...options, approvals: 'never' }))
    server.registerTool(
      name,
      { ...config, inputSchema: inputSchema(definition) },
      paidTool(name, price, prices, run),
    )
  }
}

async function runCall<C extends ToolContext>(
  server: McpServer,
  definition: AnyTool<C>,
  ctx: C,
  args: unknown,
  call: ServerContext,
  { onBug, approvals = 'host' }: McpToolOptions,
): Promise<CallToolResult | InputRequiredResult> {
  const split = splitCallKey(definition, args)
  if (!split.ok) return failed(split.error)
  const elicitation = createElicitation(server, call, approvals === 'host')
  const run = { signal: call.mcpReq.signal, callId: split.callId, onProgress: progressOf(call) }
  const outcome = await callWithHuman(definition, ctx, split.input, elicitation.ask, run, onBug)
  if (outcome.ok)
    return { content: toContent(modelParts(definition, outcome.output)), structuredContent: outcome.output }
  return elicitation.question() ?? failed(outcome.error)
}

function failed(error: ToolFailure): CallToolResult {
  return { isError: true, content: [{ type: 'text', text: errorText(error) }] }
}

/** With `never` no question is open. */
function finished(result: CallToolResult | InputRequiredResult): CallToolResult {
  if ('content' in result) return result as CallToolResult
  throw new TypeError('a priced tool asks nothing')
}

function hintsOf({ annotations = {} }: AnyTool<never>): ToolAnnotations {
  const { readOnly = false, spends = false, destructive = spends, idempotent = readOnly } = annotations
  // A call key makes one purchase of every repetition.
  return {
    readOnlyHint: readOnly,
    destructiveHint: destructive || spends,
    idempotentHint: idempotent || spends,
    openWorldHint: true,
  }
}
