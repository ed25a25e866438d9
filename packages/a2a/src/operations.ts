/**
 * The eleven operations of A2A 1.0 (spec a2a 2.1) as one table: JSON-RPC finds them by name, REST by route, and both
 * read the same params into the same call of the engine.
 */
import type { CallContext, Engine, Numbered } from './engine.js'
import type { Limits } from './limits.js'
import type { JsonRecord } from './model.js'
import { isRecord } from './read-fields.js'
import { readSendMessage } from './read-message.js'
import {
  readCreatePush,
  readGetTask,
  readListPush,
  readListTasks,
  readPushId,
  readSubscribe,
  readTaskId,
} from './read-task.js'

export type OperationName =
  | 'SendMessage'
  | 'SendStreamingMessage'
  | 'GetTask'
  | 'ListTasks'
  | 'CancelTask'
  | 'SubscribeToTask'
  | 'CreateTaskPushNotificationConfig'
  | 'GetTaskPushNotificationConfig'
  | 'ListTaskPushNotificationConfigs'
  | 'DeleteTaskPushNotificationConfig'
  | 'GetExtendedAgentCard'

interface OperationInput {
  readonly params: JsonRecord
  readonly context: CallContext
  readonly limits: Limits
  /** `Last-Event-ID`, where the caller asked for the resume extension. */
  readonly after: number | undefined
}

export type Operation =
  | { readonly kind: 'unary'; call(engine: Engine, input: OperationInput): Promise<unknown> }
  | { readonly kind: 'stream'; call(engine: Engine, input: OperationInput): AsyncIterable<Numbered> }

const unary = (call: (engine: Engine, input: OperationInput) => Promise<unknown>): Operation => ({
  kind: 'unary',
  call,
})
const stream = (call: (engine: Engine, input: OperationInput) => AsyncIterable<Numbered>): Operation => ({
  kind: 'stream',
  call,
})

const OPERATIONS: Readonly<Record<OperationName, Operation>> = {
  SendMessage: unary((engine, { params, context, limits }) =>
    engine.send(readSendMessage(params, limits), context),
  ),
  SendStreamingMessage: stream((engine, { params, context, limits }) =>
    engine.stream(readSendMessage(params, limits), context),
  ),
  GetTask: unary((engine, { params, context }) => engine.get(readGetTask(params), context)),
  ListTasks: unary((engine, { params, context }) => engine.list(readListTasks(params), context)),
  CancelTask: unary((engine, { params, context }) => engine.cancel(readTaskId(params), context)),
  SubscribeToTask: stream((engine, { params, context, after }) =>
    engine.subscribe(readSubscribe(params, after), context),
  ),
  CreateTaskPushNotificationConfig: unary((engine, { params, context }) =>
    engine.createPush(readCreatePush(params), context),
  ),
  GetTaskPushNotificationConfig: unary((engine, { params, context }) =>
    engine.getPush(readPushId(params), context),
  ),
  ListTaskPushNotificationConfigs: unary((engine, { params, context }) =>
    engine.listPush(readListPush(params), context),
  ),
  DeleteTaskPushNotificationConfig: unary(async (engine, { params, context }) => {
    await engine.deletePush(readPushId(params), context)
    return null
  }),
  GetExtendedAgentCard: unary((engine, { context }) => engine.extendedCard(context)),
}

export const isOperationName = (name: string): name is OperationName => Object.hasOwn(OPERATIONS, name)

export const operationOf = (name: OperationName): Operation => OPERATIONS[name]

/** The id of the task that a result, an event or params are about, for the log. */
export function taskOf(value: unknown): string | undefined {
  if (!isRecord(value)) return undefined
  const { task, statusUpdate, artifactUpdate, message } = value
  const about = [task, statusUpdate, artifactUpdate, message].find(isRecord) ?? value
  const id = about.taskId ?? about.id
  return typeof id === 'string' ? id : undefined
}
