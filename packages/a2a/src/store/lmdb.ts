/**
 * The durable task store: one LMDB file, owned by one process. A write resolves when it is synced to disk; writes that
 * wait together are committed together.
 *
 *   t id                      the record, JSON
 *   l owner at id             state and context of a task: lists, newest status first when read backwards
 *   c context                 whose it is, and how many tasks it has
 *   n owner                   how many tasks
 *   o id                      tasks that neither ended nor wait
 *   e updated id              tasks that ended or wait: what eviction looks through
 *   k key, q expires key      once records, and when they are forgotten
 *   p task config             push configs
 *   x id                      notifications that are not delivered
 *
 * `owner` stands for owner and tenant, hashed; `context`, `config` and `key` are hashed too: keys of LMDB are
 * bounded, theirs are not.
 */
import { createHash } from 'node:crypto'
import { open } from 'lmdb'
import { isInterrupted, isTerminal, type Task } from '../model.js'
import type { OnceRecord, OutboxItem, StoredPush, TaskRecord, TaskStore } from '../task-store.js'
import { DEFAULT_PAGE_SIZE, markOf, matchesQuery, readPageToken, writePageToken } from './page.js'

type Key = (string | number)[]
interface ContextRecord {
  readonly owner: string
  readonly tenant: string
  readonly tasks: number
}

/** Sorts behind every text and number at its place in a key. */
const END = '\u{10ffff}'
/** Tasks and records that one eviction removes in one transaction. */
const EVICT_BATCH = 500

export interface LmdbTaskStoreOptions {
  readonly now?: () => number
}

/**
 * Opens or makes the file at `path` (its lock lies beside it, `-lock`).
 * @throws Error of LMDB when it cannot be opened
 */
export function lmdbTaskStore(path: string, { now = Date.now }: LmdbTaskStoreOptions = {}): TaskStore {
  const database = open<string, Key>({
    path,
    noSubdir: true,
    encoding: 'string',
    // The defaults resolve a write before it is synced, and wrap batches whose failure nobody can catch.
    overlappingSync: false,
    eventTurnBatching: false,
  })
  const read = <T>(key: Key): T | undefined => {
    const text = database.get(key)
    return text === undefined ? undefined : (JSON.parse(text) as T)
  }
  const write = (key: Key, value: unknown): void => void database.put(key, JSON.stringify(value))
  const range = (...prefix: Key): { start: Key; end: Key } => ({ start: prefix, end: [...prefix, END] })
  const readAll = <T>(...prefix: Key): T[] =>
    [...database.getRange(range(...prefix))].map(({ value }) => JSON.parse(value) as T)

  /** Inside a transaction. */
  function add(record: TaskRecord): void {
    const { task, owner, tenant } = record
    const old = read<TaskRecord>(['t', task.id])
    const place = placeOf(record)
    if (old === undefined) {
      write(['n', place], (read<number>(['n', place]) ?? 0) + 1)
      const context = read<ContextRecord>(['c', digest(task.contextId)]) ?? { owner, tenant, tasks: 0 }
      write(['c', digest(task.contextId)], { ...context, tasks: context.tasks + 1 })
    } else unindex(old)
    write(['t', task.id], record)
    database.put(['l', place, markOf(task).at, task.id], `${task.status.state} ${task.contextId}`)
    if (isIdle(task)) database.put(['e', record.updatedAt, task.id], '')
    else database.put(['o', task.id], '')
  }

  function unindex(record: TaskRecord): void {
    const { task } = record
    database.remove(['l', placeOf(record), markOf(task).at, task.id])
    database.remove(['e', record.updatedAt, task.id])
    database.remove(['o', task.id])
  }

  function remove(record: TaskRecord): void {
    const { task } = record
    const place = placeOf(record)
    unindex(record)
    database.remove(['t', task.id])
    for (const key of [...database.getKeys(range('p', task.id))]) database.remove(key)
    lower(['n', place], (read<number>(['n', place]) ?? 1) - 1, (tasks) => tasks)
    const context = read<ContextRecord>(['c', digest(task.contextId)])
    if (context !== undefined)
      lower(['c', digest(task.contextId)], context.tasks - 1, (tasks) => ({ ...context, tasks }))
  }

  function lower(key: Key, count: number, value: (count: number) => unknown): void {
    if (count > 0) write(key, value(count))
    else database.remove(key)
  }

  const owned = (id: string, owner: string, tenant: string): TaskRecord | undefined => {
    const record = read<TaskRecord>(['t', id])
    return record?.owner === owner && record.tenant === tenant ? record : undefined
  }

  function putOnce(key: string, record: OnceRecord): void {
    const old = read<OnceRecord>(['k', key])
    if (old !== undefined) database.remove(['q', old.expiresAt, key])
    write(['k', key], record)
    database.put(['q', record.expiresAt, key], '')
  }

  function evictTasks(before: number): number {
    const keys = [...database.getKeys({ start: ['e'], end: ['e', before], limit: EVICT_BATCH })]
    for (const [, , id] of keys) {
      const record = read<TaskRecord>(['t', String(id)])
      if (record !== undefined) remove(record)
    }
    return keys.length
  }

  function forgetOnce(): number {
    const keys = [...database.getKeys({ start: ['q'], end: ['q', now() + 1], limit: EVICT_BATCH })]
    for (const key of keys) {
      database.remove(key)
      database.remove(['k', key[2]!])
    }
    return keys.length
  }

  return {
    save: (record, from, { push = [], outbox = [] } = {}) =>
      database.transaction(() => {
        const kept = read<TaskRecord>(['t', record.task.id])
        if (from === 'absent' && kept !== undefined) return false
        if (from === 'open' && (kept === undefined || isTerminal(kept.task.status.state))) return false
        add(record)
        for (const config of push) write(['p', record.task.id, digest(config.id)], config)
        for (const item of outbox) write(['x', item.id], item)
        return true
      }),
    async load(id, owner, tenant) {
      return owned(id, owner, tenant)
    },
    async list(query) {
      const after = readPageToken(query)
      const size = query.pageSize ?? DEFAULT_PAGE_SIZE
      const place = placeOf(query)
      const tasks: Task[] = []
      let totalSize = 0
      let hasMore = false
      const { start, end } = range('l', place)
      for (const { key, value } of database.getRange({ start: end, end: start, reverse: true })) {
        const at = Number(key[2])
        const id = String(key[3])
        if (!matchesQuery(query, headOf(id, at, value))) continue
        totalSize++
        if (after !== undefined && (at > after.at || (at === after.at && id >= after.id))) continue
        if (tasks.length === size) hasMore = true
        else {
          const record = read<TaskRecord>(['t', id])
          if (record !== undefined) tasks.push(record.task)
        }
      }
      const last = tasks.at(-1)
      return {
        tasks,
        totalSize,
        nextPageToken: hasMore && last !== undefined ? writePageToken(query, last) : '',
      }
    },
    async contextOwner(contextId) {
      const context = read<ContextRecord>(['c', digest(contextId)])
      return context && { owner: context.owner, tenant: context.tenant }
    },
    async open() {
      const ids = [...database.getKeys(range('o'))].map(([, id]) => String(id))
      return ids.flatMap((id) => read<TaskRecord>(['t', id]) ?? [])
    },
    once: (text, record) =>
      database.transaction(() => {
        const key = digest(text)
        const kept = read<OnceRecord>(['k', key])
        if (kept !== undefined && kept.expiresAt > now()) return kept
        putOnce(key, record)
        return undefined
      }),
    finishOnce: (text, record) => database.transaction(() => putOnce(digest(text), record)),
    dropOnce: (text) =>
      database.transaction(() => {
        const key = digest(text)
        const kept = read<OnceRecord>(['k', key])
        if (kept === undefined) return
        database.remove(['k', key])
        database.remove(['q', kept.expiresAt, key])
      }),
    putPush: (owner, tenant, config) =>
      database.transaction(() => {
        if (owned(config.taskId, owner, tenant) !== undefined)
          write(['p', config.taskId, digest(config.id)], config)
      }),
    async listPush(owner, tenant, taskId) {
      return owned(taskId, owner, tenant) === undefined ? [] : readAll<StoredPush>('p', taskId)
    },
    deletePush: (owner, tenant, taskId, id) =>
      database.transaction(() => {
        const key = ['p', taskId, digest(id)]
        if (owned(taskId, owner, tenant) === undefined || database.get(key) === undefined) return false
        database.remove(key)
        return true
      }),
    putOutbox: (item) => database.transaction(() => write(['x', item.id], item)),
    dropOutbox: (id) => database.transaction(() => void database.remove(['x', id])),
    async outbox() {
      return readAll<OutboxItem>('x').sort((a, b) => a.dueAt - b.dueAt)
    },
    async evict(before) {
      let evicted = 0
      for (let batch = EVICT_BATCH; batch === EVICT_BATCH; evicted += batch)
        batch = await database.transaction(() => evictTasks(before))
      while ((await database.transaction(forgetOnce)) === EVICT_BATCH);
      return evicted
    },
    async count(owner, tenant) {
      return read<number>(['n', placeOf({ owner, tenant })]) ?? 0
    },
    close: () => database.close(),
  }
}

const isIdle = ({ status: { state } }: Task): boolean => isTerminal(state) || isInterrupted(state)

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url')

const placeOf = ({ owner, tenant }: { readonly owner: string; readonly tenant: string }): string =>
  digest(JSON.stringify([owner, tenant]))

/** As much of a task as a query looks at. */
function headOf(id: string, at: number, value: string): Task {
  const space = value.indexOf(' ')
  const state = value.slice(0, space) as Task['status']['state']
  return { id, contextId: value.slice(space + 1), status: { state, timestamp: new Date(at).toISOString() } }
}
