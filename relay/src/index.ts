/** The reference Aether relay as a library: `createRelay`, its policies, limits and stores. */
export type { RelayEvent } from './bus.js'
export type { Accepted } from './commit.js'
export { LIMITS, type Limits, limitsDocument } from './limits.js'
export {
  allowKinds,
  blockKinds,
  blockPubkeys,
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
export { createRelay, type Relay, type RelayOptions } from './relay.js'
export { openLmdbStore } from './store/lmdb.js'
export { openMemoryStore } from './store/memory.js'
export { openSqliteStore } from './store/sqlite.js'
export {
  type Page,
  type Position,
  type PutOutcome,
  type PutStatus,
  type Store,
  type StoredEvent,
  StoreError,
  type StoreErrorCode,
} from './store/store.js'
