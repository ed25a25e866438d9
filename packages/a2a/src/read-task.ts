/** The other requests from the wire (spec a2a 2.1, 2.9): tasks, lists, push configurations. */
import type { JsonRecord, ListTasksRequest, PushConfig, TaskState } from './model.js'
import { Fields, isRecord } from './read-fields.js'
import { compact, readMetadata, readPushConfig } from './read-message.js'
import { STREAM_RESUME } from './stream-resume.js'

/** In the order of their numbers: 1 is SUBMITTED. */
const STATES: readonly TaskState[] = [
  'TASK_STATE_SUBMITTED',
  'TASK_STATE_WORKING',
  'TASK_STATE_COMPLETED',
  'TASK_STATE_FAILED',
  'TASK_STATE_CANCELED',
  'TASK_STATE_INPUT_REQUIRED',
  'TASK_STATE_REJECTED',
  'TASK_STATE_AUTH_REQUIRED',
]

const MAX_PAGE = 100
const MAX_TOKEN = 1024

export function readGetTask(params: JsonRecord): { readonly id: string; readonly historyLength?: number } {
  const fields = new Fields(params)
  const request = compact({ id: fields.required('id'), historyLength: fields.integer('historyLength', 0) })
  fields.finish()
  return request
}

export function readListTasks(params: JsonRecord): ListTasksRequest {
  const fields = new Fields(params)
  const request = compact({
    contextId: fields.id('contextId'),
    status: fields.value('status') === '' ? undefined : fields.enumeration('status', STATES),
    pageSize: fields.integer('pageSize', 0, MAX_PAGE) || undefined,
    pageToken: fields.string('pageToken', MAX_TOKEN),
    historyLength: fields.integer('historyLength', 0),
    statusTimestampAfter: readTimestamp(fields, 'statusTimestampAfter'),
    includeArtifacts: fields.boolean('includeArtifacts') || undefined,
  })
  fields.finish()
  return request
}

export function readTaskId(params: JsonRecord): { readonly id: string } {
  const fields = new Fields(params)
  const request = { id: fields.required('id') }
  readMetadata(fields)
  fields.finish()
  return request
}

/** `after` stands in the metadata of the resume extension (spec a2a 7.7); `lastEventId` is the header's. */
export function readSubscribe(
  params: JsonRecord,
  lastEventId: number | undefined,
): { readonly id: string; readonly after?: number } {
  const fields = new Fields(params)
  const id = fields.required('id')
  const metadata = readMetadata(fields)?.[STREAM_RESUME]
  const after = isRecord(metadata)
    ? new Fields(metadata, `metadata["${STREAM_RESUME}"]`).integer('after', 0, Number.MAX_SAFE_INTEGER)
    : undefined
  fields.finish()
  return compact({ id, after: after ?? lastEventId })
}

export function readCreatePush(params: JsonRecord): PushConfig & { readonly taskId: string } {
  const fields = new Fields(params)
  const config = readPushConfig(fields)
  const taskId = fields.required('taskId')
  fields.finish()
  return { ...config, taskId }
}

export function readPushId(params: JsonRecord): { readonly taskId: string; readonly id: string } {
  const fields = new Fields(params)
  const request = { taskId: fields.required('taskId'), id: fields.required('id') }
  fields.finish()
  return request
}

export function readListPush(params: JsonRecord): {
  readonly taskId: string
  readonly pageSize?: number
  readonly pageToken?: string
} {
  const fields = new Fields(params)
  const request = compact({
    taskId: fields.required('taskId'),
    pageSize: fields.integer('pageSize', 0, MAX_PAGE) || undefined,
    pageToken: fields.string('pageToken', MAX_TOKEN),
  })
  fields.finish()
  return request
}

/** RFC 3339 with any offset, as UTC with milliseconds. */
function readTimestamp(fields: Fields, name: string): string | undefined {
  const value = fields.string(name, 64)
  if (value === undefined) return undefined
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(value)
    ? Date.parse(value)
    : Number.NaN
  if (Number.isNaN(time)) return fields.refuse(name, 'must be an RFC 3339 time') as undefined
  return new Date(time).toISOString()
}
