/**
 * A2A 0.3 over JSON-RPC, shape by shape (spec a2a 2.12): `kind` names what an object is, parts are text, file or data,
 * roles and states are lower case. What comes in becomes the JSON of 1.0 and is checked there; what goes out is made
 * from it.
 */
import { A2AError } from './errors.js'
import type {
  Artifact,
  Json,
  JsonRecord,
  Message,
  Part,
  PushConfig,
  StreamResponse,
  Task,
  TaskState,
  TaskStatus,
} from './model.js'
import { isInterrupted, isTerminal } from './model.js'
import { isRecord } from './read-fields.js'
import { compact } from './read-message.js'

/** Data that is no object is wrapped as `{value}` and marked so, as the SDK does. */
const WRAPPED = 'data_part_compat'

/** Params of message/send and message/stream. Without `blocking` the call blocks (spec a2a 2.5). */
export function fromLegacySend(params: JsonRecord): JsonRecord {
  const { message, configuration } = params
  return compact({
    message: isRecord(message) ? fromLegacyMessage(message) : message,
    configuration: isRecord(configuration) ? fromLegacyConfiguration(configuration) : configuration,
    metadata: params.metadata,
  })
}

function fromLegacyConfiguration(configuration: JsonRecord): JsonRecord {
  const { blocking, pushNotificationConfig: push, acceptedOutputModes, historyLength } = configuration
  if (blocking !== undefined && blocking !== null && typeof blocking !== 'boolean')
    throw violation('configuration.blocking', 'must be true or false')
  return compact({
    acceptedOutputModes,
    historyLength,
    returnImmediately: blocking === false,
    taskPushNotificationConfig: isRecord(push) ? fromLegacyPush(push) : push,
  })
}

/** A nested config becomes the flat one; of several schemes the first stays. */
export function fromLegacyPush(config: JsonRecord, taskId?: Json): JsonRecord {
  const { id, url, token, authentication } = config
  return compact({
    taskId,
    id,
    url,
    token,
    authentication: isRecord(authentication) ? fromSchemes(authentication) : authentication,
  })
}

function fromSchemes({ schemes, scheme, credentials }: JsonRecord): JsonRecord {
  return compact({ scheme: Array.isArray(schemes) ? (schemes[0] as Json) : scheme, credentials })
}

function fromLegacyMessage(message: JsonRecord): JsonRecord {
  const { role, parts } = message
  if (role !== 'user' && role !== 'agent') throw violation('message.role', 'must be user or agent')
  return {
    ...message,
    role: role === 'user' ? 'ROLE_USER' : 'ROLE_AGENT',
    parts: Array.isArray(parts) ? parts.map((part, index) => fromLegacyPart(part, index)) : parts,
  }
}

function fromLegacyPart(part: Json, index: number): Json {
  const path = `message.parts[${index}]`
  if (!isRecord(part)) throw violation(path, 'must be an object')
  const { kind, metadata, file, text, data } = part
  if (kind === 'text') return compact({ text: text ?? null, metadata })
  if (kind === 'data') return fromLegacyData(data ?? null, metadata)
  if (kind !== 'file') throw violation(`${path}.kind`, 'must be text, file or data')
  if (!isRecord(file)) throw violation(`${path}.file`, 'must be an object')
  return compact({ raw: file.bytes, url: file.uri, filename: file.name, mediaType: file.mimeType, metadata })
}

function fromLegacyData(data: Json, metadata: Json | undefined): JsonRecord {
  if (!isRecord(metadata) || metadata[WRAPPED] !== true || !isRecord(data) || data.value === undefined)
    return compact({ data, metadata })
  const { [WRAPPED]: _, ...rest } = metadata
  return compact({ data: data.value, metadata: Object.keys(rest).length === 0 ? undefined : rest })
}

const violation = (field: string, description: string): A2AError =>
  new A2AError('INVALID_PARAMS', `Invalid params: ${field} ${description}`, {
    violations: [{ field, description }],
  })

/** A bare Task or Message. */
export function toLegacyResult(result: { readonly task: Task } | { readonly message: Message }): JsonRecord {
  return 'task' in result ? toLegacyTask(result.task) : toLegacyMessage(result.message)
}

/** A bare event: `final` closes the stream, which it does at an interrupted state too. */
export function toLegacyEvent(event: StreamResponse): JsonRecord {
  if ('task' in event) return toLegacyTask(event.task)
  if ('message' in event) return toLegacyMessage(event.message)
  if ('statusUpdate' in event) {
    const { status, ...rest } = event.statusUpdate
    return { kind: 'status-update', ...rest, status: toLegacyStatus(status), final: isFinal(status.state) }
  }
  const { artifact, append = false, lastChunk = false, ...rest } = event.artifactUpdate
  return { kind: 'artifact-update', ...rest, artifact: toLegacyArtifact(artifact), append, lastChunk }
}

export function toLegacyTask({ status, artifacts, history, ...rest }: Task): JsonRecord {
  return compact({
    kind: 'task',
    ...rest,
    status: toLegacyStatus(status),
    artifacts: artifacts?.map(toLegacyArtifact),
    history: history?.map(toLegacyMessage),
  })
}

/** `TASK_STATE_INPUT_REQUIRED` is `input-required`. */
function toLegacyStatus({ state, message, ...rest }: TaskStatus): JsonRecord {
  const name = state.slice('TASK_STATE_'.length).toLowerCase().replace('_', '-')
  return compact({ state: name, message: message && toLegacyMessage(message), ...rest })
}

function toLegacyMessage({ role, parts, ...rest }: Message): JsonRecord {
  return {
    kind: 'message',
    ...(rest as JsonRecord),
    role: role === 'ROLE_USER' ? 'user' : 'agent',
    parts: parts.map(toLegacyPart),
  }
}

const toLegacyArtifact = ({ parts, ...rest }: Artifact): JsonRecord => ({
  ...(rest as JsonRecord),
  parts: parts.map(toLegacyPart),
})

function toLegacyPart({ text, raw, url, data, metadata, filename, mediaType }: Part): JsonRecord {
  if (text !== undefined) return compact({ kind: 'text', text, metadata })
  if (data !== undefined) {
    if (isRecord(data)) return compact({ kind: 'data', data, metadata })
    return { kind: 'data', data: { value: data }, metadata: { ...metadata, [WRAPPED]: true } }
  }
  return compact({
    kind: 'file',
    file: compact({ bytes: raw, uri: url, name: filename, mimeType: mediaType }),
    metadata,
  })
}

export function toLegacyPush({ taskId, authentication, ...config }: PushConfig): JsonRecord {
  return compact({
    taskId,
    pushNotificationConfig: compact({
      ...config,
      authentication:
        authentication &&
        compact({ schemes: [authentication.scheme], credentials: authentication.credentials }),
    }),
  })
}

/** No more comes behind it (0.3: "the final event in the stream for this interaction"). */
export const isFinal = (state: TaskState): boolean => isTerminal(state) || isInterrupted(state)
