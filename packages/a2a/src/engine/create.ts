/**
 * The engine (spec a2a 2.1): every operation of A2A over one executor, one store, and what is between them. Everything
 * that is not the caller's own looks exactly like what does not exist (7.5).
 */
import { randomUUID } from 'node:crypto'
import type { Admit } from '../admission.js'
import type { CallContext, Engine } from '../engine.js'
import { A2AError } from '../errors.js'
import type { Executor } from '../executor.js'
import { DEFAULT_LIMITS, type Limits } from '../limits.js'
import type { AgentCard, Message } from '../model.js'
import type { PushDelivery } from '../push.js'
import { memoryTaskStore } from '../store/memory.js'
import type { TaskStore } from '../task-store.js'
import { Acceptor } from './accept.js'
import { createBorder } from './border.js'
import { Lanes } from './lanes.js'
import { LiveTasks } from './live-tasks.js'
import { messageOperations } from './message-operations.js'
import { PushConfigs } from './push-configs.js'
import { recoverTasks } from './recover.js'
import { runTurn } from './run.js'
import { Slots } from './slots.js'
import { taskOperations } from './task-operations.js'
import type { Turn } from './turn.js'

export interface EngineOptions {
  readonly executor: Executor
  /** In memory unless given. It is closed with the engine. */
  readonly store?: TaskStore
  readonly admit?: Admit
  readonly push?: PushDelivery
  readonly limits?: Partial<Limits>
  /** ms of one execution; `limits.executionMs` otherwise. */
  readonly deadlineMs?: number
  /** `isolated` (default): a task is reached by its id only, nothing is listed. `shared`: one owner, all listed. */
  readonly anonymous?: 'isolated' | 'shared'
  readonly extendedCard?: (context: CallContext) => AgentCard | Promise<AgentCard>
  /** Streaming unless it is false. */
  readonly capabilities?: { readonly streaming: boolean }
  /** Media types: when given, others are CONTENT_TYPE_NOT_SUPPORTED. */
  readonly inputModes?: readonly string[]
  readonly outputModes?: readonly string[]
  /** ms since 1970 */
  readonly now?: () => number
  readonly randomId?: () => string
  /** What went wrong behind a generic text; `errorId` is what the caller was told, if anything. */
  readonly onError?: (error: unknown, errorId: string) => void
}

/** How long an interrupted task stays live without a reader, for those that resume a stream. */
const IDLE_MS = 60_000

export function createEngine(options: EngineOptions): Engine {
  let closed: Promise<void> | undefined
  const { executor, now = Date.now, randomId = randomUUID } = options
  const limits: Limits = {
    ...DEFAULT_LIMITS,
    ...options.limits,
    ...(options.deadlineMs !== undefined && { executionMs: options.deadlineMs }),
  }
  const store = options.store ?? memoryTaskStore({ now })
  const report = (error: unknown, errorId: string = randomId()): void => {
    try {
      options.onError?.(error, errorId)
    } catch {
      // An observer that throws changes nothing for the task.
    }
  }
  const { call, stream } = createBorder({ report, isClosed: () => closed !== undefined })
  const base = { store, limits, now, randomId, report, executor }

  const tasks = new LiveTasks({ ...base, loaded: (live) => push.watch(live) })
  const push = new PushConfigs({ ...base, tasks, delivery: options.push })
  const lanes = new Lanes({ tasks, report, run: (turn) => runTurn(turn, runOptions) })
  const acceptor = new Acceptor({ ...base, tasks, lanes, push, slots: new Slots(limits) })
  const runOptions = {
    ...base,
    tasks,
    admit: options.admit,
    replied: (turn: Turn, reply: Message) => acceptor.remember(turn, reply).catch(report),
  }

  const sweeping = setInterval(() => tasks.sweep(IDLE_MS), limits.snapshotMs).unref()
  const evicting = setInterval(() => {
    store.evict(now() - limits.taskTtlMs).catch(report)
  }, limits.evictionMs).unref()

  const parts = {
    ...base,
    tasks,
    lanes,
    acceptor,
    modes: { input: options.inputModes, output: options.outputModes },
    streaming: options.capabilities?.streaming !== false,
    listsAnonymous: options.anonymous === 'shared',
  }
  const messages = messageOperations(parts)
  const operations = taskOperations(parts)

  async function extendedCard(context: CallContext): Promise<AgentCard> {
    if (options.extendedCard === undefined) throw new A2AError('EXTENDED_AGENT_CARD_NOT_CONFIGURED')
    if (context.caller.anonymous) throw new A2AError('UNAUTHENTICATED')
    return options.extendedCard(context)
  }

  async function close(): Promise<void> {
    clearInterval(sweeping)
    clearInterval(evicting)
    await lanes.close(limits.cancelMs)
    await tasks.close()
    await push.close()
    await store.close()
  }

  return {
    send: call(messages.send),
    stream: stream(messages.stream),
    get: call(operations.get),
    list: call(operations.list),
    cancel: call(operations.cancel),
    subscribe: stream(operations.subscribe),
    createPush: call(push.create.bind(push)),
    getPush: call(push.get.bind(push)),
    listPush: call(push.list.bind(push)),
    deletePush: call(push.delete.bind(push)),
    extendedCard: call(extendedCard),
    recover: () => recoverTasks({ ...base, tasks, lanes }),
    close() {
      closed ??= close()
      return closed
    },
  }
}
