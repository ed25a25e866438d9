/** Tasks that a dead process left at work (spec a2a 7.9): executed again, or failed and said so. */
import type { CallContext } from '../engine.js'
import type { Executor } from '../executor.js'
import type { TaskRecord, TaskStore } from '../task-store.js'
import type { Lanes } from './lanes.js'
import type { LiveTasks } from './live-tasks.js'
import { type Stamp, statusOf } from './status.js'
import { Turn } from './turn.js'

export interface RecoverOptions extends Stamp {
  readonly store: TaskStore
  readonly tasks: LiveTasks
  readonly lanes: Lanes
  readonly executor: Executor
  readonly report: (error: unknown) => void
}

export async function recoverTasks(options: RecoverOptions): Promise<{ resumed: number; failed: number }> {
  const { store, tasks, lanes, executor, report } = options
  let resumed = 0
  let failed = 0
  for (const record of await store.open()) {
    const message = messageOf(record)
    const again =
      message !== undefined &&
      record.task.status.state === 'TASK_STATE_WORKING' &&
      (await Promise.resolve(executor.recover?.(record.task)).catch(report)) === true
    const live = await tasks.adopt(record)
    if (again) {
      resumed++
      lanes.start(
        new Turn({ live, request: { message }, context: contextOf(record), first: true, recovered: true }),
      )
    } else {
      failed++
      const metadata = { reason: 'interrupted' }
      const message = 'The agent was restarted before this task was done'
      const status = statusOf(live, { state: 'TASK_STATE_FAILED', message, metadata }, options)
      await tasks.move(live, { status })
    }
  }
  return { resumed, failed }
}

/** What was worked on: the message that was held, else the caller's last. */
function messageOf({ task, held }: TaskRecord) {
  const history = task.history ?? []
  return (
    history.find(({ messageId }) => messageId === held?.messageId) ??
    history.findLast(({ role }) => role === 'ROLE_USER')
  )
}

/** Who called is known; how is not any more. */
const contextOf = ({ owner, tenant }: TaskRecord): CallContext => ({
  caller: { owner, anonymous: owner === 'anonymous' },
  tenant,
  version: '1.0',
  carrier: 'jsonrpc',
  extensions: new Set(),
  activate() {},
})
