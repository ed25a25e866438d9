/**
 * One way to speak with an agent (spec a2a 2.1): a binding in a version. Params and results are those of 1.0, whatever
 * is on the wire.
 */
import type { JsonRecord, StreamResponse } from '../model.js'
import type { OperationName } from '../operations.js'
import { isRecord } from '../read-fields.js'
import { STREAM_RESUME } from '../stream-resume.js'
import type { Version } from '../version.js'

export interface CallOptions {
  readonly signal: AbortSignal
  /** Milliseconds that are left of the deadline, for carriers that tell the agent. */
  readonly timeoutMs: number
  /** Number of the last update that was seen, for a subscription that goes on. */
  readonly after?: number | undefined
  /** Besides those of the binding. */
  readonly headers?: Readonly<Record<string, string>>
  /** Something was heard, a heartbeat as well. */
  readonly heard?: () => void
}

export interface Incoming {
  readonly event: StreamResponse
  /** With the resume extension. */
  readonly seq: number | undefined
  /** A snapshot for updates that are no longer held. */
  readonly isGap: boolean
}

export interface Binding {
  readonly url: string
  /** As the card names it. */
  readonly name: string
  readonly version: Version
  /** @throws AgentError, or the signal's reason */
  call(operation: OperationName, params: JsonRecord, options: CallOptions): Promise<unknown>
  /** Ends as the agent ends it; breaks off with UNREACHABLE. @throws as `call` */
  stream(operation: OperationName, params: JsonRecord, options: CallOptions): AsyncIterable<Incoming>
  close(): void
}

/** The event without the note of the resume extension, and what the note said. `id` is that of SSE. */
export function unnumber(event: StreamResponse, id: string | undefined): Incoming {
  let note: unknown
  const unmark = <T extends { readonly metadata?: JsonRecord }>(value: T): T => {
    const { [STREAM_RESUME]: said, ...metadata } = value.metadata ?? {}
    if (said === undefined) return value
    note = said
    const { metadata: _, ...rest } = value
    return { ...(rest as T), ...(Object.keys(metadata).length > 0 && { metadata }) }
  }
  const plain = unmarked(event, unmark)
  const told = isRecord(note) ? note.seq : undefined
  const seq =
    typeof told === 'number' ? told : id !== undefined && /^\d{1,15}$/.test(id) ? Number(id) : undefined
  return { event: plain, seq, isGap: isRecord(note) && note.gap === true }
}

function unmarked(
  event: StreamResponse,
  unmark: <T extends { readonly metadata?: JsonRecord }>(value: T) => T,
): StreamResponse {
  if ('task' in event) return { task: unmark(event.task) }
  if ('message' in event) return { message: unmark(event.message) }
  if ('statusUpdate' in event) return { statusUpdate: unmark(event.statusUpdate) }
  return { artifactUpdate: unmark(event.artifactUpdate) }
}
