/**
 * The seam to push delivery (spec a2a 2.11, 7.2): the engine keeps the configs and says what happened, an
 * implementation delivers. Without one, every push operation is PUSH_NOTIFICATION_NOT_SUPPORTED.
 */
import type { PushConfig, StreamResponse, Task } from './model.js'

export interface PushDelivery {
  /** Throws A2AError INVALID_PARAMS for a URL or credentials that are refused. Asked before a config is kept. */
  check(config: PushConfig): Promise<void>
  /** In the order of the updates of a task; resolves when the notifications are in the outbox, not when they arrived. */
  notify(
    record: { readonly owner: string; readonly tenant: string; readonly task: Task },
    event: StreamResponse,
  ): Promise<void>
  close(): Promise<void>
}
