/**
 * The unsigned task dialect (spec a2a 3.1), off unless it is asked for: `sendTask {input}`, `getTask {taskId}`,
 * `cancelTask {taskId}`, with the caller as it calls itself in `X-Agent-Id`. Nothing proves that name: the tasks of one
 * name can be read by whoever gives it and knows the id.
 *
 *   task   {id, status: pending | processing | completed | failed, input, output?, error?, createdAt, updatedAt}   times in ms
 */
import { createHash } from 'node:crypto'
import type { DispatchReply, DispatchRequest, MethodExtension } from '../dispatch.js'
import type { CallContext, Engine } from '../engine.js'
import { A2A_ERRORS, A2AError } from '../errors.js'
import type { Json, JsonRecord, Message, Part, Task, TaskState } from '../model.js'
import { isRecord } from '../read-fields.js'

const METHODS = ['sendTask', 'getTask', 'cancelTask']
const MAX_ID = 256
/** Where the message keeps the time it came in, ms. */
const CREATED = 'aetherkit.createdAt'

const STATES: Readonly<Record<TaskState, string>> = {
  TASK_STATE_SUBMITTED: 'pending',
  TASK_STATE_WORKING: 'processing',
  TASK_STATE_INPUT_REQUIRED: 'processing',
  TASK_STATE_AUTH_REQUIRED: 'processing',
  TASK_STATE_COMPLETED: 'completed',
  TASK_STATE_FAILED: 'failed',
  TASK_STATE_CANCELED: 'failed',
  TASK_STATE_REJECTED: 'failed',
}

export function createTaskMethods(
  engine: Engine,
  options: { readonly now?: () => number } = {},
): MethodExtension {
  const { now = Date.now } = options
  return {
    methods: METHODS,
    async handle(envelope, carried): Promise<DispatchReply> {
      const { id, method, params } = envelope
      const reply = (body: JsonRecord, status = 200): DispatchReply => ({
        kind: 'single',
        status,
        envelope: {
          jsonrpc: '2.0',
          id: typeof id === 'string' || typeof id === 'number' ? id : null,
          ...body,
        },
        headers: {},
      })
      try {
        const task = await call(engine, String(method), isRecord(params) ? params : {}, carried, now())
        return reply({ result: viewOf(task) })
      } catch (error) {
        const known = A2AError.is(error) ? error : new A2AError('INTERNAL')
        const { code, http } = A2A_ERRORS[known.code]
        return reply({ error: { code, message: known.message } }, http === 429 ? 429 : 200)
      }
    },
  }
}

async function call(
  engine: Engine,
  method: string,
  params: JsonRecord,
  carried: DispatchRequest,
  now: number,
): Promise<Task> {
  const context = contextOf(carried)
  if (method === 'sendTask') {
    if (params.input === undefined) throw new A2AError('INVALID_PARAMS', 'Missing required parameter: input')
    const { input } = params
    const message: Message = {
      messageId: crypto.randomUUID(),
      role: 'ROLE_USER',
      parts: [typeof input === 'string' ? { text: input } : { data: input }],
      metadata: { [CREATED]: now },
    }
    const sent = await engine.send({ message, configuration: { returnImmediately: true } }, context)
    if ('task' in sent) return sent.task
    throw new A2AError('UNSUPPORTED_OPERATION', 'The agent answers without a task')
  }
  const { taskId } = params
  if (typeof taskId !== 'string' || taskId === '')
    throw new A2AError('INVALID_PARAMS', 'Missing required parameter: taskId')
  return method === 'getTask' ? engine.get({ id: taskId }, context) : engine.cancel({ id: taskId }, context)
}

function contextOf({ header, tenant, caller, peer, signal }: DispatchRequest): CallContext {
  const name = header?.('x-agent-id')
  const named = name !== undefined && name !== '' && name.length <= MAX_ID
  const owner = named ? `agent-id:${createHash('sha256').update(name).digest('hex')}` : caller.owner
  return {
    caller: named && caller.anonymous ? { owner, anonymous: false } : caller,
    tenant,
    version: '1.0',
    carrier: 'dialect',
    extensions: new Set(),
    activate: () => {},
    ...(signal !== undefined && { signal }),
    ...(peer !== undefined && { peer }),
  }
}

function viewOf({ id, status, history = [], artifacts = [] }: Task): JsonRecord {
  const first = history.find(({ role }) => role === 'ROLE_USER')
  const output = artifacts.at(-1)
  const updatedAt = Date.parse(status.timestamp ?? '') || 0
  const isFailed = STATES[status.state] === 'failed'
  return {
    id,
    status: STATES[status.state],
    input: first === undefined ? null : plainOf(first.parts),
    ...(output !== undefined && { output: plainOf(output.parts) }),
    ...(isFailed && { error: errorOf(status.state, status.message?.parts ?? []) }),
    createdAt: first?.metadata?.[CREATED] ?? updatedAt,
    updatedAt,
  }
}

function errorOf(state: TaskState, parts: readonly Part[]): Json {
  if (state === 'TASK_STATE_CANCELED') return 'canceled'
  return state === 'TASK_STATE_REJECTED' ? plainOf(parts) : 'Internal error'
}

function plainOf(parts: readonly Part[]): Json {
  const data = parts.findLast((part) => part.data !== undefined)?.data
  return data ?? parts.flatMap(({ text }) => (text === undefined ? [] : [text])).join('\n')
}
