/** AI SDK agents as A2A agents, and A2A agents as language models: an entry point of its own, for Node. */
export { type AgentModel, type AgentModelOptions, agentModel } from './agent-model.js'
export type { AiAgent, AiCall, ModelMessage } from './ai-agent.js'
export type { ChatOptions } from './chat-server.js'
export { type AiSdkExecutorOptions, aiSdkExecutor } from './executor.js'
export { type ServedAgent, serveAgent } from './serve-agent.js'
export type { ServeA2A, ServeAether, ServeOptions } from './serve-options.js'
