/** What an executor is given (spec a2a 1, layer 5): one message of one task, and the means to answer it. */
import type { Execution } from '../executor.js'
import type { JsonRecord, Message, Part, SendMessageRequest, Task } from '../model.js'
import { isRecord } from '../read-fields.js'
import type { LiveTask } from './live-task.js'
import type { Turn } from './turn.js'
import type { Writer } from './writer.js'

const DEFAULT_ARTIFACT = 'result'

export interface ExecutionOptions {
  readonly turn: Turn
  readonly task: Task
  readonly message: Message
  readonly request: SendMessageRequest
  readonly resumed: boolean
  readonly writer: Writer
  /** Resolves when the store and the readers are but a bounded rest behind what was published. */
  readonly keptUp: () => Promise<void>
}

export function createExecution(options: ExecutionOptions): Execution {
  const { turn, task, message, request, resumed, writer } = options
  const { caller, tenant, version, carrier, extensions, peer } = turn.context
  return {
    task,
    message,
    request,
    resumed,
    context: { caller, tenant, version, carrier, extensions, ...(peer !== undefined && { peer }) },
    signal: turn.controller.signal,
    text: textOf(message.parts),
    data: dataOf(message.parts),
    write(text, artifact) {
      if (typeof text !== 'string') throw new TypeError(`text: expected a string, got ${typeof text}`)
      const { id = DEFAULT_ARTIFACT, name, mediaType } = artifact ?? {}
      writer.write(text, { id, name, mediaType })
    },
    artifact({ id, parts, ...rest }) {
      if (!isParts(parts))
        throw new TypeError('parts: expected at least one part, each with text, raw, url or data')
      writer.artifact({ artifactId: id ?? freeId(turn.live), ...rest, parts })
    },
    progress(text, metadata) {
      writer.progress(text, metadata)
    },
    async drained() {
      await writer.paced()
      await options.keptUp()
    },
  }
}

/** At least one part, and each with exactly one content (spec a2a 2.4). */
export const isParts = (parts: unknown): parts is readonly Part[] =>
  Array.isArray(parts) && parts.length > 0 && parts.every(isPart)

const isPart = (part: unknown): boolean =>
  typeof part === 'object' &&
  part !== null &&
  ['text', 'raw', 'url', 'data'].filter((key) => key in part && part[key as keyof typeof part] !== undefined)
    .length === 1

const textOf = (parts: readonly Part[]): string =>
  parts
    .map(({ text }) => text)
    .filter((text) => text !== undefined)
    .join('\n')

function dataOf(parts: readonly Part[]): JsonRecord | undefined {
  for (const { data } of parts) if (isRecord(data)) return data
  return undefined
}

/** `artifact-1`, `artifact-2`: counted in the task, so that runs over different carriers are equal. */
function freeId(live: LiveTask): string {
  const taken = live.takenIds
  for (let n = taken.size + 1; ; n++) {
    const id = `artifact-${n}`
    if (live.hasArtifact(id) || taken.has(id)) continue
    taken.add(id)
    return id
  }
}
