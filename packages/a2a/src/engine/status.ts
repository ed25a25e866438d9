/** The status that an execution ends with (spec a2a 2.5), from what its executor returned. */
import type { Ending } from '../executor.js'
import type { JsonRecord, Message, Part, TaskState, TaskStatus } from '../model.js'
import { isParts } from './execution.js'
import type { LiveTask } from './live-task.js'
import type { Stop } from './turn.js'

/** A status to be: its message gets an id when it is written. */
export interface Outcome {
  readonly state: TaskState
  readonly message?: string | readonly Part[]
  readonly metadata?: JsonRecord
}

export const EXECUTION_FAILED = 'The agent failed to complete this task'

/** Said where metadata needs a message to ride on and there is nothing else to say. */
const WORDS: Readonly<Record<TaskState, string>> = {
  TASK_STATE_SUBMITTED: 'Submitted',
  TASK_STATE_WORKING: 'Working',
  TASK_STATE_INPUT_REQUIRED: 'Input required',
  TASK_STATE_AUTH_REQUIRED: 'Authorization required',
  TASK_STATE_COMPLETED: 'Completed',
  TASK_STATE_FAILED: 'Failed',
  TASK_STATE_CANCELED: 'Canceled',
  TASK_STATE_REJECTED: 'Rejected',
}

const STATES = {
  completed: 'TASK_STATE_COMPLETED',
  'input-required': 'TASK_STATE_INPUT_REQUIRED',
  'auth-required': 'TASK_STATE_AUTH_REQUIRED',
  failed: 'TASK_STATE_FAILED',
  rejected: 'TASK_STATE_REJECTED',
  message: 'TASK_STATE_COMPLETED',
} as const satisfies Record<Ending['state'], TaskState>

/** @throws TypeError for what is no ending. */
export function readEnding(ending: Ending | undefined): Outcome {
  if (ending === undefined) return { state: 'TASK_STATE_COMPLETED' }
  const state = Object.hasOwn(STATES, ending.state) ? STATES[ending.state] : undefined
  if (state === undefined) throw new TypeError(`ending: unknown state ${String(ending.state)}`)
  const message = ending.state === 'message' ? ending.parts : ending.message
  if (message !== undefined && typeof message !== 'string' && !isParts(message)) {
    throw new TypeError('ending: expected a text or parts')
  }
  return {
    state,
    ...(message !== undefined && { message }),
    ...(ending.metadata && { metadata: ending.metadata }),
  }
}

/** An execution that was cut short. */
export const STOPPED: Readonly<Record<Exclude<Stop, 'shutdown'>, Outcome>> = {
  canceled: { state: 'TASK_STATE_CANCELED' },
  deadline: {
    state: 'TASK_STATE_FAILED',
    message: 'The agent did not finish in time',
    metadata: { reason: 'deadline' },
  },
  overflow: {
    state: 'TASK_STATE_FAILED',
    message: 'The result is larger than this agent may keep',
    metadata: { reason: 'artifact-limit' },
  },
}

export interface Stamp {
  readonly now: () => number
  readonly randomId: () => string
}

/** What its messages belong to. */
type Place = Pick<LiveTask, 'contextId'> & Partial<Pick<LiveTask, 'id'>>

export function statusOf(place: Place, { state, message, metadata }: Outcome, stamp: Stamp): TaskStatus {
  const timestamp = new Date(stamp.now()).toISOString()
  if (message === undefined && metadata === undefined) return { state, timestamp }
  const parts = typeof message === 'object' ? message : [{ text: message ?? WORDS[state] }]
  return { state, message: agentMessage(place, parts, metadata, stamp), timestamp }
}

export function mergeMetadata(...all: readonly (JsonRecord | undefined)[]): JsonRecord | undefined {
  const some = all.filter((one) => one !== undefined)
  return some.length === 0 ? undefined : Object.assign({}, ...some)
}

export const agentMessage = (
  place: Place,
  parts: readonly Part[],
  metadata: JsonRecord | undefined,
  stamp: Stamp,
): Message => ({
  messageId: stamp.randomId(),
  role: 'ROLE_AGENT',
  parts,
  contextId: place.contextId,
  ...(place.id !== undefined && { taskId: place.id }),
  ...(metadata && { metadata }),
})
