/** How a stream goes on after a loss (spec a2a 5): what to ask for, in the version that was spoken. */
import { isTerminal, type JsonRecord, type TaskState } from '../model.js'
import { isRecord } from '../read-fields.js'

export type Version = '1.0' | '0.3'

const METHODS = {
  '1.0': { subscribe: 'SubscribeToTask', get: 'GetTask' },
  '0.3': { subscribe: 'tasks/resubscribe', get: 'tasks/get' },
} as const

const LEGACY_TERMINAL = ['completed', 'failed', 'canceled', 'rejected']

export interface Recovery {
  /** The subscription; before a task is known, the request itself: its message id makes it the same message. */
  readonly subscribe: JsonRecord
  readonly get: JsonRecord | undefined
}

export function recovery(version: Version, envelope: JsonRecord, taskId: string | undefined): Recovery {
  const asked = envelope.params
  const own = isRecord(asked) && typeof asked.id === 'string' ? asked.id : undefined
  const id = taskId ?? own
  if (id === undefined) return { subscribe: envelope, get: undefined }
  const tenant = isRecord(asked) && asked.tenant !== undefined ? { tenant: asked.tenant } : {}
  const base = { jsonrpc: '2.0', id: envelope.id ?? null, params: { ...tenant, id } }
  const { subscribe, get } = METHODS[version]
  return { subscribe: { ...base, method: subscribe }, get: { ...base, method: get } }
}

/** The answer to `get` as a stream has it: 1.0 gives a bare task. */
export function asStreamed(answer: JsonRecord, version: Version): JsonRecord {
  return version === '1.0' && isRecord(answer.result)
    ? { ...answer, result: { task: answer.result } }
    : answer
}

/** The task that an envelope of a stream is about. */
export function taskIn({ result }: JsonRecord): string | undefined {
  if (!isRecord(result)) return undefined
  const update = result.statusUpdate ?? result.artifactUpdate ?? result
  if (isRecord(update) && typeof update.taskId === 'string') return update.taskId
  const task = isRecord(result.task) ? result.task : result.kind === 'task' ? result : undefined
  return typeof task?.id === 'string' ? task.id : undefined
}

/** Nothing comes behind it: an error, a direct message, or a terminal state. */
export function isOver({ result, error }: JsonRecord): boolean {
  if (error !== undefined) return true
  if (!isRecord(result)) return false
  if (result.message !== undefined || result.kind === 'message') return true
  const holder = [result.statusUpdate, result.task, result].find(
    (item) => isRecord(item) && isRecord(item.status),
  )
  const status = isRecord(holder) && isRecord(holder.status) ? holder.status : undefined
  const state = typeof status?.state === 'string' ? status.state : ''
  return isTerminal(state as TaskState) || LEGACY_TERMINAL.includes(state)
}
