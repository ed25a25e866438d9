/**
 * The obvious task store: maps. The reference for durable ones, and good for agents whose tasks need not outlive the
 * process. Records are immutable snapshots, so they are kept as they come.
 */
import { isInterrupted, isTerminal } from '../model.js'
import type { OutboxItem, StoredPush, TaskRecord, TaskStore } from '../task-store.js'
import { OnceShares } from './once-shares.js'
import {
  compareMarks,
  DEFAULT_PAGE_SIZE,
  markOf,
  matchesQuery,
  readPageToken,
  writePageToken,
} from './page.js'

export interface MemoryTaskStoreOptions {
  readonly now?: () => number
  /**
   * Message ids and signed calls that are remembered, 100 000 by default: beyond it the oldest of an owner that has most
   * is forgotten before its time, and repeated it would run again. The durable store forgets nothing early.
   */
  readonly maxOnce?: number
  /** Of one owner, 10 000 by default: beyond it the owner's own oldest goes. */
  readonly maxOncePerOwner?: number
}

export function memoryTaskStore({
  now = Date.now,
  maxOnce = 100_000,
  maxOncePerOwner = 10_000,
}: MemoryTaskStoreOptions = {}): TaskStore {
  const tasks = new Map<string, TaskRecord>()
  const byOwner = new Map<string, Set<string>>()
  const contexts = new Map<string, { readonly owner: string; readonly tenant: string; tasks: number }>()
  const once = new OnceShares({ all: maxOnce, perOwner: maxOncePerOwner })
  const push = new Map<string, Map<string, StoredPush>>()
  const outbox = new Map<string, OutboxItem>()

  const ownerKey = (owner: string, tenant: string): string => JSON.stringify([owner, tenant])

  function add(record: TaskRecord): void {
    const { task, owner, tenant } = record
    if (!tasks.has(task.id)) {
      const owned = byOwner.get(ownerKey(owner, tenant)) ?? new Set()
      byOwner.set(ownerKey(owner, tenant), owned.add(task.id))
      const context = contexts.get(task.contextId) ?? { owner, tenant, tasks: 0 }
      context.tasks++
      contexts.set(task.contextId, context)
    }
    tasks.set(task.id, record)
  }

  function remove({ task, owner, tenant }: TaskRecord): void {
    tasks.delete(task.id)
    push.delete(task.id)
    const owned = byOwner.get(ownerKey(owner, tenant))
    owned?.delete(task.id)
    if (owned?.size === 0) byOwner.delete(ownerKey(owner, tenant))
    const context = contexts.get(task.contextId)
    if (context !== undefined && --context.tasks === 0) contexts.delete(task.contextId)
  }

  function putConfig(taskId: string, config: StoredPush): void {
    push.set(taskId, (push.get(taskId) ?? new Map<string, StoredPush>()).set(config.id, config))
  }

  function owned(id: string, owner: string, tenant: string): TaskRecord | undefined {
    const record = tasks.get(id)
    return record?.owner === owner && record.tenant === tenant ? record : undefined
  }

  return {
    async save(record, from, { push: configs = [], outbox: items = [] } = {}) {
      const kept = tasks.get(record.task.id)
      if (from === 'absent' && kept !== undefined) return false
      if (from === 'open' && (kept === undefined || isTerminal(kept.task.status.state))) return false
      add(record)
      for (const config of configs) putConfig(record.task.id, config)
      for (const item of items) outbox.set(item.id, item)
      return true
    },
    async load(id, owner, tenant) {
      return owned(id, owner, tenant)
    },
    async list(query) {
      const after = readPageToken(query)
      const found = [...(byOwner.get(ownerKey(query.owner, query.tenant)) ?? [])]
        .map((id) => tasks.get(id)!.task)
        .filter((task) => matchesQuery(query, task))
        .map((task) => ({ task, mark: markOf(task) }))
        .sort((a, b) => compareMarks(a.mark, b.mark))
      const rest = after === undefined ? found : found.filter(({ mark }) => compareMarks(mark, after) > 0)
      const page = rest.slice(0, query.pageSize ?? DEFAULT_PAGE_SIZE).map(({ task }) => task)
      const last = page.at(-1)
      const nextPageToken = last !== undefined && rest.length > page.length ? writePageToken(query, last) : ''
      return { tasks: page, nextPageToken, totalSize: found.length }
    },
    async contextOwner(contextId) {
      const context = contexts.get(contextId)
      return context && { owner: context.owner, tenant: context.tenant }
    },
    async open() {
      return [...tasks.values()].filter(
        ({ task: { status } }) => !isTerminal(status.state) && !isInterrupted(status.state),
      )
    },
    async once(key, record) {
      const kept = once.get(key)
      if (kept !== undefined && kept.expiresAt > now()) return kept
      once.set(key, record)
      return undefined
    },
    async finishOnce(key, record) {
      once.set(key, record)
    },
    async dropOnce(key) {
      once.delete(key)
    },
    async putPush(owner, tenant, config) {
      if (owned(config.taskId, owner, tenant) === undefined) return
      putConfig(config.taskId, config)
    },
    async listPush(owner, tenant, taskId) {
      return owned(taskId, owner, tenant) === undefined ? [] : [...(push.get(taskId)?.values() ?? [])]
    },
    async deletePush(owner, tenant, taskId, id) {
      return owned(taskId, owner, tenant) !== undefined && push.get(taskId)?.delete(id) === true
    },
    async putOutbox(item) {
      outbox.set(item.id, item)
    },
    async dropOutbox(id) {
      outbox.delete(id)
    },
    async outbox() {
      return [...outbox.values()].sort((a, b) => a.dueAt - b.dueAt)
    },
    async evict(before) {
      once.forget(now())
      const old = [...tasks.values()].filter(
        ({ task: { status }, updatedAt }) =>
          updatedAt < before && (isTerminal(status.state) || isInterrupted(status.state)),
      )
      for (const record of old) remove(record)
      return old.length
    },
    async count(owner, tenant) {
      return byOwner.get(ownerKey(owner, tenant))?.size ?? 0
    },
    async close() {},
  }
}
