/** What a notification says: one StreamResponse, or in 0.3 the bare task or event (spec a2a 2.11). */
import { toLegacyEvent } from '../legacy-shape.js'
import type { StreamResponse, Task } from '../model.js'

/** JSON text; a notification that is too long is cut down to the status of the task. */
export function notificationBody(
  event: StreamResponse,
  task: Task,
  isLegacy: boolean,
  maxBytes: number,
): string {
  const write = (response: StreamResponse): string =>
    JSON.stringify(isLegacy ? toLegacyEvent(response) : response)
  const whole = write(event)
  if (Buffer.byteLength(whole) <= maxBytes) return whole
  const { id: taskId, contextId, status } = task
  const { message: _, ...bare } = status
  return write({ statusUpdate: { taskId, contextId, status: bare, metadata: { trimmed: true } } })
}
