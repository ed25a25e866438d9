/** What of a task is given out (spec a2a 2.5, 2.9). */

import type { Numbered } from '../engine.js'
import { A2AError } from '../errors.js'
import type { Task } from '../model.js'

/** With at most the `length` newest messages, `fallback` when it is unset; 0 leaves the history out. */
export function withHistory(task: Task, length: number | undefined, fallback: number): Task {
  const { history, ...rest } = task
  const keep = length ?? fallback
  if (history === undefined || keep >= history.length) return task
  return keep === 0 ? rest : { ...rest, history: history.slice(-keep) }
}

export async function* withHistoryEach(
  updates: AsyncIterable<Numbered>,
  length: number | undefined,
  fallback: number,
): AsyncGenerator<Numbered, void> {
  for await (const update of updates) {
    const { event } = update
    yield 'task' in event ? { ...update, event: { task: withHistory(event.task, length, fallback) } } : update
  }
}

export function withoutArtifacts({ artifacts: _, ...task }: Task): Task {
  return task
}

/** @throws A2AError INVALID_PARAMS for a negative or broken number. */
export function checkHistoryLength(length: number | undefined, field: string): void {
  if (length === undefined || (Number.isInteger(length) && length >= 0)) return
  throw new A2AError('INVALID_PARAMS', 'historyLength must be a whole number from 0', {
    violations: [{ field, description: 'Must be a whole number from 0' }],
  })
}
