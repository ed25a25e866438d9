/** The push operations (spec a2a 2.1, 2.11, 7.2): who may, and how many. */
import type { CallContext } from '../engine.js'
import { A2AError } from '../errors.js'
import type { Limits } from '../limits.js'
import type { PushConfig } from '../model.js'
import type { PushDelivery } from '../push.js'
import type { StoredPush, TaskStore } from '../task-store.js'
import type { LiveTask } from './live-task.js'
import type { LiveTasks } from './live-tasks.js'
import { Notices } from './notices.js'
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
  readonly #puts = new Set<Promise<unknown>>()

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
    const { tasks, store } = this.#options
    const made = this.#made(config, version)
    const put = (): Promise<void> => store.putPush(caller.owner, tenant, made)
    // Not within a write, which would not tell it of what it writes.
    const live = tasks.find(taskId)
    if (live !== undefined) this.#noticesOf(live)
    await (live === undefined ? put() : tasks.between(live, put))
    const loaded = tasks.find(taskId)
    if (loaded !== undefined) this.#noticesOf(loaded)
    return shown(made)
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

  /** An inline config, which is checked already: in the store with the first write for its turn. */
  keep(turn: Turn, config: PushConfig): void {
    const { store, tasks, report } = this.#options
    const { live, context } = turn
    const notices = this.#noticesOf(live)
    if (notices === undefined) return
    notices.keep(turn, this.#made({ ...config, taskId: live.id }, context.version))
    const put = async (): Promise<void> => {
      const taken = notices.take(turn)
      if (taken !== undefined && live.isStored) await store.putPush(live.owner, live.tenant, taken)
    }
    // A turn that waits for another is in no write yet, but its caller has an answer.
    turn.shown.promise.then(
      () => this.#track(tasks.between(live, put).catch(report)),
      () => void notices.take(turn),
    )
  }

  /** A task that came from the store: notified as before. */
  async watch(live: LiveTask): Promise<void> {
    if (this.#options.delivery === undefined) return
    const configs = await this.#options.store.listPush(live.owner, live.tenant, live.id)
    if (configs.length > 0) this.#noticesOf(live)
  }

  #noticesOf(live: LiveTask): Notices | undefined {
    const { delivery, store, report } = this.#options
    if (delivery === undefined) return undefined
    live.notices ??= new Notices(live, { delivery, store, report, track: (put) => this.#track(put) })
    return live.notices
  }

  #track(put: Promise<unknown>): void {
    this.#puts.add(put)
    void put.then(() => this.#puts.delete(put))
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.#puts)
    await this.#options.delivery?.close()
  }

  #made(
    { id = this.#options.randomId(), ...config }: PushConfig & { readonly taskId: string },
    version: CallContext['version'],
  ): StoredPush {
    return { ...config, id, ...(version === '0.3' && { legacy: true }) }
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

const shown = ({ legacy: _, ...config }: StoredPush): PushConfig => config
