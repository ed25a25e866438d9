/** The push operations (spec a2a 2.1, 2.11, 7.2): who may, how many; and what of a task is notified. */
import type { CallContext } from '../engine.js'
import { A2AError } from '../errors.js'
import type { Limits } from '../limits.js'
import { isInterrupted, isTerminal, type PushConfig, type StreamResponse, type TaskState } from '../model.js'
import type { PushDelivery } from '../push.js'
import type { StoredPush, TaskStore } from '../task-store.js'
import type { LiveTask } from './live-task.js'
import type { LiveTasks } from './live-tasks.js'
import type { Turn } from './turn.js'

/** Characters of an id that a caller makes. */
const MAX_ID = 256

export interface PushConfigsOptions {
  readonly delivery: PushDelivery | undefined
  readonly store: TaskStore
  readonly tasks: LiveTasks
  readonly limits: Limits
  readonly randomId: () => string
  readonly report: (error: unknown) => void
}

export class PushConfigs {
  readonly #options: PushConfigsOptions
  readonly #notifying = new Set<Promise<unknown>>()

  constructor(options: PushConfigsOptions) {
    this.#options = options
  }

  /** Of an inline config, before anything is done for its message. */
  async check(
    config: PushConfig,
    taskId: string | undefined,
    { caller, tenant }: CallContext,
  ): Promise<void> {
    const delivery = this.#delivery()
    if (taskId !== undefined) await this.#room(config, caller.owner, tenant, taskId)
    await delivery.check(config)
  }

  async create(config: PushConfig & { readonly taskId: string }, context: CallContext): Promise<PushConfig> {
    const delivery = this.#delivery()
    const { caller, tenant, version } = context
    const { taskId } = config
    await this.#own(taskId, context)
    await this.#room(config, caller.owner, tenant, taskId)
    await delivery.check(config)
    const stored = await this.#put(config, caller.owner, tenant, version)
    const live = this.#options.tasks.all().find(({ id }) => id === taskId)
    if (live !== undefined) this.#observe(live)
    return shown(stored)
  }

  async get(
    request: { readonly taskId: string; readonly id: string },
    context: CallContext,
  ): Promise<PushConfig> {
    this.#delivery()
    const config = (await this.#all(request.taskId, context)).find(({ id }) => id === request.id)
    if (config === undefined) throw new A2AError('TASK_NOT_FOUND')
    return shown(config)
  }

  async list(
    request: { readonly taskId: string; readonly pageSize?: number; readonly pageToken?: string },
    context: CallContext,
  ): Promise<{ readonly configs: readonly PushConfig[]; readonly nextPageToken: string }> {
    this.#delivery()
    const all = [...(await this.#all(request.taskId, context))].sort((a, b) => (a.id < b.id ? -1 : 1))
    const after =
      request.pageToken === undefined ? '' : Buffer.from(request.pageToken, 'base64url').toString()
    const rest = all.filter(({ id }) => id > after)
    // 0 is unset in proto3.
    const configs = rest.slice(0, request.pageSize || rest.length)
    const last = configs.at(-1)
    const more = last !== undefined && configs.length < rest.length
    return {
      configs: configs.map(shown),
      nextPageToken: more ? Buffer.from(last.id).toString('base64url') : '',
    }
  }

  async delete(
    request: { readonly taskId: string; readonly id: string },
    context: CallContext,
  ): Promise<void> {
    this.#delivery()
    await this.#own(request.taskId, context)
    await this.#options.store.deletePush(context.caller.owner, context.tenant, request.taskId, request.id)
  }

  /** An inline config, which is checked already: in the store before the first notification of its turn. */
  keep(turn: Turn, config: PushConfig): void {
    const { live, context } = turn
    const { owner, tenant, id: taskId } = live
    const put = async (): Promise<void> => {
      await turn.shown.promise
      if (turn.reply === undefined) await this.#put({ ...config, taskId }, owner, tenant, context.version)
    }
    this.#observe(live)
    this.#inOrder(live, () => put().catch((error: unknown) => live.isStored && this.#options.report(error)))
  }

  /** A task that came from the store: notified as before. */
  async watch(live: LiveTask): Promise<void> {
    if (this.#options.delivery === undefined) return
    const configs = await this.#options.store.listPush(live.owner, live.tenant, live.id)
    if (configs.length > 0) this.#observe(live)
  }

  /** Every status, and every artifact once it is whole: chunks are for streams. */
  #observe(live: LiveTask): void {
    if (live.observe !== undefined) return
    const { id: taskId, contextId } = live
    const streamed = new Set<string>()
    const notify = (event: StreamResponse): void => {
      const { owner, tenant } = live
      const record = { owner, tenant, task: live.snapshot() }
      this.#inOrder(live, async () => this.#options.delivery?.notify(record, event))
    }
    live.observe = (event) => {
      if ('artifactUpdate' in event) {
        const { artifact, lastChunk } = event.artifactUpdate
        if (lastChunk === true) streamed.delete(artifact.artifactId)
        else streamed.add(artifact.artifactId)
        if (lastChunk !== true) return
      }
      if ('statusUpdate' in event && isSettled(event.statusUpdate.status.state)) {
        for (const artifact of live.snapshot().artifacts ?? []) {
          if (streamed.delete(artifact.artifactId)) {
            notify({ artifactUpdate: { taskId, contextId, artifact, lastChunk: true } })
          }
        }
      }
      notify(event)
    }
  }

  #inOrder(live: LiveTask, step: () => Promise<unknown>): void {
    const done = live.notifying.then(step).catch(this.#options.report)
    live.notifying = done
    this.#notifying.add(done)
    void done.then(() => this.#notifying.delete(done))
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#notifying)
    await this.#options.delivery?.close()
  }

  async #put(
    config: PushConfig & { readonly taskId: string },
    owner: string,
    tenant: string,
    version: CallContext['version'],
  ): Promise<StoredPush> {
    const { id = this.#options.randomId(), ...rest } = config
    const stored: StoredPush = { ...rest, id, ...(version === '0.3' && { legacy: true }) }
    await this.#options.store.putPush(owner, tenant, stored)
    return stored
  }

  async #room({ id }: PushConfig, owner: string, tenant: string, taskId: string): Promise<void> {
    const { store, limits } = this.#options
    if (id !== undefined && id.length > MAX_ID) {
      throw new A2AError('INVALID_PARAMS', `The id of a push config has at most ${MAX_ID} characters`)
    }
    const kept = await store.listPush(owner, tenant, taskId)
    if (kept.length >= limits.pushConfigs && !kept.some((config) => config.id === id)) {
      throw new A2AError('INVALID_PARAMS', `At most ${limits.pushConfigs} push configs a task`)
    }
  }

  async #own(taskId: string, { caller, tenant }: CallContext): Promise<void> {
    const task = await this.#options.tasks.read(taskId, caller.owner, tenant)
    if (task === undefined) throw new A2AError('TASK_NOT_FOUND')
  }

  async #all(taskId: string, context: CallContext): Promise<readonly StoredPush[]> {
    await this.#own(taskId, context)
    return this.#options.store.listPush(context.caller.owner, context.tenant, taskId)
  }

  #delivery(): PushDelivery {
    if (this.#options.delivery === undefined) throw new A2AError('PUSH_NOTIFICATION_NOT_SUPPORTED')
    return this.#options.delivery
  }
}

const isSettled = (state: TaskState): boolean => isTerminal(state) || isInterrupted(state)

const shown = ({ legacy: _, ...config }: StoredPush): PushConfig => config
