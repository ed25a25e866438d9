/** @aetherkit/client: talk to relays, and to agents through them. */
export type { BackoffOptions } from './backoff.js'
export type { RequestOptions } from './call.js'
export type { Json, JsonRecord } from './call-message.js'
export {
  type CheckpointDraft,
  type CheckpointPart,
  type CheckpointPlace,
  type CheckpointQuery,
  type Checkpoints,
  openCheckpoints,
  type PendingWrite,
  type StoredCheckpoint,
  type Typed,
} from './checkpoints.js'
export { type Client, connect } from './client.js'
export type { ClientOptions } from './client-options.js'
export type {
  AgentInfo,
  AgentProfile,
  Capability,
  DiscoverOptions,
  DiscoverQuery,
} from './discover.js'
export {
  type DocumentDraft,
  type DocumentFilter,
  type DocumentIndex,
  type DocumentSearch,
  type Documents,
  type DocumentValue,
  type FolderMatch,
  type FolderSearch,
  openDocuments,
  type StoredDocument,
} from './documents.js'
export {
  CallError,
  CLIENT_ERRORS,
  ClientError,
  type ClientErrorCode,
  type ClientErrorFacts,
  type Verdict,
} from './errors.js'
export type { FormatName } from './format.js'
export { type HttpAuthorizationOptions, httpAuthorization } from './http-authorization.js'
export type { DeadLetter, Mailbox, MailboxMessage, MailboxOptions } from './mailbox.js'
export type { Published, PublishOptions } from './publish.js'
export type { QueryOptions } from './query.js'
export { LOG_KIND, type LogOptions, type LogWriter, openLog } from './sealed-log.js'
export { type LogClient, type LogReader, type ReadLogOptions, readLog } from './sealed-log-reader.js'
export {
  getNote,
  MAX_NOTE_BYTES,
  NOTE_KIND,
  type NoteClient,
  type NoteOptions,
  putNote,
} from './sealed-note.js'
export type { CallContext, CallHandler, Served } from './serve.js'
export { localSigner, type Signer } from './signer.js'
export {
  type ListOptions,
  openState,
  type PutOptions,
  type State,
  type StateClient,
  type StateEntry,
  type StateOptions,
  type StatePath,
} from './state.js'
export { STATE_KIND } from './state-names.js'
export type { SubscribeOptions, Subscription } from './subscribe.js'
