/**
 * @aetherkit/a2a/client: calling agents, for programs that serve none. Stores, servers and payments are not loaded with
 * it; payments are when an agent is to be paid.
 */
export { type ConnectOptions, connectAgent } from './client/connect.js'
export { type CachedCard, type CardCache, memoryCardCache } from './client/discover-card.js'
export { AGENT_ERRORS, AgentError, type AgentErrorCode, type AgentErrorFacts } from './client/errors.js'
export type { Auth, AuthRequest } from './client/http-link.js'
export type { Draft, MessageOptions, RemoteAgent, RemoteCallOptions } from './client/remote-agent.js'
export type { RetryOptions } from './client/retry.js'
export type { TrustStore, VerifyOptions } from './client/verify-card.js'
export { AGENT_REQUEST_EXTENSION } from './dialect/card.js'
export { applyUpdate } from './engine/apply.js'
export {
  type AgentCard,
  type AgentExtension,
  type AgentInterface,
  type AgentSkill,
  type Artifact,
  type ArtifactUpdate,
  isInterrupted,
  isTerminal,
  type Json,
  type JsonRecord,
  type ListTasksRequest,
  type ListTasksResponse,
  type Message,
  type Part,
  type PushConfig,
  type SendMessageResponse,
  type StatusUpdate,
  type StreamResponse,
  type Task,
  type TaskState,
  type TaskStatus,
} from './model.js'
export { STREAM_RESUME } from './stream-resume.js'
