import { advertise } from './advertise.js'
import { discoverAgents } from './discover-agents.js'
import { publish } from './publish.js'
import { query } from './query.js'
import { readMore } from './read-more.js'
import { requestAgent } from './request-agent.js'
import { stateRead, stateWrite } from './state.js'
import { defineTools } from './tool-definition.js'
import { waitForEvent } from './wait-for-event.js'

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

export { approvalText } from './approval.js'
export type { CallJournal, JournalCall } from './call-journal.js'
export { createJournal } from './call-journal.js'
export type { JsonSchema, KeyedCall } from './call-key.js'
export { keyedSchema, splitCallKey } from './call-key.js'
export type { AetherContext, AetherContextOptions } from './context.js'
export { aetherContext } from './context.js'
export type { HumanAnswer } from './human.js'
export { callWithHuman } from './human.js'
export type { Json, JsonRecord } from './json.js'
export { runAsking } from './run-asking.js'
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
  publish,
  query,
  readMore,
  requestAgent,
  stateRead,
  stateWrite,
  waitForEvent,
}
