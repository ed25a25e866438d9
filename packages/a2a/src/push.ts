/**
 * The seam to push delivery (spec a2a 2.11, 7.2): the engine keeps the configs and says what happened, an
 * implementation delivers. What is to be delivered is in the store by the very write that made it happen, so a crash
 * loses neither. Without a delivery, every push operation is PUSH_NOTIFICATION_NOT_SUPPORTED.
 */
import type { PushConfig, StreamResponse } from './model.js'
import type { OutboxItem, StoredPush, TaskRecord } from './task-store.js'

export interface PushDelivery {
  /** Throws A2AError INVALID_PARAMS for a URL or credentials that are refused. Asked before a config is kept. */
  check(config: PushConfig): Promise<void>
  /** What this config is told, in the order of the updates of a task; undefined: nothing. Its id is never used again. */
  prepare(
    record: Pick<TaskRecord, 'owner' | 'tenant' | 'task'>,
    config: StoredPush,
    event: StreamResponse,
  ): OutboxItem | undefined
  /** They are in the store's outbox now; those that never got there are not named. Returns before they arrive. */
  send(items: readonly OutboxItem[]): void
  close(): Promise<void>
}
