/**
 * A2A 0.3 over REST (spec a2a 2.12): ProtoJSON of the 0.3 proto, which is close to 1.0. A message has `content`, a file
 * part holds `fileWithBytes` or `fileWithUri`, a push configuration is nested under its resource name, and the state is
 * spelled CANCELLED.
 */

import { fromLegacyPush, fromLegacySend, isFinal } from './legacy-shape.js'
import type {
  Artifact,
  Json,
  JsonRecord,
  Message,
  Part,
  PushConfig,
  SendMessageRequest,
  StreamResponse,
  Task,
  TaskStatus,
} from './model.js'
import { isRecord } from './read-fields.js'
import { compact } from './read-message.js'

/** Body of `message:send`; one with `parts` and `kind` is taken as JSON-RPC's. */
export function fromProtoSend(body: JsonRecord): JsonRecord {
  const message = body.message ?? body.request
  if (!isRecord(message) || Array.isArray(message.parts)) return fromLegacySend(compact({ ...body, message }))
  const { configuration } = body
  return compact({
    message: fromProtoMessage(message),
    configuration: isRecord(configuration) ? fromProtoConfiguration(configuration) : configuration,
    metadata: body.metadata,
  })
}

export const fromProtoMessage = ({ content, ...rest }: JsonRecord): JsonRecord =>
  compact({ ...rest, parts: Array.isArray(content) ? content.map(fromProtoPart) : content })

function fromProtoConfiguration(configuration: JsonRecord): JsonRecord {
  const push = configuration.pushNotification ?? configuration.push_notification
  return compact({
    acceptedOutputModes: configuration.acceptedOutputModes ?? configuration.accepted_output_modes,
    // Zero is the proto's unset.
    historyLength: (configuration.historyLength ?? configuration.history_length) || undefined,
    // False is not written in ProtoJSON: a configuration without it does not block, no configuration does.
    returnImmediately: configuration.blocking !== true,
    taskPushNotificationConfig: isRecord(push) ? fromLegacyPush(push) : push,
  })
}

export function fromProtoPart(part: Json): Json {
  if (!isRecord(part)) return part
  const { text, file, data, metadata } = part
  if (isRecord(file))
    return compact({
      raw: file.fileWithBytes ?? file.file_with_bytes,
      url: file.fileWithUri ?? file.file_with_uri,
      mediaType: file.mimeType ?? file.mime_type,
      filename: file.name,
      metadata,
    })
  return compact({ text, data: isRecord(data) ? data.data : data, metadata })
}

/** Body of a config create: `{name?, pushNotificationConfig}`, or `{parent, configId, config}`. */
export function fromProtoPush(body: JsonRecord, taskId?: Json): JsonRecord {
  const outer = isRecord(body.config) ? body.config : body
  const config = outer.pushNotificationConfig ?? outer.push_notification_config
  return fromLegacyPush(isRecord(config) ? config : {}, taskId)
}

/** Of a client: a configuration is always there, since without `blocking` it does not block. */
export function toProtoSend({ message, configuration, metadata }: SendMessageRequest): JsonRecord {
  const { acceptedOutputModes, historyLength, returnImmediately, taskPushNotificationConfig } =
    configuration ?? {}
  return compact({
    message: toProtoMessage(message),
    configuration: compact({
      acceptedOutputModes,
      historyLength,
      blocking: returnImmediately !== true,
      pushNotification: taskPushNotificationConfig && toProtoConfig(taskPushNotificationConfig),
    }),
    metadata,
  })
}

export function toProtoResult(result: { readonly task: Task } | { readonly message: Message }): JsonRecord {
  return 'task' in result ? { task: toProtoTask(result.task) } : { message: toProtoMessage(result.message) }
}

export function toProtoEvent(event: StreamResponse): JsonRecord {
  if ('task' in event || 'message' in event) return toProtoResult(event)
  if ('statusUpdate' in event) {
    const { status, ...rest } = event.statusUpdate
    const final = isFinal(status.state) || undefined
    return { statusUpdate: compact({ ...rest, status: toProtoStatus(status), final }) }
  }
  const { artifact, ...rest } = event.artifactUpdate
  return { artifactUpdate: { ...rest, artifact: toProtoArtifact(artifact) } }
}

export function toProtoTask({ status, artifacts, history, ...rest }: Task): JsonRecord {
  return compact({
    ...rest,
    status: toProtoStatus(status),
    artifacts: artifacts?.map(toProtoArtifact),
    history: history?.map(toProtoMessage),
  })
}

function toProtoStatus({ state, message, ...rest }: TaskStatus): JsonRecord {
  const name = state === 'TASK_STATE_CANCELED' ? 'TASK_STATE_CANCELLED' : state
  return compact({ state: name, message: message && toProtoMessage(message), ...rest })
}

const toProtoMessage = ({ parts, referenceTaskIds: _, ...rest }: Message): JsonRecord => ({
  ...(rest as JsonRecord),
  content: parts.map(toProtoPart),
})

const toProtoArtifact = ({ parts, ...rest }: Artifact): JsonRecord => ({
  ...(rest as JsonRecord),
  parts: parts.map(toProtoPart),
})

function toProtoPart({ text, raw, url, data, metadata, filename, mediaType }: Part): JsonRecord {
  if (text !== undefined) return compact({ text, metadata })
  if (data !== undefined)
    return compact({ data: { data: isRecord(data) ? data : { value: data } }, metadata })
  return compact({
    file: compact({ fileWithBytes: raw, fileWithUri: url, mimeType: mediaType, name: filename }),
    metadata,
  })
}

/** Under its resource name; the agent makes the id that is missing. */
export function toProtoPush({ taskId, ...config }: PushConfig): JsonRecord {
  return {
    name: `tasks/${taskId}/pushNotificationConfigs/${config.id ?? ''}`,
    pushNotificationConfig: toProtoConfig(config),
  }
}

function toProtoConfig({ authentication, ...config }: PushConfig): JsonRecord {
  return compact({
    ...config,
    authentication:
      authentication &&
      compact({ schemes: [authentication.scheme], credentials: authentication.credentials }),
  })
}
