/**
 * A2A 0.3 on the operations of 1.0 (spec a2a 2.1, 2.12): every method of its JSON-RPC binding, with what its params
 * mean in 1.0 and what its result looks like. ListTasks does not exist there.
 */
import { legacyCard, withSignatures } from './card/legacy-card.js'
import {
  fromLegacyPush,
  fromLegacySend,
  toLegacyEvent,
  toLegacyPush,
  toLegacyResult,
  toLegacyTask,
} from './legacy-shape.js'
import type {
  AgentCard,
  Json,
  JsonRecord,
  PushConfig,
  SendMessageResponse,
  StreamResponse,
  Task,
} from './model.js'
import type { OperationName } from './operations.js'
import { isRecord } from './read-fields.js'
import { compact } from './read-message.js'

export interface RpcMethod {
  readonly operation: OperationName
  params(params: JsonRecord): JsonRecord
  /** Of a result, or of every event of a stream. */
  result(result: unknown): Json
}

const same = (params: JsonRecord): JsonRecord => params
const task = (result: unknown): Json => toLegacyTask(result as Task)
const push = (result: unknown): Json => toLegacyPush(result as PushConfig)
const event = (result: unknown): Json => toLegacyEvent(result as StreamResponse)
const configId = ({ id, pushNotificationConfigId }: JsonRecord): JsonRecord =>
  compact({ taskId: id, id: pushNotificationConfigId })

const METHODS: Readonly<Record<string, RpcMethod>> = {
  'message/send': {
    operation: 'SendMessage',
    params: fromLegacySend,
    result: (result: unknown) => toLegacyResult(result as SendMessageResponse),
  },
  'message/stream': { operation: 'SendStreamingMessage', params: fromLegacySend, result: event },
  'tasks/get': { operation: 'GetTask', params: same, result: task },
  'tasks/cancel': { operation: 'CancelTask', params: same, result: task },
  'tasks/resubscribe': { operation: 'SubscribeToTask', params: same, result: event },
  'tasks/pushNotificationConfig/set': {
    operation: 'CreateTaskPushNotificationConfig',
    params: ({ taskId, pushNotificationConfig: config }) =>
      fromLegacyPush(isRecord(config) ? config : {}, taskId),
    result: push,
  },
  'tasks/pushNotificationConfig/get': {
    operation: 'GetTaskPushNotificationConfig',
    params: configId,
    result: push,
  },
  'tasks/pushNotificationConfig/list': {
    operation: 'ListTaskPushNotificationConfigs',
    params: ({ id }) => compact({ taskId: id }),
    result: (result: unknown) => (result as { configs: PushConfig[] }).configs.map(toLegacyPush),
  },
  'tasks/pushNotificationConfig/delete': {
    operation: 'DeleteTaskPushNotificationConfig',
    params: configId,
    result: () => null,
  },
  'agent/getAuthenticatedExtendedCard': {
    operation: 'GetExtendedAgentCard',
    params: () => ({}),
    // The engine's signatures are of the version of the caller.
    result: (result: unknown) => withSignatures(legacyCard(result as AgentCard), result as AgentCard),
  },
}

export const findLegacyMethod = (method: string): RpcMethod | undefined =>
  Object.hasOwn(METHODS, method) ? METHODS[method] : undefined
