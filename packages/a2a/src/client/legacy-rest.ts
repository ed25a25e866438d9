/**
 * HTTP+JSON of 0.3 (spec a2a 2.1, 2.12), as a client speaks it: the paths below `/v1`, and the ProtoJSON of the 0.3
 * proto. The other direction of `legacy-proto.ts`, on its shapes.
 */
import { fromProtoMessage, fromProtoPart, fromProtoPush, toProtoPush, toProtoSend } from '../legacy-proto.js'
import type { Json, JsonRecord, PushConfig, SendMessageRequest } from '../model.js'
import type { OperationName } from '../operations.js'
import { isRecord } from '../read-fields.js'
import { compact } from '../read-message.js'
import { AgentError, invalidAnswer } from './errors.js'

/** Body of a call with params of 1.0, where it is not that of 1.0. @throws AgentError UNSUPPORTED_OPERATION for ListTasks */
export function toLegacyBody(operation: OperationName, params: JsonRecord): JsonRecord | undefined {
  switch (operation) {
    case 'SendMessage':
    case 'SendStreamingMessage':
      return toProtoSend(params as Json as SendMessageRequest & Json)
    case 'CreateTaskPushNotificationConfig':
      return toProtoPush(params as Json as PushConfig & Json)
    case 'ListTasks':
      throw new AgentError('UNSUPPORTED_OPERATION', `${operation} does not exist in A2A 0.3`, {
        isUnsent: true,
      })
    default:
      return undefined
  }
}

/** A result, or one event of a stream, as that of 1.0. */
export function fromLegacyAnswer(operation: OperationName, answer: unknown): unknown {
  switch (operation) {
    case 'SendMessage':
      return fromResult(record(answer))
    case 'SendStreamingMessage':
    case 'SubscribeToTask':
      return fromEvent(record(answer))
    case 'GetTask':
    case 'CancelTask':
      return fromTask(record(answer))
    case 'CreateTaskPushNotificationConfig':
    case 'GetTaskPushNotificationConfig':
      return fromConfig(answer)
    case 'ListTaskPushNotificationConfigs': {
      const { configs } = record(answer ?? {})
      return { configs: Array.isArray(configs) ? configs.map(fromConfig) : [], nextPageToken: '' }
    }
    // A card is read, and verified, as it was sent.
    default:
      return answer
  }
}

/** The one that is there; `msg` is how the proto calls a message. */
function fromResult({ task, message, msg = message }: JsonRecord): JsonRecord {
  if (isRecord(task)) return { task: fromTask(task) }
  if (isRecord(msg)) return { message: fromProtoMessage(msg) }
  throw invalidAnswer('the result is neither a task nor a message')
}

function fromEvent(event: JsonRecord): JsonRecord {
  const { statusUpdate, artifactUpdate } = event
  if (isRecord(statusUpdate)) {
    const { final: _final, status, ...update } = statusUpdate
    return { statusUpdate: { ...update, status: fromStatus(record(status)) } }
  }
  if (!isRecord(artifactUpdate)) return fromResult(event)
  const { artifact, append, lastChunk, ...update } = artifactUpdate
  return {
    artifactUpdate: {
      ...update,
      artifact: fromArtifact(record(artifact)),
      ...(append === true && { append }),
      ...(lastChunk === true && { lastChunk }),
    },
  }
}

function fromTask({ status, artifacts, history, ...task }: JsonRecord): JsonRecord {
  return compact({
    ...task,
    status: fromStatus(record(status)),
    artifacts: Array.isArray(artifacts) ? artifacts.map((item) => fromArtifact(record(item))) : undefined,
    history: Array.isArray(history) ? history.map((item) => fromProtoMessage(record(item))) : undefined,
  })
}

function fromStatus({ state, message, update = message, ...status }: JsonRecord): JsonRecord {
  const name = state === 'TASK_STATE_CANCELLED' ? 'TASK_STATE_CANCELED' : state
  return compact({ ...status, state: name, message: isRecord(update) ? fromProtoMessage(update) : undefined })
}

const fromArtifact = (artifact: JsonRecord): JsonRecord => ({
  ...artifact,
  parts: Array.isArray(artifact.parts) ? artifact.parts.map(fromProtoPart) : [],
})

/** The resource name holds the task, and the id where the config does not. */
function fromConfig(value: unknown): JsonRecord {
  const { name, ...body } = record(value)
  const [, taskId, id] = /^tasks\/([^/]+)\/pushNotificationConfigs\/([^/]*)$/.exec(String(name)) ?? []
  const config = fromProtoPush(body, taskId)
  return { ...config, id: config.id ?? id ?? '' }
}

function record(value: unknown): JsonRecord {
  if (isRecord(value)) return value
  throw invalidAnswer('the answer is no object')
}
