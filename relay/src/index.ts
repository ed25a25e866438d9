/** The reference Aether relay as a library: `createRelay`, its policies, limits and stores. */
export type { AccessRule } from './access.js'
export type { RelayEvent } from './bus.js'
export type { Accepted } from './commit.js'
export type { RelayStats } from './gateway/gateway.js'
export type { HttpOptions, HttpPorts } from './gateway/http.js'
export type { Exchange, Handler, HttpRoute, Method } from './gateway/http-routes.js'
export type { NostrOptions } from './gateway/nostr.js'
export { LIMITS, type Limits, limitsDocument } from './limits.js'
export { type MailboxFile, memoryMailboxes, openMailboxFile } from './mailbox/mailbox-file.js'
export { type ExportOptions, exportEvents } from './maintenance/export.js'
export { type ImportOptions, type ImportReport, importEvents } from './maintenance/import.js'
export { linesOf } from './maintenance/lines.js'
export { type StorePlace, type StoreReport, verifyStore } from './maintenance/verify.js'
export { Metrics, type MetricsSource, metricsRoute } from './metrics.js'
export type { AsyncPolicy, Judgement } from './policy/async-policy.js'
export type { CapabilityOptions } from './policy/capability-policy.js'
export {
  type CapabilityUses,
  type Counted,
  memoryUses,
  openCapabilityUses,
} from './policy/capability-uses.js'
export { allowAddresses, allowPubkeys, blockAddresses, blockPubkeys } from './policy/lists.js'
export { type PluginOptions, pluginPolicy } from './policy/plugin.js'
export { blockTags, maxContent, maxTags, requireTags } from './policy/shape.js'
export { type AdaptiveWork, adaptiveWork } from './policy/work.js'
export {
  allowKinds,
  blockKinds,
  maxAge,
  maxFutureSkew,
  type Peer,
  type Policy,
  proofOfWork,
  type Rate,
  rateLimit,
  type Stage,
  saneDefaults,
} from './policy.js'
export { type AuthOptions, createRelay, type Relay, type RelayOptions } from './relay.js'
export { type RetentionRule, readRetention, type SweepOptions, sweep } from './retention.js'
export type { RelayChanges } from './settings.js'
export { backupStore } from './store/backup.js'
export type { Damage } from './store/index-audit.js'
export { openLmdbStore } from './store/lmdb.js'
export { openMemoryStore } from './store/memory.js'
export { openSqliteStore } from './store/sqlite.js'
export {
  type Amount,
  type KindRange,
  type KindUsage,
  type Page,
  type Position,
  type PutOutcome,
  type PutStatus,
  type Removal,
  type Store,
  type StoredEvent,
  StoreError,
  type StoreErrorCode,
} from './store/store.js'
export type { TlsCredentials } from './tls.js'
export {
  openTelemetryTracer,
  type PublishSpan,
  type PublishStage,
  type Tracer,
  type TracingApi,
} from './tracing.js'
export { VerifyPool, type VerifyPoolOptions } from './verify-pool.js'
