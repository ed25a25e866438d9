/** @aetherkit/tools/a2a: other agents as tools, and tools as an agent; apart from the others because they load the A2A package. */
export type {
  A2AContext,
  A2AContextOptions,
  AgentConversation,
  AgentConversations,
  OpenTask,
} from './a2a-context.js'
export { a2aContext, memoryAgentConversations } from './a2a-context.js'
export type { AgentAnswer } from './a2a-output.js'
export type { AgentPayment } from './a2a-payment.js'
export { type A2AToolset, type A2AToolsOptions, type AgentSource, a2aTools } from './a2a-tools.js'
export { readAnswer } from './read-answer.js'
export { skillsOf, type ToolExecutorOptions, toolExecutor } from './tool-executor.js'
