/**
 * What an agent answered, as far as it can be relied on (spec a2a 2.4): ids, states and parts have their shapes; unknown
 * members are left as they are. Anything else is INVALID_AGENT_RESPONSE.
 */
import type {
  Json,
  JsonRecord,
  ListTasksResponse,
  Message,
  PushConfig,
  SendMessageResponse,
  StreamResponse,
  Task,
} from '../model.js'
import { isRecord } from '../read-fields.js'
import { invalidAnswer } from './errors.js'

const STATES = [
  'TASK_STATE_SUBMITTED',
  'TASK_STATE_WORKING',
  'TASK_STATE_INPUT_REQUIRED',
  'TASK_STATE_AUTH_REQUIRED',
  'TASK_STATE_COMPLETED',
  'TASK_STATE_FAILED',
  'TASK_STATE_CANCELED',
  'TASK_STATE_REJECTED',
]
const CONTENT = ['text', 'raw', 'url', 'data']

export function checkTask(value: unknown): Task {
  const task = record(value, 'a task')
  text(task.id, 'the id of a task')
  if (task.contextId !== undefined) text(task.contextId, 'the context of a task')
  checkStatus(task.status)
  for (const artifact of list(task.artifacts, 'artifacts')) checkArtifact(artifact)
  for (const message of list(task.history, 'history')) checkMessage(message)
  return { contextId: '', ...task } as Json as Task & Json
}

function checkMessage(value: unknown): Message {
  const message = record(value, 'a message')
  if (message.messageId !== undefined) text(message.messageId, 'the id of a message')
  checkParts(message.parts)
  return message as Json as Message & Json
}

export function checkSendResult(value: unknown): SendMessageResponse {
  const result = record(value, 'a result')
  if (result.task !== undefined) return { task: checkTask(result.task) }
  if (result.message !== undefined) return { message: checkMessage(result.message) }
  throw invalidAnswer('the result is neither a task nor a message')
}

export function checkEvent(value: unknown): StreamResponse {
  const event = record(value, 'an event')
  if (event.statusUpdate !== undefined) {
    const update = record(event.statusUpdate, 'a status update')
    text(update.taskId, 'the task of a status update')
    checkStatus(update.status)
    return event as Json as StreamResponse & Json
  }
  if (event.artifactUpdate !== undefined) {
    const update = record(event.artifactUpdate, 'an artifact update')
    text(update.taskId, 'the task of an artifact update')
    checkArtifact(update.artifact)
    return event as Json as StreamResponse & Json
  }
  return checkSendResult(value)
}

export function checkList(value: unknown): ListTasksResponse {
  const page = record(value, 'a page of tasks')
  const tasks = list(page.tasks, 'tasks').map(checkTask)
  const { nextPageToken = '', pageSize = tasks.length, totalSize = tasks.length } = page
  return {
    tasks,
    nextPageToken: String(nextPageToken),
    pageSize: Number(pageSize),
    totalSize: Number(totalSize),
  }
}

export function checkPush(value: unknown): PushConfig {
  const config = record(value, 'a push configuration')
  text(config.url, 'the URL of a push configuration')
  return config as Json as PushConfig & Json
}

export function checkPushes(value: unknown): {
  readonly configs: readonly PushConfig[]
  readonly nextPageToken: string
} {
  const page = record(value, 'a page of push configurations')
  return {
    configs: list(page.configs, 'configs').map(checkPush),
    nextPageToken: String(page.nextPageToken ?? ''),
  }
}

function checkStatus(value: unknown): void {
  const status = record(value, 'the status of a task')
  if (!STATES.includes(String(status.state)))
    throw invalidAnswer('the state of a task is none of the protocol')
  if (status.message !== undefined && status.message !== null) checkMessage(status.message)
}

function checkArtifact(value: unknown): void {
  const artifact = record(value, 'an artifact')
  text(artifact.artifactId, 'the id of an artifact')
  checkParts(artifact.parts)
}

function checkParts(value: unknown): void {
  for (const part of list(value, 'parts')) {
    const known = record(part, 'a part')
    const wrong = CONTENT.find(
      (name) => name !== 'data' && known[name] !== undefined && typeof known[name] !== 'string',
    )
    if (wrong !== undefined) throw invalidAnswer(`the ${wrong} of a part is no text`)
  }
}

function record(value: unknown, what: string): JsonRecord {
  if (isRecord(value)) return value
  throw invalidAnswer(`${what} is no object`)
}

/** Absent is empty, as protobuf has it. */
function list(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) return value
  throw invalidAnswer(`${what} is no array`)
}

function text(value: unknown, what: string): void {
  if (typeof value !== 'string' || value === '') throw invalidAnswer(`${what} is missing`)
}
