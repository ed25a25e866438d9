/**
 * The resume extension (spec a2a 7.7): a caller that asks for it gets the number of every update, as SSE `id:` and in
 * the update's metadata, and may subscribe behind one.
 */
import type { Numbered } from './engine.js'
import type { AgentExtension, JsonRecord, StreamResponse } from './model.js'

export const STREAM_RESUME = 'https://aetherkit.dev/ext/stream-resume/v1'

/** As the card declares it. */
export const STREAM_RESUME_EXTENSION: AgentExtension = {
  uri: STREAM_RESUME,
  description: 'Numbered stream events; SubscribeToTask replays behind Last-Event-ID or metadata.after.',
  required: false,
}

/** The event with `{seq, gap?}` in its metadata under the URI. */
export function numberEvent({ seq, gap, event }: Numbered): StreamResponse {
  const note = { [STREAM_RESUME]: { seq, ...(gap === true && { gap: true }) } }
  const mark = <T extends { readonly metadata?: JsonRecord }>(value: T): T => ({
    ...value,
    metadata: { ...value.metadata, ...note },
  })
  if ('task' in event) return { task: mark(event.task) }
  if ('message' in event) return { message: mark(event.message) }
  if ('statusUpdate' in event) return { statusUpdate: mark(event.statusUpdate) }
  return { artifactUpdate: mark(event.artifactUpdate) }
}
