/**
 * The way of one turn: admission, execution, ending (spec a2a 2.5, 4, 7.6, 7.8). Once an execution has begun, every way
 * out of it is a state of the task.
 */
import type { Admission, Admit } from '../admission.js'
import { A2AError } from '../errors.js'
import type { Ending } from '../executor.js'
import { isInterrupted, isTerminal, type JsonRecord, type Message, type TaskState } from '../model.js'
import type { TaskRecord } from '../task-store.js'
import { shuttingDown, taskEnded } from './lanes.js'
import { type Ended, hasFinished, type PerformOptions, perform } from './perform.js'
import {
  agentMessage,
  EXECUTION_FAILED,
  mergeMetadata,
  type Outcome,
  readEnding,
  STOPPED,
  statusOf,
} from './status.js'
import type { Turn } from './turn.js'
import { within } from './within.js'

export interface RunOptions extends PerformOptions {
  readonly admit: Admit | undefined
  readonly report: (error: unknown, errorId?: string) => void
  /** A direct reply, before its caller sees it. */
  readonly replied: (turn: Turn, reply: Message) => Promise<void>
}

type Admitted = Extract<Admission, { kind: 'run' }>
type CompleteAs = Parameters<NonNullable<Admitted['complete']>>[0]

/** For what admission has to say about an end; a caller that cancels waits for less. */
const COMPLETE_MS = 10_000
const COMPLETE_CANCELED_MS = 300

const FREE: Admitted = { kind: 'run' }

/** @throws A2AError while nothing is executed: the task is as it was */
export async function runTurn(turn: Turn, options: RunOptions): Promise<void> {
  const { live, request, context } = turn
  const resumed = live.held?.resumed ?? !turn.first
  if (turn.recovered) {
    turn.shown.resolve()
    return execute(turn, FREE, live.held?.resumed ?? false, placed(turn), options)
  }
  const admission =
    options.admit === undefined ? FREE : await options.admit(request, context, live.snapshot())
  if (admission.kind === 'run') {
    const held = live.history.find(({ messageId }) => messageId === live.held?.messageId)
    return begin(turn, admission, resumed, held ?? placed(turn), options)
  }
  const { message, metadata } = admission
  if (admission.kind === 'end') {
    const state = admission.state === 'failed' ? 'TASK_STATE_FAILED' : 'TASK_STATE_REJECTED'
    return settle(turn, { state, message, metadata }, options, { message: said(turn) })
  }
  const held = live.held ?? { messageId: request.message.messageId, resumed }
  const outcome: Outcome = { state: 'TASK_STATE_INPUT_REQUIRED', message, metadata }
  return settle(turn, outcome, options, { message: said(turn), held })
}

/** WORKING is in the store, with the message in its history, before any work is done for it. */
async function begin(
  turn: Turn,
  admission: Admitted,
  resumed: boolean,
  message: Message,
  options: RunOptions,
): Promise<void> {
  const { live, request } = turn
  if (turn.stop === 'canceled') return end(turn, admission, STOPPED.canceled, options, said(turn))
  const { metadata } = admission
  const status = statusOf(live, { state: 'TASK_STATE_WORKING', ...(metadata && { metadata }) }, options)
  const transition = { status, turn, held: live.held, message: said(turn) }
  const mayReply = options.executor.directReply === true && request.configuration?.returnImmediately !== true
  if (mayReply && !live.isStored) live.move(transition)
  else {
    try {
      if (!(await options.tasks.move(live, transition))) throw taskEnded()
    } catch (error) {
      await complete(admission, 'failed', COMPLETE_MS, options)
      throw error
    }
    turn.shown.resolve()
  }
  return execute(turn, admission, resumed, message, options)
}

async function execute(
  turn: Turn,
  admission: Admitted,
  resumed: boolean,
  message: Message,
  options: RunOptions,
): Promise<void> {
  const ended = await perform({ turn, message, resumed, metadata: admission.metadata }, options)
  // The task stays WORKING in the store, for `recover`.
  if (turn.stop === 'shutdown' && !hasFinished(ended)) throw shuttingDown()
  const { live, stop } = turn
  const early = stop === 'deadline' || stop === 'overflow' || (stop === 'canceled' && !hasFinished(ended))
  if (early) return end(turn, admission, STOPPED[stop], options)
  const { ending, outcome } = endingOf(ended, options)
  const isHidden = !live.isStored && live.seq <= 1
  if (ending?.state === 'message' && isHidden) return reply(turn, admission, ending, options)
  return end(turn, admission, outcome, options)
}

function endingOf(
  ended: Ended,
  options: RunOptions,
): { readonly ending?: Ending | undefined; readonly outcome: Outcome } {
  try {
    if ('error' in ended) throw ended.error
    const ending = 'ending' in ended ? ended.ending : undefined
    return { ending, outcome: readEnding(ending) }
  } catch (error) {
    const errorId = options.randomId()
    options.report(error, errorId)
    return { outcome: { state: 'TASK_STATE_FAILED', message: EXECUTION_FAILED, metadata: { errorId } } }
  }
}

/** The terminal or interrupted status, with what admission has to add to it. */
async function end(
  turn: Turn,
  admission: Admitted,
  outcome: Outcome,
  options: RunOptions,
  message?: Message,
): Promise<void> {
  const as = completeAs(outcome.state)
  const ms = as === 'canceled' ? COMPLETE_CANCELED_MS : COMPLETE_MS
  const added = await complete(admission, as, ms, options)
  const metadata = mergeMetadata(admission.metadata, outcome.metadata, added)
  await settle(turn, { ...outcome, ...(metadata && { metadata }) }, options, { message })
}

async function settle(
  turn: Turn,
  outcome: Outcome,
  options: RunOptions,
  more: { readonly message: Message | undefined; readonly held?: TaskRecord['held'] },
): Promise<void> {
  const { live } = turn
  const { tasks } = options
  const transition = { status: statusOf(live, outcome, options), turn, ...more }
  const moved = await tasks.move(live, transition, () => turn.refuse(new A2AError('INTERNAL')))
  const task = moved ? live.snapshot() : await tasks.read(live.id, live.owner, live.tenant)
  // Another process ended it, or it was evicted.
  if (task === undefined || (!moved && !isTerminal(task.status.state))) throw new A2AError('TASK_NOT_FOUND')
  turn.finish({ task })
}

async function reply(
  turn: Turn,
  admission: Admitted,
  ending: Extract<Ending, { state: 'message' }>,
  options: RunOptions,
): Promise<void> {
  const { contextId } = turn.live
  const added = await complete(admission, 'completed', COMPLETE_MS, options)
  const metadata = mergeMetadata(admission.metadata, ending.metadata, added)
  const message = agentMessage({ contextId }, ending.parts, metadata, options)
  await options.replied(turn, message)
  options.tasks.drop(turn.live)
  turn.live.endStreams()
  turn.finish({ message })
}

async function complete(
  admission: Admitted,
  as: CompleteAs,
  ms: number,
  { report }: RunOptions,
): Promise<JsonRecord | undefined> {
  if (admission.complete === undefined) return undefined
  try {
    return await within(admission.complete(as), ms)
  } catch (error) {
    report(error)
    return undefined
  }
}

const completeAs = (state: TaskState): CompleteAs => {
  if (state === 'TASK_STATE_CANCELED') return 'canceled'
  if (state === 'TASK_STATE_COMPLETED') return 'completed'
  return isInterrupted(state) ? 'interrupted' : 'failed'
}

/** What goes into the history: the first message of a task is there already. */
const said = (turn: Turn): Message | undefined => (turn.first ? undefined : placed(turn))

const placed = ({ live, request }: Turn): Message => ({
  ...request.message,
  taskId: live.id,
  contextId: live.contextId,
})
