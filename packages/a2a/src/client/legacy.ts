/**
 * Speaking 0.3 to an agent that knows nothing newer (spec a2a 2.12): params of 1.0 as those of 0.3, results of 0.3 as
 * those of 1.0. The other direction of `legacy-shape.ts`, on its shapes.
 */

import { A2AError } from '../errors.js'
import { fromLegacyPush, fromLegacySend, toLegacyPush, toLegacyResult } from '../legacy-shape.js'
import type { Json, JsonRecord, Message, PushConfig } from '../model.js'
import type { OperationName } from '../operations.js'
import { isRecord } from '../read-fields.js'
import { compact } from '../read-message.js'
import { AgentError, invalidAnswer } from './errors.js'

interface LegacyCall {
  readonly method: string
  params(params: JsonRecord): JsonRecord
  /** Of a result, or of every event of a stream. */
  result(result: unknown): unknown
}

const same = (params: JsonRecord): JsonRecord => params
const push = (result: unknown): unknown => fromConfig(result)
const configId = ({ taskId, id }: JsonRecord): JsonRecord =>
  compact({ id: taskId, pushNotificationConfigId: id })

const CALLS: Readonly<Partial<Record<OperationName, LegacyCall>>> = {
  SendMessage: { method: 'message/send', params: toSend, result: fromResult },
  SendStreamingMessage: { method: 'message/stream', params: toSend, result: fromLegacyEvent },
  GetTask: { method: 'tasks/get', params: same, result: (task) => fromTask(record(task)) },
  CancelTask: { method: 'tasks/cancel', params: same, result: (task) => fromTask(record(task)) },
  SubscribeToTask: { method: 'tasks/resubscribe', params: same, result: fromLegacyEvent },
  CreateTaskPushNotificationConfig: {
    method: 'tasks/pushNotificationConfig/set',
    params: (params) => toLegacyPush(params as Json as PushConfig & Json),
    result: push,
  },
  GetTaskPushNotificationConfig: {
    method: 'tasks/pushNotificationConfig/get',
    params: configId,
    result: push,
  },
  ListTaskPushNotificationConfigs: {
    method: 'tasks/pushNotificationConfig/list',
    params: ({ taskId }) => compact({ id: taskId }),
    result: (result) => ({ configs: Array.isArray(result) ? result.map(fromConfig) : [], nextPageToken: '' }),
  },
  DeleteTaskPushNotificationConfig: {
    method: 'tasks/pushNotificationConfig/delete',
    params: configId,
    result: () => null,
  },
  GetExtendedAgentCard: {
    method: 'agent/getAuthenticatedExtendedCard',
    params: () => ({}),
    // Read, and verified, as it was sent.
    result: record,
  },
}

/** @throws AgentError UNSUPPORTED_OPERATION for what 0.3 does not have: ListTasks */
export function legacyCall(operation: OperationName): LegacyCall {
  const call = CALLS[operation]
  if (call !== undefined) return call
  throw new AgentError('UNSUPPORTED_OPERATION', `${operation} does not exist in A2A 0.3`, { isUnsent: true })
}

function toSend({ message, configuration, metadata }: JsonRecord): JsonRecord {
  const { returnImmediately, taskPushNotificationConfig, ...rest } = isRecord(configuration)
    ? configuration
    : {}
  const config = isRecord(taskPushNotificationConfig)
    ? toLegacyPush(taskPushNotificationConfig as Json as PushConfig & Json).pushNotificationConfig
    : undefined
  return compact({
    message: toLegacyResult({ message: message as Json as Message & Json }),
    configuration: compact({ blocking: returnImmediately !== true, pushNotificationConfig: config, ...rest }),
    metadata,
  })
}

/** A bare Task or Message. */
function fromResult(value: unknown): JsonRecord {
  const { kind, ...result } = record(value)
  if (kind === 'task') return { task: fromTask(result) }
  if (kind === 'message') return { message: fromMessage(result) }
  throw invalidAnswer('the result is neither a task nor a message')
}

/** A bare task, message or update. @throws AgentError INVALID_AGENT_RESPONSE */
export function fromLegacyEvent(value: unknown): JsonRecord {
  const { kind, ...event } = record(value)
  if (kind === 'status-update') {
    const { final: _final, status, ...update } = event
    return { statusUpdate: { ...update, status: fromStatus(record(status)) } }
  }
  if (kind !== 'artifact-update') return fromResult(value)
  const { artifact, append, lastChunk, ...update } = event
  const chunk = { ...update, artifact: fromArtifact(record(artifact)) }
  return {
    artifactUpdate: {
      ...chunk,
      ...(append === true && { append }),
      ...(lastChunk === true && { lastChunk }),
    },
  }
}

function fromTask({ kind: _kind, status, artifacts, history, ...task }: JsonRecord): JsonRecord {
  return compact({
    ...task,
    status: fromStatus(record(status)),
    artifacts: Array.isArray(artifacts) ? artifacts.map((item) => fromArtifact(record(item))) : undefined,
    history: Array.isArray(history) ? history.map((item) => fromMessage(record(item))) : undefined,
  })
}

/** `input-required` is `TASK_STATE_INPUT_REQUIRED`; `unknown` is none. */
function fromStatus({ state, message, ...status }: JsonRecord): JsonRecord {
  const name = `TASK_STATE_${String(state).toUpperCase().replaceAll('-', '_')}`
  return compact({ ...status, state: name, message: isRecord(message) ? fromMessage(message) : undefined })
}

function fromMessage({ kind: _kind, ...message }: JsonRecord): JsonRecord {
  const read = lenient(() => fromLegacySend({ message }).message)
  return record(read)
}

function fromArtifact(artifact: JsonRecord): JsonRecord {
  return compact({ ...artifact, parts: fromMessage({ role: 'agent', parts: artifact.parts }).parts })
}

function fromConfig(value: unknown): JsonRecord {
  const { taskId, pushNotificationConfig: config } = record(value)
  return fromLegacyPush(isRecord(config) ? config : {}, taskId)
}

function record(value: unknown): JsonRecord {
  if (isRecord(value)) return value
  throw invalidAnswer('the answer is no object')
}

/** The shapes are checked as a request's are; here it is the answer that has the fault. */
function lenient<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (A2AError.is(error)) throw invalidAnswer(error.message)
    throw error
  }
}
