/** A price on any MCP tool, by x402 (spec payments 14). The gate of `@aetherkit/payments` decides. */
import { type McpResult, type McpSellerOptions, type PricedTool, sellTool } from '@aetherkit/payments'
import type { CallToolResult, ServerContext } from '@modelcontextprotocol/server'

/** `gate`, `network` and `payTo`: who sells. */
export type PaidToolOptions = McpSellerOptions

/**
 * A callback for `registerTool(name, { inputSchema }, callback)` that runs `tool` when the call is paid. Register it
 * without `outputSchema`: clients of SDK v1 would hold the offer against it.
 * @throws PaymentError for a price that can never be paid
 */
export function paidTool<A>(
  name: string,
  price: PricedTool,
  options: PaidToolOptions,
  tool: (args: A, call: ServerContext) => CallToolResult | Promise<CallToolResult>,
): (args: A, call: ServerContext) => Promise<CallToolResult> {
  const sell = sellTool(options, price)
  return async (args, call) => {
    const { _meta: meta, signal } = call.mcpReq
    const result: McpResult = await sell({ name, arguments: args, meta }, async () => {
      signal.throwIfAborted()
      return tool(args, call)
    })
    return result as CallToolResult
  }
}
