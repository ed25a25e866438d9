/**
 * What of one task is notified (spec a2a 2.11, 7.2): every status, and every artifact once it is whole; chunks are for
 * streams. What a write of the task tells is in the same write: after a crash neither is there without the other.
 */
import { isInterrupted, isTerminal, type StreamResponse, type Task, type TaskStatus } from '../model.js'
import type { PushDelivery } from '../push.js'
import type { OutboxItem, StoredPush, TaskExtras, TaskRecord, TaskStore } from '../task-store.js'
import type { LiveTask } from './live-task.js'
import type { Transition } from './live-tasks.js'
import type { Turn } from './turn.js'

export interface NoticesOptions {
  readonly store: TaskStore
  readonly delivery: PushDelivery
  readonly report: (error: unknown) => void
  /** Told of every write of its own; none rejects. */
  readonly track: (put: Promise<unknown>) => void
}

interface Update {
  readonly event: StreamResponse
  readonly task: Task
}

/** What goes with one write. */
export interface Due {
  readonly extras: TaskExtras
  /** It is told of in `extras`. */
  readonly status: TaskStatus | undefined
  readonly early: number
  readonly turns: readonly Turn[]
}

export class Notices {
  readonly #live: LiveTask
  readonly #options: NoticesOptions
  /** Artifacts of which only chunks were published. */
  readonly #growing = new Set<string>()
  /** Inline configs whose message is in no write yet. */
  readonly #inline = new Map<Turn, StoredPush>()
  /** Published before the task was in the store. */
  readonly #early: Update[] = []
  #configs: readonly StoredPush[] = []
  #told: TaskStatus | undefined
  #last: Promise<unknown> = Promise.resolve()

  constructor(live: LiveTask, options: NoticesOptions) {
    this.#live = live
    this.#options = options
  }

  /** In the store with the first write for this turn. */
  keep(turn: Turn, config: StoredPush): void {
    this.#inline.set(turn, config)
  }

  /** The config of a turn that is in no write yet; it will be in none. */
  take(turn: Turn): StoredPush | undefined {
    const config = this.#inline.get(turn)
    this.#inline.delete(turn)
    return config
  }

  /** An update was published. */
  heard(event: StreamResponse): void {
    if ('artifactUpdate' in event) {
      const { artifact, lastChunk } = event.artifactUpdate
      if (lastChunk === true) this.#growing.delete(artifact.artifactId)
      else this.#growing.add(artifact.artifactId)
      if (lastChunk !== true) return
    }
    if ('statusUpdate' in event && event.statusUpdate.status === this.#told) return
    const update = { event, task: this.#live.snapshot() }
    if (this.#live.isStored) this.#put(update)
    else this.#early.push(update)
  }

  /** Before a write: what was published before it is in the outbox, and its configs are known. */
  async ready(): Promise<void> {
    const { id, owner, tenant, isStored } = this.#live
    await this.#last
    this.#configs = isStored ? await this.#options.store.listPush(owner, tenant, id) : []
  }

  /** What goes with the write of this record. */
  due(record: TaskRecord, next: Transition | undefined): Due {
    const { isStored } = this.#live
    const turns = [...this.#inline.keys()].filter((turn) => !isStored || turn === next?.turn)
    const push = turns.flatMap((turn) => this.#inline.get(turn) ?? [])
    const ids = new Set(push.map(({ id }) => id))
    const configs = [...this.#configs.filter(({ id }) => !ids.has(id)), ...push]
    const updates = [...this.#early, ...(next === undefined ? [] : this.#of(record.task))]
    const outbox = updates.flatMap((update) => this.#prepare(update, configs))
    return { extras: { push, outbox }, status: next?.status, early: this.#early.length, turns }
  }

  /** That write is done. */
  written({ extras, status, early, turns }: Due): void {
    for (const turn of turns) this.#inline.delete(turn)
    if (status !== undefined) {
      this.#told = status
      if (isSettled(status)) this.#growing.clear()
    }
    this.#options.delivery.send(extras.outbox ?? [])
    this.#early.splice(0, early)
    for (const update of this.#early.splice(0)) this.#put(update)
  }

  /** The new status, behind what is whole with it. */
  #of(task: Task): Update[] {
    const { id: taskId, contextId, status } = task
    const whole = isSettled(status)
      ? (task.artifacts ?? []).filter(({ artifactId }) => this.#growing.has(artifactId))
      : []
    const artifacts = whole.map((artifact) => ({
      event: { artifactUpdate: { taskId, contextId, artifact, lastChunk: true } },
      task,
    }))
    return [...artifacts, { event: { statusUpdate: { taskId, contextId, status } }, task }]
  }

  /** For an update that is in no write of the task. */
  #put(update: Update): void {
    const { store, delivery, report, track } = this.#options
    const { id, owner, tenant } = this.#live
    const put = async (): Promise<void> => {
      for (const item of this.#prepare(update, await store.listPush(owner, tenant, id))) {
        await store.putOutbox(item)
        delivery.send([item])
      }
    }
    this.#last = this.#last.then(put).catch(report)
    track(this.#last)
  }

  #prepare({ event, task }: Update, configs: readonly StoredPush[]): OutboxItem[] {
    const { owner, tenant } = this.#live
    return configs.flatMap(
      (config) => this.#options.delivery.prepare({ owner, tenant, task }, config, event) ?? [],
    )
  }
}

const isSettled = ({ state }: TaskStatus): boolean => isTerminal(state) || isInterrupted(state)
