/** The paths of HTTP+JSON (spec a2a 2.1): 1.0 at the base, 0.3 below `/v1`, each below a tenant as well. */

import { protoCard, withSignatures } from './card/legacy-card.js'
import { A2AError } from './errors.js'
import {
  fromProtoPush,
  fromProtoSend,
  toProtoEvent,
  toProtoPush,
  toProtoResult,
  toProtoTask,
} from './legacy-proto.js'
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
import { asJson } from './read-fields.js'
import type { Version } from './version.js'

export type Verb = 'GET' | 'POST' | 'DELETE'

export interface Route {
  readonly tenant: string
  readonly version: Version
  readonly verbs: Readonly<Partial<Record<Verb, OperationName>>>
  /** Members of the params that the path holds. */
  readonly fixed: JsonRecord
}

/** What a version makes of params and results. */
export interface RestShape {
  params(operation: OperationName, params: JsonRecord): JsonRecord
  result(operation: OperationName, result: unknown): Json
}

/** Undefined for a path that is none of ours. @throws A2AError INVALID_REQUEST for one that is not well-formed */
export function findRoute(
  path: string,
  tenants: { has(tenant: string): boolean } | undefined,
): Route | undefined {
  const segments = decode(path)
  const route = inVersion(segments, '')
  const [tenant = '', ...rest] = segments
  if (route !== undefined || rest.length === 0 || tenants?.has(tenant) !== true) return route
  return inVersion(rest, tenant)
}

function inVersion(segments: readonly string[], tenant: string): Route | undefined {
  const version = segments[0] === 'v1' ? '0.3' : '1.0'
  const found = match(version === '0.3' ? segments.slice(1) : segments, version)
  return found && { ...found, tenant, version }
}

function match(segments: readonly string[], version: Version): Pick<Route, 'verbs' | 'fixed'> | undefined {
  const [first, second, third, fourth, ...more] = segments
  if (first === undefined || more.length > 0) return undefined
  if (second === undefined) {
    if (first === 'message:send') return { verbs: { POST: 'SendMessage' }, fixed: {} }
    if (first === 'message:stream') return { verbs: { POST: 'SendStreamingMessage' }, fixed: {} }
    // ListTasks does not exist in 0.3.
    if (first === 'tasks' && version === '1.0') return { verbs: { GET: 'ListTasks' }, fixed: {} }
    const card = version === '1.0' ? 'extendedAgentCard' : 'card'
    return first === card ? { verbs: { GET: 'GetExtendedAgentCard' }, fixed: {} } : undefined
  }
  if (first !== 'tasks' || second === '') return undefined
  if (third === undefined) return matchTask(second)
  if (third !== 'pushNotificationConfigs') return undefined
  if (fourth === undefined)
    return {
      verbs: { GET: 'ListTaskPushNotificationConfigs', POST: 'CreateTaskPushNotificationConfig' },
      fixed: { taskId: second },
    }
  return {
    verbs: { GET: 'GetTaskPushNotificationConfig', DELETE: 'DeleteTaskPushNotificationConfig' },
    fixed: { taskId: second, id: fourth },
  }
}

function matchTask(segment: string): Pick<Route, 'verbs' | 'fixed'> {
  const [, id, action] = /^(.+):(cancel|subscribe)$/.exec(segment) ?? []
  if (id === undefined) return { verbs: { GET: 'GetTask' }, fixed: { id: segment } }
  if (action === 'cancel') return { verbs: { POST: 'CancelTask' }, fixed: { id } }
  // GET in the proto, POST in the prose.
  return { verbs: { GET: 'SubscribeToTask', POST: 'SubscribeToTask' }, fixed: { id } }
}

function decode(path: string): readonly string[] {
  try {
    return path.split('/').slice(1).map(decodeURIComponent)
  } catch {
    throw new A2AError('INVALID_REQUEST', 'Invalid request: the path is not well-formed')
  }
}

const MODERN: RestShape = {
  params: (_operation, params) => params,
  result: (_operation, result) => asJson(result),
}

const LEGACY: RestShape = {
  params(operation, params) {
    if (operation === 'SendMessage' || operation === 'SendStreamingMessage') return fromProtoSend(params)
    if (operation === 'CreateTaskPushNotificationConfig') return fromProtoPush(params, params.taskId)
    return params
  },
  result(operation, result) {
    switch (operation) {
      case 'SendMessage':
        return toProtoResult(result as SendMessageResponse)
      case 'SendStreamingMessage':
      case 'SubscribeToTask':
        return toProtoEvent(result as StreamResponse)
      case 'GetTask':
      case 'CancelTask':
        return toProtoTask(result as Task)
      case 'CreateTaskPushNotificationConfig':
      case 'GetTaskPushNotificationConfig':
        return toProtoPush(result as PushConfig)
      case 'ListTaskPushNotificationConfigs': {
        const { configs, nextPageToken } = result as { configs: PushConfig[]; nextPageToken: string }
        return { configs: configs.map(toProtoPush), nextPageToken }
      }
      case 'GetExtendedAgentCard':
        return withSignatures(protoCard(result as AgentCard), result as AgentCard)
      default:
        return asJson(result)
    }
  },
}

export const restShape = (version: Version): RestShape => (version === '0.3' ? LEGACY : MODERN)
