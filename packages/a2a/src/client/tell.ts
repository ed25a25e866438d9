/**
 * What a reader of a stream is told (spec a2a 2.6, 7.7): one message, or the task first and then updates. A later
 * snapshot is told as the updates it brings, so that no chunk is lost or comes twice.
 */
import { isDeepStrictEqual } from 'node:util'
import { appendParts, applyUpdate } from '../engine/apply.js'
import type { Artifact, Part, StreamResponse, Task } from '../model.js'

export class Telling {
  /** As the reader knows it. */
  task: Task | undefined

  /** The events to hand out for this one. */
  tell(event: StreamResponse): readonly StreamResponse[] {
    const known = this.task
    if ('message' in event) return [event]
    if ('task' in event) {
      this.task = event.task
      return known === undefined ? [event] : updatesBetween(known, event.task)
    }
    this.task = applyUpdate(known ?? startOf(event), event)
    return [event]
  }
}

/** Agents of 0.3 may begin with an update. */
export function startOf(event: Exclude<StreamResponse, { task: Task } | { message: unknown }>): Task {
  const { taskId, contextId } = 'statusUpdate' in event ? event.statusUpdate : event.artifactUpdate
  return { id: taskId, contextId, status: { state: 'TASK_STATE_SUBMITTED' } }
}

/** What turns one state of a task into a later one. */
function updatesBetween(before: Task, after: Task): readonly StreamResponse[] {
  const { id: taskId, contextId } = after
  const updates: StreamResponse[] = (after.artifacts ?? []).flatMap((artifact): StreamResponse[] => {
    const known = before.artifacts?.find(({ artifactId }) => artifactId === artifact.artifactId)
    const update = known === undefined ? { artifact } : changeOf(known, artifact)
    return update === undefined ? [] : [{ artifactUpdate: { taskId, contextId, ...update } }]
  })
  if (isDeepStrictEqual(before.status, after.status)) return updates
  return [...updates, { statusUpdate: { taskId, contextId, status: after.status } }]
}

function changeOf(known: Artifact, artifact: Artifact): { artifact: Artifact; append?: true } | undefined {
  const rest = behind(merged(known.parts), merged(artifact.parts))
  if (rest === undefined) return { artifact }
  return rest.length === 0 ? undefined : { artifact: { ...artifact, parts: rest }, append: true }
}

/** The parts of `all` that follow `start`; undefined when it does not begin with it. */
function behind(start: readonly Part[], all: readonly Part[]): readonly Part[] | undefined {
  if (all.length < start.length) return undefined
  for (const [index, part] of start.entries()) {
    const other = all[index]
    if (isDeepStrictEqual(part, other)) continue
    if (index < start.length - 1 || part.text === undefined || other?.text === undefined) return undefined
    const { text, ...rest } = part
    const { text: longer, ...otherRest } = other
    if (!longer.startsWith(text) || !isDeepStrictEqual(rest, otherRest)) return undefined
    return [{ ...other, text: longer.slice(text.length) }, ...all.slice(index + 1)]
  }
  return all.slice(start.length)
}

function merged(parts: readonly Part[] | undefined): readonly Part[] {
  const all: Part[] = []
  appendParts(all, parts ?? [])
  return all
}
