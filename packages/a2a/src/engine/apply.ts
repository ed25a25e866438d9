/**
 * What an update does to a task: the plain form, for everyone who follows a stream (spec a2a 2.6). The engine's own
 * mutable form in `live-task.ts` is tested against it.
 *
 * Appended text continues the text part before it when neither has anything but `text` and an equal `mediaType`.
 * A message that asked for input or authorisation moves into the history when the status that carried it is replaced;
 * progress does not. Messages of the caller are no updates: a snapshot has them.
 */
import {
  type Artifact,
  type ArtifactUpdate,
  isInterrupted,
  type Message,
  type Part,
  type StatusUpdate,
  type StreamResponse,
  type Task,
  type TaskStatus,
} from '../model.js'

/** The task after the event; the same task for what is no update of it. */
export function applyUpdate(task: Task, event: StreamResponse): Task {
  if ('task' in event) return event.task
  if ('statusUpdate' in event) return applyStatus(task, event.statusUpdate)
  if ('artifactUpdate' in event) return applyArtifact(task, event.artifactUpdate)
  return task
}

function applyStatus(task: Task, { status }: StatusUpdate): Task {
  const asked = askedIn(task.status)
  return { ...task, status, ...(asked && { history: [...(task.history ?? []), asked] }) }
}

function applyArtifact(task: Task, { artifact, append }: ArtifactUpdate): Task {
  const artifacts = [...(task.artifacts ?? [])]
  const at = artifacts.findIndex(({ artifactId }) => artifactId === artifact.artifactId)
  const before = artifacts[at]
  if (before === undefined) artifacts.push(artifact)
  else artifacts[at] = append === true ? appended(before, artifact) : artifact
  return { ...task, artifacts }
}

function appended(before: Artifact, more: Artifact): Artifact {
  const parts = [...before.parts]
  appendParts(parts, more.parts)
  return { ...before, ...more, parts }
}

/** Puts `more` behind `parts`, in place. */
export function appendParts(parts: Part[], more: readonly Part[]): void {
  for (const part of more) {
    const last = parts.at(-1)
    if (last !== undefined && isPlainText(last) && isPlainText(part) && last.mediaType === part.mediaType) {
      parts[parts.length - 1] = { ...last, text: last.text + part.text }
    } else parts.push(part)
  }
}

/** The message that a status asks the caller with. */
export const askedIn = (status: TaskStatus): Message | undefined =>
  isInterrupted(status.state) ? status.message : undefined

function isPlainText(part: Part): part is Part & { readonly text: string } {
  for (const key in part) if (key !== 'text' && key !== 'mediaType') return false
  return part.text !== undefined
}
