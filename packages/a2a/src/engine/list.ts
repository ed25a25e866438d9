/** What may be asked of ListTasks (spec a2a 2.9). */
import { A2AError, type FieldViolation } from '../errors.js'
import type { ListTasksRequest } from '../model.js'
import { DEFAULT_PAGE_SIZE } from '../store/page.js'
import { checkHistoryLength } from './view.js'

const MAX_PAGE_SIZE = 100

/** RFC 3339, any offset. */
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i

/** @throws A2AError INVALID_PARAMS */
export function checkList(request: ListTasksRequest): ListTasksRequest & { readonly pageSize: number } {
  const { pageSize = DEFAULT_PAGE_SIZE, statusTimestampAfter: after } = request
  checkHistoryLength(request.historyLength, 'historyLength')
  const violations: FieldViolation[] = []
  if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > MAX_PAGE_SIZE) {
    violations.push({ field: 'pageSize', description: `Must be 1 to ${MAX_PAGE_SIZE}` })
  }
  if (after !== undefined && !(TIMESTAMP.test(after) && !Number.isNaN(Date.parse(after)))) {
    violations.push({ field: 'statusTimestampAfter', description: 'Must be an RFC 3339 time' })
  }
  if (violations.length > 0) throw new A2AError('INVALID_PARAMS', violations[0]?.description, { violations })
  return { ...request, pageSize }
}
