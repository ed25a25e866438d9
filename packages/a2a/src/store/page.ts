/**
 * Pages of ListTasks (spec a2a 2.9): newest status first, ties by falling id. A page token names the last task that was
 * given and the query it belongs to, so a page stays right while tasks come and go before it.
 */
import { createHash } from 'node:crypto'
import { A2AError } from '../errors.js'
import type { ListTasksRequest, Task } from '../model.js'

export type TaskQuery = ListTasksRequest & { readonly owner: string; readonly tenant: string }

/** Position in the order of a list. */
export interface PageMark {
  /** ms of the status. */
  readonly at: number
  readonly id: string
}

export const DEFAULT_PAGE_SIZE = 50

export const markOf = (task: Task): PageMark => ({
  at: task.status.timestamp === undefined ? 0 : Date.parse(task.status.timestamp),
  id: task.id,
})

/** Negative when `a` stands before `b`. */
export const compareMarks = (a: PageMark, b: PageMark): number =>
  b.at - a.at || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0)

/** Owner and tenant are not looked at: a store looks up by them. */
export function matchesQuery(query: TaskQuery, task: Task): boolean {
  if (query.contextId !== undefined && task.contextId !== query.contextId) return false
  if (query.status !== undefined && task.status.state !== query.status) return false
  return query.statusTimestampAfter === undefined || markOf(task).at >= Date.parse(query.statusTimestampAfter)
}

export const writePageToken = (query: TaskQuery, last: Task): string => {
  const { at, id } = markOf(last)
  return Buffer.from(JSON.stringify([fingerprint(query), at, id])).toString('base64url')
}

/** @throws A2AError INVALID_PARAMS for a token that this query did not make. */
export function readPageToken(query: TaskQuery): PageMark | undefined {
  if (query.pageToken === undefined || query.pageToken === '') return undefined
  try {
    const bytes = Buffer.from(query.pageToken, 'base64url')
    const mark: unknown = JSON.parse(bytes.toString())
    const isExact = bytes.toString('base64url') === query.pageToken
    if (isExact && Array.isArray(mark) && mark.length === 3 && mark[0] === fingerprint(query)) {
      const [, at, id] = mark
      if (typeof at === 'number' && typeof id === 'string') return { at, id }
    }
  } catch {}
  throw new A2AError('INVALID_PARAMS', 'The page token does not belong to this query', {
    violations: [{ field: 'pageToken', description: 'Not a token of this query' }],
  })
}

const fingerprint = (query: TaskQuery): string =>
  createHash('sha256')
    .update(
      JSON.stringify([
        query.owner,
        query.tenant,
        query.contextId ?? null,
        query.status ?? null,
        query.statusTimestampAfter ?? null,
      ]),
    )
    .digest('base64url')
    .slice(0, 16)
