/**
 * From a request to a turn (spec a2a 2.5, 7.4 to 7.6): is it a repeat, whose task and context are meant, is there room.
 * The message id is set before anything is done for it, and forgotten again when it is refused.
 */
import type { CallContext } from '../engine.js'
import { A2AError } from '../errors.js'
import type { Executor } from '../executor.js'
import type { Limits } from '../limits.js'
import type { Message, SendMessageRequest, Task } from '../model.js'
import type { OnceRecord, TaskStore } from '../task-store.js'
import { type Lanes, taskEnded } from './lanes.js'
import type { LiveTask } from './live-task.js'
import type { LiveTasks } from './live-tasks.js'
import { contextKey, onceKey, ownerHash, requestHash } from './once.js'
import type { PushConfigs } from './push-configs.js'
import type { Slots } from './slots.js'
import type { Stamp } from './status.js'
import { statusOf } from './status.js'
import { Turn } from './turn.js'

/** A turn that is under way, or what an earlier one led to. */
export type Accepted =
  | { readonly turn: Turn }
  | { readonly task: Task; readonly seq: number }
  | { readonly message: Message }

export interface AcceptOptions extends Stamp {
  readonly store: TaskStore
  readonly tasks: LiveTasks
  readonly lanes: Lanes
  readonly slots: Slots
  readonly push: PushConfigs
  readonly limits: Limits
  readonly executor: Executor
  readonly report: (error: unknown) => void
}

interface Flight {
  readonly hash: string
  readonly accepted: Promise<Accepted>
}

export class Acceptor {
  readonly #options: AcceptOptions
  readonly #flights = new Map<string, Flight>()
  readonly #direct: boolean

  constructor(options: AcceptOptions) {
    this.#options = options
    this.#direct = options.executor.directReply === true
  }

  /** `before` sees the turn before its first update; not for a repeat. */
  async accept(
    request: SendMessageRequest,
    context: CallContext,
    before: (turn: Turn) => void = () => {},
  ): Promise<Accepted> {
    const key = onceKey(request, context)
    if (key === undefined) return { turn: await this.#begin(request, context, before) }
    const hash = requestHash(request)
    const flight = this.#flights.get(key)
    if (flight !== undefined) {
      if (flight.hash !== hash) throw otherRequest()
      return flight.accepted
    }
    const accepted = this.#first(key, hash, request, context, before)
    this.#flights.set(key, { hash, accepted })
    const land = (): void => void this.#flights.delete(key)
    accepted.then((found) => ('turn' in found ? found.turn.outcome.promise.then(land, land) : land()), land)
    return accepted
  }

  /** A direct reply: there is no task that would tell a repeat. */
  async remember(turn: Turn, reply: Message): Promise<void> {
    if (turn.onceKey === undefined) return
    const { store, limits, now } = this.#options
    await store.finishOnce(turn.onceKey, {
      hash: requestHash(turn.request),
      taskId: '',
      owner: ownerHash(turn.live.owner, turn.live.tenant),
      result: JSON.stringify(reply),
      expiresAt: now() + limits.onceMs,
    })
  }

  async #first(
    key: string,
    hash: string,
    request: SendMessageRequest,
    context: CallContext,
    before: (turn: Turn) => void,
  ): Promise<Accepted> {
    const { store, limits, now, randomId, report } = this.#options
    const expiresAt = now() + limits.onceMs
    const owner = ownerHash(context.caller.owner, context.tenant)
    const record = { hash, taskId: request.message.taskId ?? randomId(), expiresAt, owner }
    const prior = await store.once(key, record)
    if (prior !== undefined) {
      if (prior.hash !== hash) throw otherRequest()
      const earlier = await this.#earlier(prior, request, context)
      if (earlier !== undefined) return earlier
    }
    const forget = (): Promise<void> => store.dropOnce(key).catch(report)
    try {
      const turn = await this.#begin(request, context, before, {
        key,
        taskId: prior?.taskId ?? record.taskId,
      })
      turn.outcome.promise.catch(() => {
        if (!turn.executed) return forget()
      })
      return { turn }
    } catch (error) {
      await forget()
      throw error
    }
  }

  /** Undefined when a process died before anything was done for the message. */
  async #earlier(
    prior: OnceRecord,
    { message }: SendMessageRequest,
    { caller, tenant }: CallContext,
  ): Promise<Accepted | undefined> {
    if (prior.result !== undefined) {
      const reply: Message = JSON.parse(prior.result)
      return { message: reply }
    }
    const live = await this.#options.tasks.acquire(prior.taskId, caller.owner, tenant)
    if (live === undefined) return undefined
    const isTaken =
      message.taskId === undefined || live.history.some(({ messageId }) => messageId === message.messageId)
    if (!isTaken) return undefined
    const { turn } = live
    return turn?.request.message.messageId === message.messageId
      ? { turn }
      : { task: live.snapshot(), seq: live.seq }
  }

  async #begin(
    request: SendMessageRequest,
    context: CallContext,
    before: (turn: Turn) => void,
    once?: { readonly key: string; readonly taskId: string },
  ): Promise<Turn> {
    const { lanes, slots, push, tasks, randomId } = this.#options
    const { caller, peer } = context
    const config = request.configuration?.taskPushNotificationConfig
    if (config !== undefined) await push.check(config, request.message.taskId, context)
    await this.#checkReferences(request, context)
    const release = slots.take(caller, peer)
    const first = request.message.taskId === undefined
    let live: LiveTask | undefined
    try {
      live = first
        ? await this.#create(request, context, once?.taskId ?? randomId())
        : await this.#find(request, context)
      const turn = new Turn({ live, request, context, first, release, ...(once && { onceKey: once.key }) })
      if (config !== undefined) push.keep(turn, config)
      before(turn)
      lanes.start(turn)
      return turn
    } catch (error) {
      release()
      if (first && live !== undefined) tasks.drop(live)
      throw error
    }
  }

  async #create(request: SendMessageRequest, context: CallContext, id: string): Promise<LiveTask> {
    const { store, tasks, limits, randomId } = this.#options
    const { caller, tenant } = context
    const cap = caller.anonymous ? limits.tasksAnonymous : limits.tasksPerOwner
    if ((await store.count(caller.owner, tenant)) >= cap) {
      throw new A2AError('RATE_LIMITED', 'Too many tasks are kept', { retryAfterSeconds: 60 })
    }
    const contextId = request.message.contextId ?? randomId()
    if (request.message.contextId !== undefined || this.#direct) await this.#claim(contextId, context)
    const status = statusOf({ id, contextId }, { state: 'TASK_STATE_SUBMITTED' }, this.#options)
    const message = { ...request.message, taskId: id, contextId }
    return tasks.add({ id, contextId, status, history: [message] }, caller.owner, tenant)
  }

  async #find({ message }: SendMessageRequest, { caller, tenant }: CallContext): Promise<LiveTask> {
    const { tasks, limits } = this.#options
    const live = await tasks.acquire(message.taskId ?? '', caller.owner, tenant)
    if (live === undefined) throw new A2AError('TASK_NOT_FOUND')
    if (message.contextId !== undefined && message.contextId !== live.contextId) {
      const violations = [{ field: 'message.contextId', description: 'Not the context of this task' }]
      throw new A2AError('INVALID_PARAMS', 'The task belongs to another context', { violations })
    }
    if (live.terminal) throw taskEnded()
    if (live.waiting.length >= limits.queuedMessages) {
      throw new A2AError('RATE_LIMITED', 'Too many messages wait for this task', { retryAfterSeconds: 1 })
    }
    return live
  }

  /** A context belongs to whoever used it first. */
  async #claim(contextId: string, { caller, tenant }: CallContext): Promise<void> {
    const { store, limits, now } = this.#options
    const found = await store.contextOwner(contextId)
    const hash = ownerHash(caller.owner, tenant)
    const expiresAt = now() + limits.taskTtlMs
    const kept =
      found === undefined
        ? await store.once(contextKey(contextId), { hash, taskId: '', expiresAt, owner: hash })
        : undefined
    const foreign =
      found === undefined ? kept && kept.hash !== hash : ownerHash(found.owner, found.tenant) !== hash
    if (foreign) throw new A2AError('TASK_NOT_FOUND')
  }

  async #checkReferences({ message }: SendMessageRequest, { caller, tenant }: CallContext): Promise<void> {
    for (const id of message.referenceTaskIds ?? []) {
      const task = await this.#options.tasks.read(id, caller.owner, tenant)
      if (task === undefined) throw new A2AError('TASK_NOT_FOUND')
    }
  }
}

const otherRequest = (): A2AError =>
  new A2AError('INVALID_PARAMS', 'This messageId was used for another message', {
    violations: [{ field: 'message.messageId', description: 'Already used for another message' }],
  })
