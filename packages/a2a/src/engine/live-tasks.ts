/**
 * The tasks that something happens to, in front of the store (spec a2a 6.2 no. 9, 7.5): one `LiveTask` a task, its
 * writes to the store one after the other, and a terminal state in the store before anyone sees it.
 */
import type { Limits } from '../limits.js'
import type { Message, Task, TaskStatus } from '../model.js'
import type { TaskRecord, TaskStore } from '../task-store.js'
import { LiveTask } from './live-task.js'
import type { Turn } from './turn.js'

export interface Transition {
  readonly status: TaskStatus
  /** Goes into the history in front of the status. */
  readonly message?: Message | undefined
  readonly held?: TaskRecord['held'] | undefined
  readonly turn?: Turn
}

export interface LiveTasksOptions {
  readonly store: TaskStore
  readonly limits: Limits
  readonly now: () => number
  readonly report: (error: unknown) => void
  /** An open task came from the store. */
  readonly loaded: (live: LiveTask) => Promise<void>
}

/** Attempts to write a terminal or interrupted state before its callers are told of the failure; then on and on. */
const ATTEMPTS = 3
const MAX_PAUSE_MS = 5000

export class LiveTasks {
  readonly #store: TaskStore
  readonly #limits: Limits
  readonly #now: () => number
  readonly #report: (error: unknown) => void
  readonly #tasks = new Map<string, LiveTask>()
  readonly #loading = new Map<string, Promise<LiveTask | undefined>>()
  readonly #loaded: (live: LiveTask) => Promise<void>
  #closed = false

  constructor(options: LiveTasksOptions) {
    this.#store = options.store
    this.#limits = options.limits
    this.#now = options.now
    this.#report = options.report
    this.#loaded = options.loaded
  }

  all(): readonly LiveTask[] {
    return [...this.#tasks.values()]
  }

  find(id: string): LiveTask | undefined {
    return this.#tasks.get(id)
  }

  /** A task that is not in the store yet. */
  add(task: Task, owner: string, tenant: string): LiveTask {
    const live = new LiveTask({ task, owner, tenant, seq: 0 }, this.#limits, this.#now)
    this.#tasks.set(live.id, live)
    return live
  }

  /** A stored task, live. A foreign one is absent and takes as long; a terminal one is a copy for reading. */
  async acquire(id: string, owner: string, tenant: string): Promise<LiveTask | undefined> {
    const here = this.#tasks.get(id)
    if (here?.isStored && here.owner === owner && here.tenant === tenant) {
      here.idleSince = this.#now()
      return here
    }
    const key = JSON.stringify([id, owner, tenant])
    const loading = this.#loading.get(key) ?? this.#load(id, owner, tenant)
    this.#loading.set(key, loading)
    try {
      return await loading
    } finally {
      this.#loading.delete(key)
    }
  }

  async read(id: string, owner: string, tenant: string): Promise<Task | undefined> {
    const here = this.#tasks.get(id)
    if (here?.isStored && here.owner === owner && here.tenant === tenant) return here.snapshot()
    return (await this.#store.load(id, owner, tenant))?.task
  }

  /** Of a stored task that is not live. */
  async adopt(record: TaskRecord): Promise<LiveTask> {
    const live = new LiveTask(record, this.#limits, this.#now)
    live.isStored = true
    if (live.terminal) return live
    this.#tasks.set(live.id, live)
    await this.#loaded(live)
    return live
  }

  drop(live: LiveTask): void {
    if (this.#tasks.get(live.id) === live) this.#tasks.delete(live.id)
  }

  /** Writes it as it is. False when the store has it terminal, or not any longer. */
  save(live: LiveTask): Promise<boolean> {
    return this.#write(live)
  }

  /** Writes what is behind of one owner, so that the store answers for it. */
  async flush(owner: string, tenant: string): Promise<void> {
    const behind = this.all().filter(
      (live) => live.dirty && live.isStored && live.owner === owner && live.tenant === tenant,
    )
    await Promise.all(behind.map((live) => this.save(live)))
  }

  /**
   * Compare-and-set of the state, in the store first. False when the store has it terminal, or not any longer: then
   * nothing has changed. With `failing`, it is tried until it is written, and `failing` is called when that takes long.
   */
  async move(live: LiveTask, transition: Transition, failing?: (error: unknown) => void): Promise<boolean> {
    if (live.terminal) return false
    const saved = await this.#insist(() => this.#write(live, transition), failing)
    if (!saved) {
      live.endStreams()
      this.drop(live)
      return false
    }
    live.move(transition)
    live.idleSince = this.#now()
    if (live.terminal) this.drop(live)
    return true
  }

  /** Once a second: writes what has grown, cuts stalled readers, lets go of idle tasks. */
  sweep(idleMs: number): void {
    for (const live of this.#tasks.values()) {
      for (const reader of live.subscriptions) reader.checkStall()
      if (live.dirty && live.isStored && live.writes === 0) this.save(live).catch(this.#report)
      const idle = !live.busy && live.isStored && !live.dirty && live.subscriptions.size === 0
      if (idle && this.#now() - live.idleSince > idleMs) this.drop(live)
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const live of this.all()) {
      live.endStreams()
      if (live.dirty && live.isStored) await this.save(live).catch(this.#report)
    }
    this.#tasks.clear()
  }

  async #load(id: string, owner: string, tenant: string): Promise<LiveTask | undefined> {
    const record = await this.#store.load(id, owner, tenant)
    if (record === undefined) return undefined
    const here = this.#tasks.get(id)
    if (here?.isStored) return here
    return this.adopt(record)
  }

  /** Between two writes of the task. */
  between<T>(live: LiveTask, work: () => Promise<T>): Promise<T> {
    const done = live.saving.then(work)
    live.saving = done.catch(() => {})
    return done
  }

  #write(live: LiveTask, next?: Transition): Promise<boolean> {
    const write = live.saving.then(async () => {
      const tells = next !== undefined || !live.isStored
      if (tells) await live.notices?.ready()
      const unsaved = live.unsavedBytes
      live.dirty = false
      try {
        const record = live.record(next)
        const due = tells ? live.notices?.due(record, next) : undefined
        const saved = await this.#store.save(record, live.isStored ? 'open' : 'absent', due?.extras)
        if (saved) {
          live.isStored = true
          if (due !== undefined) live.notices?.written(due)
        }
        live.unsavedBytes -= unsaved
        return saved
      } catch (error) {
        live.dirty = true
        throw error
      }
    })
    live.writes++
    live.saving = write
      .catch(() => {})
      .then(() => {
        live.writes--
      })
    return write
  }

  async #insist(
    write: () => Promise<boolean>,
    failing: ((error: unknown) => void) | undefined,
  ): Promise<boolean> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await write()
      } catch (error) {
        if (failing === undefined || this.#closed) throw error
        this.#report(error)
        if (attempt === ATTEMPTS) failing(error)
        const pause = Math.min(50 * 2 ** attempt, MAX_PAUSE_MS)
        await new Promise((resolve) => setTimeout(resolve, pause).unref())
      }
    }
  }
}
