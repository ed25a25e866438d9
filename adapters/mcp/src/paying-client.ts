/** Any MCP client, paying for the tools it calls (spec payments 12, 14). The paying fetch of `@aetherkit/payments` decides. */
import {
  type CallOptions,
  MCP_PAYMENT,
  type McpBuyer,
  type McpBuyerOptions,
  type McpResult,
  mcpBuyer,
  type Quote,
} from '@aetherkit/payments'

export interface CallParams {
  name: string
  arguments?: Record<string, unknown>
  _meta?: Record<string, unknown>
}

/** One way to call a tool: `(params, signal) => client.callTool(params, { signal })`. */
export type CallTool<R> = (params: CallParams, signal: AbortSignal | undefined) => Promise<R>

export interface PayingMcpClient<R> {
  /**
   * Calls a tool, and pays when it is asked to.
   * @throws PaymentError when the wallet's rules refuse, and what the client rejects with
   */
  callTool(params: CallParams, options?: CallOptions): Promise<R>
  /** What a call would cost now; a free tool is run by it. */
  quote(params: CallParams, options?: CallOptions): Promise<Quote>
  /** Receipts, budget and recovery. */
  readonly payments: McpBuyer['payments']
}

/**
 * Over a client of any SDK: `payingMcpClient((params, signal) => client.callTool(params, { signal }), wallet)`, or with
 * SDK v1 `client.callTool(params, undefined, { signal })`.
 */
export function payingMcpClient<R extends object>(
  call: CallTool<R>,
  wallet: McpBuyerOptions,
): PayingMcpClient<R> {
  const buyer = mcpBuyer(wallet)
  const sendFor =
    (params: CallParams, given: (result: R) => void = () => {}) =>
    async (payment: unknown, signal: AbortSignal | undefined): Promise<McpResult> => {
      const paid =
        payment === undefined ? params : { ...params, _meta: { ...params._meta, [MCP_PAYMENT]: payment } }
      const result = await call(paid, signal)
      given(result)
      return { content: [], ...result }
    }
  return {
    payments: buyer.payments,
    quote: (params, options) => buyer.quote(params, sendFor(params), options),
    async callTool(params, options) {
      let last: R | undefined
      await buyer.call(
        params,
        sendFor(params, (result) => (last = result)),
        options,
      )
      if (last === undefined) throw new TypeError('a tool call without a result')
      return last
    },
  }
}
