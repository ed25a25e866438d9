/**
 * The seam to where tasks are kept (spec a2a 1, layer 4). The engine holds the tasks that run; a store keeps the rest
 * and a snapshot of each, written on every change of state and at intervals between. One process owns a store.
 */
import type { ListTasksRequest, PushConfig, Task } from './model.js'

export interface TaskRecord {
  readonly task: Task
  readonly owner: string
  readonly tenant: string
  /** Number of the last update that the snapshot includes. */
  readonly seq: number
  /** ms; of the last write. */
  readonly updatedAt: number
  /** The message that admission holds back (`Admission`): executed once a later one is admitted. */
  readonly held?: { readonly messageId: string; readonly resumed: boolean }
}

/** What a repeated message id gets (spec a2a 7.4), and the replay record of `agent.request` (3.3). */
export interface OnceRecord {
  readonly hash: string
  /** Empty until the task is known. */
  readonly taskId: string
  /** A direct reply, or the result of a dialect call: JSON text. */
  readonly result?: string
  /** ms; forgotten after it. */
  readonly expiresAt: number
  /** Whose it is, of any form: a store that forgets early forgets nobody's records for those of somebody else. */
  readonly owner?: string
}

/** A notification that is not delivered yet (spec a2a 7.2). */
export interface OutboxItem {
  readonly id: string
  readonly owner: string
  readonly tenant: string
  readonly taskId: string
  readonly configId: string
  /** JSON text of the body. */
  readonly body: string
  readonly attempt: number
  /** ms */
  readonly dueAt: number
}

/** `legacy`: made by a 0.3 call, so its notifications have the shapes of 0.3. */
export interface StoredPush extends PushConfig {
  readonly id: string
  readonly taskId: string
  readonly legacy?: boolean
}

/** What a write of a task brings with it. */
export interface TaskExtras {
  /** Of this task; replaced by id. */
  readonly push?: readonly StoredPush[]
  readonly outbox?: readonly OutboxItem[]
}

/** Rejects with an Error when the write did not reach the disk: then nothing of the call is kept. */
export interface TaskStore {
  /**
   * Resolves when it is durable. With `from`, only while the task is stored and not terminal (`open`), or not stored at
   * all (`absent`), else false: compare-and-set of the terminal state. The extras are in the same write: all of it is
   * there after a crash, or nothing; with false, nothing.
   */
  save(record: TaskRecord, from?: 'open' | 'absent', extras?: TaskExtras): Promise<boolean>
  /** By owner and tenant as well: a foreign task is absent. */
  load(id: string, owner: string, tenant: string): Promise<TaskRecord | undefined>
  list(
    query: ListTasksRequest & { readonly owner: string; readonly tenant: string },
  ): Promise<{ readonly tasks: readonly Task[]; readonly nextPageToken: string; readonly totalSize: number }>
  /** Whose context it is, as `owner` and `tenant`; undefined when unknown. */
  contextOwner(contextId: string): Promise<{ readonly owner: string; readonly tenant: string } | undefined>
  /** All records that are neither terminal nor interrupted: what a dead process left. */
  open(): Promise<readonly TaskRecord[]>
  /** Sets when absent or expired, and gives what is there: undefined when it was set now. Key up to 512 characters. */
  once(key: string, record: OnceRecord): Promise<OnceRecord | undefined>
  finishOnce(key: string, record: OnceRecord): Promise<void>
  dropOnce(key: string): Promise<void>
  putPush(owner: string, tenant: string, config: StoredPush): Promise<void>
  listPush(owner: string, tenant: string, taskId: string): Promise<readonly StoredPush[]>
  deletePush(owner: string, tenant: string, taskId: string, id: string): Promise<boolean>
  putOutbox(item: OutboxItem): Promise<void>
  dropOutbox(id: string): Promise<void>
  outbox(): Promise<readonly OutboxItem[]>
  /**
   * Removes terminal and interrupted tasks whose `updatedAt` is below `before` (ms) with their push configs, and expired
   * once records; how many tasks.
   */
  evict(before: number): Promise<number>
  count(owner: string, tenant: string): Promise<number>
  close(): Promise<void>
}
