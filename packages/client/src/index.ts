/** @aetherkit/client: talk to relays, and to agents through them. */
export type { BackoffOptions } from './backoff.js'
export type { RequestOptions } from './call.js'
export type { Json, JsonRecord } from './call-message.js'
export { type Client, type ClientOptions, connect } from './client.js'
export type {
  AgentInfo,
  AgentProfile,
  Capability,
  DiscoverOptions,
  DiscoverQuery,
} from './discover.js'
export {
  CallError,
  CLIENT_ERRORS,
  ClientError,
  type ClientErrorCode,
  type ClientErrorFacts,
  type Verdict,
} from './errors.js'
export type { FormatName } from './format.js'
export type { Published, PublishOptions } from './publish.js'
export type { QueryOptions } from './query.js'
export type { CallContext, CallHandler, Served } from './serve.js'
export { localSigner, type Signer } from './signer.js'
export type { SubscribeOptions, Subscription } from './subscribe.js'
