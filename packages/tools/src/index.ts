import { advertise } from './advertise.js'
import { discoverAgents } from './discover-agents.js'
import { paidFetch } from './paid-fetch.js'
import { paidReadMore } from './paid-read-more.js'
import { paymentHistory } from './payment-history.js'
import { publish } from './publish.js'
import { query } from './query.js'
import { quote } from './quote.js'
import { readMore } from './read-more.js'
import { requestAgent } from './request-agent.js'
import { stateRead, stateWrite } from './state.js'
import { defineTools } from './tool-definition.js'
import { waitForEvent } from './wait-for-event.js'
import { walletStatus } from './wallet-status.js'

/** Every Aether tool; an adapter maps the whole list. */
export const aetherTools = defineTools(
  publish,
  query,
  waitForEvent,
  requestAgent,
  discoverAgents,
  advertise,
  stateRead,
  stateWrite,
  readMore,
)

/** Every payment tool, over a `paymentContext`; an adapter maps the whole list. */
export const paymentTools = defineTools(paidFetch, quote, walletStatus, paymentHistory, paidReadMore)

export { approvalText } from './approval.js'
export type { CallJournal, JournalCall } from './call-journal.js'
export { createJournal } from './call-journal.js'
export type { AetherContext, AetherContextOptions } from './context.js'
export { aetherContext } from './context.js'
export type { Json, JsonRecord } from './json.js'
export type { PaymentContext, PaymentContextOptions, PaymentWallet, Purchase } from './payment-context.js'
export { paymentContext } from './payment-context.js'
export type { OnBug } from './run-tool.js'
export { callTool, modelParts, reportBug, runTool } from './run-tool.js'
export { STATE_KIND } from './state.js'
export type { CallableTool, ToolCall } from './tool-call.js'
export {
  dispatchToolCall,
  toAnthropicTool,
  toCallableTool,
  toGenericTool,
  toOpenAITool,
} from './tool-call.js'
export type {
  AnyTool,
  ApprovalRequest,
  InputOf,
  ModelPart,
  OutputOf,
  RunOptions,
  ToolAnnotations,
  ToolContext,
  ToolDefinition,
} from './tool-definition.js'
export { defineTool, defineTools, toolName } from './tool-definition.js'
export type { Outcome, ToolErrorCode, ToolFailure } from './tool-error.js'
export { errorText, ToolError, toFailure } from './tool-error.js'
export {
  advertise,
  discoverAgents,
  paidFetch,
  paidReadMore,
  paymentHistory,
  publish,
  query,
  quote,
  readMore,
  requestAgent,
  stateRead,
  stateWrite,
  waitForEvent,
  walletStatus,
}
