/** The updates of a task as the parts that a language model streams: each artifact a block of text, in their order. */
import {
  isInterrupted,
  isTerminal,
  type Part,
  type StreamResponse,
  type TaskState,
  type TaskStatus,
} from '@aetherkit/a2a'
import type { Place } from './model-prompt.js'
import { type ModelChunk, NO_USAGE, taskError } from './model-types.js'

export class AnswerReader {
  /** All that was said. */
  text = ''
  #contextId: string | undefined
  #taskId: string | undefined
  #state: TaskState | undefined
  #said: readonly Part[] = []
  /** Text so far, and binary parts that went out, by artifact: a snapshot repeats them. */
  readonly #texts = new Map<string, string>()
  readonly #files = new Set<string>()
  #block: string | undefined
  #count = 0

  constructor(place: Place | undefined) {
    this.#contextId = place?.contextId
    this.#taskId = place?.taskId
  }

  /** Where the conversation goes on. */
  get place(): Place | undefined {
    if (this.#contextId === undefined) return undefined
    const waits = this.#state !== undefined && isInterrupted(this.#state) && this.#taskId !== undefined
    return { contextId: this.#contextId, ...(waits && { taskId: this.#taskId }) } as Place
  }

  /** A task that may still run. */
  get openTask(): string | undefined {
    return this.#state === undefined || !isTerminal(this.#state) ? this.#taskId : undefined
  }

  *read(event: StreamResponse): Generator<ModelChunk> {
    if ('message' in event) {
      this.#contextId = event.message.contextId ?? this.#contextId
      yield* this.#write('message', event.message.parts, false)
    } else if ('task' in event) {
      const { id, contextId, status, artifacts = [] } = event.task
      this.#place(id, contextId, status)
      for (const { artifactId, parts } of artifacts) yield* this.#write(artifactId, parts, false)
    } else if ('statusUpdate' in event) {
      const { taskId, contextId, status } = event.statusUpdate
      this.#place(taskId, contextId, status)
    } else {
      const { artifact, append = false } = event.artifactUpdate
      yield* this.#write(artifact.artifactId, artifact.parts, append)
    }
  }

  /** @throws Error of a task that ended without success; its words are the agent's, not to be trusted */
  *end(): Generator<ModelChunk> {
    const state = this.#state ?? 'TASK_STATE_COMPLETED'
    const words = this.#said.map(({ text = '' }) => text).join('')
    if (isTerminal(state) && state !== 'TASK_STATE_COMPLETED') throw taskError(state, words)
    const isAsking = isInterrupted(state)
    // A completed task says in its status what it has no artifact for.
    if (words !== '' && (isAsking || this.text === '')) yield* this.#write('status', [{ text: words }], false)
    if (this.#block !== undefined) yield { type: 'text-end', id: this.#block }
    const ids = { contextId: this.#contextId, taskId: this.#taskId, state: this.#state }
    const known = Object.entries(ids).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, value] as const],
    )
    yield {
      type: 'finish',
      finishReason: { unified: isAsking ? 'other' : 'stop', raw: this.#state },
      usage: NO_USAGE,
      providerMetadata: { aether: Object.fromEntries(known) },
    }
  }

  #place(taskId: string, contextId: string, { state, message }: TaskStatus): void {
    this.#taskId = taskId
    this.#contextId = contextId
    this.#state = state
    this.#said = message?.parts ?? []
  }

  *#write(artifact: string, parts: readonly Part[], append: boolean): Generator<ModelChunk> {
    const before = this.#texts.get(artifact)
    const isData = parts.every(({ text }) => text === undefined)
    const fresh = parts
      .map(({ text, data }) => text ?? (isData && data !== undefined ? JSON.stringify(data) : ''))
      .join('')
    const whole = append ? (before ?? '') + fresh : fresh
    const known = before !== undefined && whole.startsWith(before) ? before : ''
    this.#texts.set(artifact, whole)
    yield* this.#say(artifact, whole.slice(known.length))
    for (const [at, { raw, url, mediaType = 'application/octet-stream' }] of parts.entries()) {
      const id = `${artifact} ${append ? whole.length : 0} ${at}`
      if ((raw === undefined && url === undefined) || this.#files.has(id)) continue
      this.#files.add(id)
      if (raw !== undefined) yield { type: 'file', mediaType, data: raw }
      if (url !== undefined) yield { type: 'source', sourceType: 'url', id: `source-${++this.#count}`, url }
    }
  }

  *#say(artifact: string, delta: string): Generator<ModelChunk> {
    if (delta === '') return
    if (this.#block !== artifact) {
      if (this.#block !== undefined) yield { type: 'text-end', id: this.#block }
      this.#block = artifact
      yield { type: 'text-start', id: artifact }
    }
    this.text += delta
    yield { type: 'text-delta', id: artifact, delta }
  }
}
