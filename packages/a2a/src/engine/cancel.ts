/**
 * Cancel (spec a2a 2.5, 7.8): the executor is told, given a moment, and not waited for beyond it. The answer is out
 * within 2 s; against a completion the first terminal write wins.
 */
import { A2AError } from '../errors.js'
import type { Executor } from '../executor.js'
import type { Limits } from '../limits.js'
import type { Task } from '../model.js'
import type { Lanes } from './lanes.js'
import type { LiveTask } from './live-task.js'
import type { LiveTasks } from './live-tasks.js'
import { STOPPED, type Stamp, statusOf } from './status.js'
import type { Turn } from './turn.js'
import { within } from './within.js'

export interface CancelOptions extends Stamp {
  readonly tasks: LiveTasks
  readonly lanes: Lanes
  readonly limits: Limits
  readonly executor: Executor
}

/** @throws A2AError TASK_NOT_CANCELABLE. A second cancel joins the first. */
export async function cancelTask(live: LiveTask, options: CancelOptions): Promise<Task> {
  live.canceling ??= cancelNow(live, options).finally(() => {
    live.canceling = undefined
  })
  await live.canceling
  const task = live.terminal ? live.snapshot() : await options.tasks.read(live.id, live.owner, live.tenant)
  if (task?.status.state === 'TASK_STATE_CANCELED') return task
  throw new A2AError('TASK_NOT_CANCELABLE')
}

async function cancelNow(live: LiveTask, options: CancelOptions): Promise<void> {
  const { tasks, lanes, limits } = options
  const until = performance.now() + limits.cancelMs
  while (!live.terminal) {
    const { turn } = live
    if (turn !== undefined) {
      await stopTurn(turn, Math.max(0, until - performance.now()), options.executor.cancelable !== false)
      continue
    }
    live.busy = true
    try {
      // What it waited for is still said, such as a payment.
      const { metadata } = live.status.message ?? {}
      const outcome = { ...STOPPED.canceled, ...(metadata && { metadata }) }
      if (!(await tasks.move(live, { status: statusOf(live, outcome, options) }))) return
    } finally {
      lanes.next(live)
    }
  }
}

/** For the store, once the executor is not waited for. */
const WRITE_MS = 400

/** Resolves when the turn has left the task's lane. */
async function stopTurn(turn: Turn, ms: number, cancelable: boolean): Promise<void> {
  if (turn.working && !cancelable) throw new A2AError('TASK_NOT_CANCELABLE')
  if (turn.working) turn.abort('canceled')
  else turn.stop ??= 'canceled'
  const ended = await within(turn.ended.promise, ms).then(
    () => true,
    () => false,
  )
  if (ended) return
  if (turn.executed) {
    turn.cut('canceled')
    return within(turn.ended.promise, WRITE_MS).catch(() => {
      throw new A2AError('TASK_NOT_CANCELABLE', 'The task cannot be canceled at this moment')
    })
  }
  if (turn.stop === 'canceled') turn.stop = undefined
  throw new A2AError('TASK_NOT_CANCELABLE', 'The task cannot be canceled at this moment')
}
