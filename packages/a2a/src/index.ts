/** @aetherkit/a2a: A2A agents and clients: 1.0, 0.3 and agent.request, over HTTP or over Aether. */
export type { Admission, Admit } from './admission.js'
export { type Agent, type AgentOptions, createAgent } from './agent.js'
export { type ApprovalDecision, type AskedApproval, askApproval, readApproval } from './approval.js'
export type { Authenticate, AuthenticationRequest } from './authenticate.js'
export type { ParsedRequest } from './body.js'
export type { Tenants } from './call.js'
export type { CardOptions } from './card/build.js'
export { canonicalCard } from './card/canonical.js'
export { hybridCard, legacyCard } from './card/legacy-card.js'
export { type CardFault, type CardFaultName, lintCard } from './card/lint.js'
export { CARD_PATHS } from './card/serve.js'
export { type CardSigner, type CardTrust, type CardVerdict, signCard, verifyCard } from './card/sign.js'
export { type ConnectOptions, connectAgent } from './client/connect.js'
export { type CachedCard, type CardCache, memoryCardCache } from './client/discover-card.js'
export { AGENT_ERRORS, AgentError, type AgentErrorCode, type AgentErrorFacts } from './client/errors.js'
export type { Auth, AuthRequest } from './client/http-link.js'
export type { Draft, MessageOptions, RemoteAgent, RemoteCallOptions } from './client/remote-agent.js'
export type { RetryOptions } from './client/retry.js'
export type { TrustStore, VerifyOptions } from './client/verify-card.js'
export {
  type Conversation,
  type ConversationStore,
  conversationKey,
  createQueue,
  memoryConversations,
  recalled,
  stateConversations,
  type Turn,
} from './conversation.js'
export type { ActionOptions, PayloadSchema } from './dialect/action.js'
export { AGENT_REQUEST_EXTENSION } from './dialect/card.js'
export { type PaidRequestOptions, paidAgentRequest } from './dialect/paid-request.js'
export { type SignatureProfile, signParams } from './dialect/profile.js'
export { type AgentRequestOptions, type AgentResult, agentRequest } from './dialect/request.js'
export type { DialectOptions } from './dialect/serve.js'
export type { StampWindow } from './dialect/stamp.js'
export type { Dispatch, DispatchReply, DispatchRequest, MethodExtension, Observed } from './dispatch.js'
export type { Listener } from './endpoint.js'
export { applyUpdate } from './engine/apply.js'
export { createEngine, type EngineOptions } from './engine/create.js'
export type { CallContext, Caller, Engine, Numbered } from './engine.js'
export {
  A2A_ERRORS,
  A2AError,
  type A2AErrorCode,
  type A2AErrorDetails,
  type FieldViolation,
} from './errors.js'
export { A2A_KIND } from './events/frame.js'
export { AETHER_BINDING, AETHER_EXTENSION } from './events/interface.js'
export { type ServedOnAether, type ServeOptions, serveOnAether } from './events/serve.js'
export {
  aetherTransport,
  type EventTransport,
  type SendOptions,
  type TransportOptions,
} from './events/transport.js'
export type { Ending, Execution, Executor } from './executor.js'
export {
  createGuard,
  type Guard,
  type GuardCode,
  GuardError,
  type GuardOptions,
  readCapped,
} from './guard.js'
export { DEFAULT_LIMITS, type Limits } from './limits.js'
export {
  type AgentCard,
  type AgentExtension,
  type AgentInterface,
  type AgentSkill,
  type Artifact,
  type ArtifactUpdate,
  type CardSignature,
  isInterrupted,
  isTerminal,
  type Json,
  type JsonRecord,
  type ListTasksRequest,
  type ListTasksResponse,
  type Message,
  type Part,
  type PushConfig,
  type SendMessageRequest,
  type SendMessageResponse,
  type StatusUpdate,
  type StreamResponse,
  type Task,
  type TaskState,
  type TaskStatus,
} from './model.js'
export type { PaymentOptions, PricedCall } from './payment/admit.js'
export { type CallBuyer, createCallBuyer, type Purchase } from './payment/buy.js'
export {
  declinePayment,
  type PayForTaskOptions,
  payForTask,
} from './payment/pay-for-task.js'
export { paymentRequiredOf, X402_EXTENSIONS } from './payment/x402.js'
export {
  createPushDelivery,
  NOTIFICATION_ID_HEADER,
  NOTIFICATION_TOKEN_HEADER,
  type PushOptions,
  type SignedNotification,
} from './push/delivery.js'
export {
  createPushReceiver,
  type PushReceiver,
  type PushReceiverOptions,
  type Received,
  type ReceiverCode,
} from './push/receiver.js'
export { NOTIFICATION_SIGNATURE_HEADER, notificationSigner } from './push/signature.js'
export type { PushDelivery } from './push.js'
export type { RequestLine } from './request-log.js'
export type { Listening } from './servers.js'
export { type LmdbTaskStoreOptions, lmdbTaskStore } from './store/lmdb.js'
export { type MemoryTaskStoreOptions, memoryTaskStore } from './store/memory.js'
export { STREAM_RESUME } from './stream-resume.js'
export type {
  OnceRecord,
  OutboxItem,
  StoredPush,
  TaskExtras,
  TaskRecord,
  TaskStore,
} from './task-store.js'
