/**
 * A task while something happens to it: mutable, so that an appended chunk costs its own size and not the task's
 * (spec a2a 6.2 no. 9). Everyone outside gets shallow copies. It numbers its updates from 1, holds the last of them,
 * and hands each to its readers in the same order (2.6).
 */
import { Buffer } from 'node:buffer'
import type { Numbered } from '../engine.js'
import { A2AError } from '../errors.js'
import type { Limits } from '../limits.js'
import {
  type Artifact,
  type ArtifactUpdate,
  isInterrupted,
  isTerminal,
  type JsonRecord,
  type Message,
  type Part,
  type StreamResponse,
  type Task,
  type TaskStatus,
} from '../model.js'
import type { TaskRecord } from '../task-store.js'
import { appendParts, askedIn } from './apply.js'
import type { Transition } from './live-tasks.js'
import type { Notices } from './notices.js'
import { Ring } from './ring.js'
import { Subscription } from './subscription.js'
import type { Turn } from './turn.js'

type MutableArtifact = Omit<Artifact, 'parts'> & { readonly parts: Part[]; bytes: number }

export class LiveTask {
  readonly id: string
  readonly contextId: string
  readonly owner: string
  readonly tenant: string
  /** The turn that works, and those that wait. */
  turn: Turn | undefined
  readonly waiting: Turn[] = []
  /** A turn works, or a cancel is written: what comes in waits. */
  busy = false
  canceling: Promise<void> | undefined
  /** It is in the store: until then it exists for nobody but its first caller. */
  isStored = false
  /** The last write to the store; never rejects. */
  saving: Promise<unknown> = Promise.resolve()
  /** Writes that are not done. */
  writes = 0
  /** It has changed since it was last written, by so many bytes. */
  dirty = false
  unsavedBytes = 0
  publishedBytes = 0
  /** Told of every update, in order; undefined while it has no push config. */
  notices: Notices | undefined
  held: TaskRecord['held']
  /** Names given to artifacts without one, published or not. */
  readonly takenIds = new Set<string>()
  idleSince: number
  readonly subscriptions = new Set<Subscription>()

  readonly #limits: Limits
  readonly #now: () => number
  readonly #ring: Ring
  readonly #artifacts = new Map<string, MutableArtifact>()
  readonly #metadata: JsonRecord | undefined
  #history: Message[]
  #historyBytes = 0
  #status: TaskStatus
  #seq: number
  #artifactBytes = 0
  #snapshot: Task | undefined

  constructor(record: Omit<TaskRecord, 'updatedAt'>, limits: Limits, now: () => number) {
    const { task } = record
    this.id = task.id
    this.contextId = task.contextId
    this.owner = record.owner
    this.tenant = record.tenant
    this.held = record.held
    this.idleSince = now()
    this.#limits = limits
    this.#now = now
    this.#ring = new Ring(limits.ringUpdates, limits.ringBytes)
    this.#status = task.status
    this.#seq = record.seq
    this.#metadata = task.metadata
    this.#history = []
    for (const message of task.history ?? []) this.#addMessage(message)
    for (const artifact of task.artifacts ?? []) this.#putArtifact({ artifact })
  }

  get status(): TaskStatus {
    return this.#status
  }

  get terminal(): boolean {
    return isTerminal(this.#status.state)
  }

  get seq(): number {
    return this.#seq
  }

  get history(): readonly Message[] {
    return this.#history
  }

  hasArtifact(id: string): boolean {
    return this.#artifacts.has(id)
  }

  /** True when this update would break the caps on artifacts (spec a2a 7.6). */
  wouldOverflow({ artifact, append }: Omit<ArtifactUpdate, 'taskId' | 'contextId'>): boolean {
    const before = this.#artifacts.get(artifact.artifactId)
    if (before === undefined && this.#artifacts.size >= this.#limits.artifacts) return true
    const replaced = append === true ? 0 : (before?.bytes ?? 0)
    return this.#artifactBytes - replaced + bytesOf(artifact) > this.#limits.artifactBytes
  }

  /** A copy that later updates do not reach. */
  snapshot(): Task {
    this.#snapshot ??= {
      id: this.id,
      contextId: this.contextId,
      status: this.#status,
      ...(this.#artifacts.size > 0 && {
        artifacts: Array.from(this.#artifacts.values(), ({ bytes: _, ...artifact }) => ({
          ...artifact,
          parts: [...artifact.parts],
        })),
      }),
      ...(this.#history.length > 0 && { history: [...this.#history] }),
      ...(this.#metadata && { metadata: this.#metadata }),
    }
    return this.#snapshot
  }

  /** For the store: as it is, or as it will be after this transition. */
  record(next?: Transition): TaskRecord {
    const task = this.snapshot()
    const history = [...(task.history ?? []), ...(next ? this.#moved(next) : [])]
    const held = next ? next.held : this.held
    return {
      task: next ? { ...task, status: next.status, ...(history.length > 0 && { history }) } : task,
      owner: this.owner,
      tenant: this.tenant,
      seq: next ? this.#seq + 1 : this.#seq,
      updatedAt: this.#now(),
      ...(held && { held }),
    }
  }

  /** Changes the state: history first, so that a reader never sees the one without the other. */
  move(next: Transition): void {
    for (const message of this.#moved(next)) this.#addMessage(message)
    this.held = next.held
    this.#setStatus(next.status)
    const { state } = next.status
    if (!isTerminal(state) && !isInterrupted(state)) return
    for (const reader of [...this.subscriptions]) {
      if (isTerminal(state) || reader.turn === undefined || reader.turn === next.turn) this.#end(reader)
    }
  }

  /** WORKING, said again with another message: no change of state. */
  progress(status: TaskStatus): void {
    this.#setStatus(status)
  }

  #addMessage(message: Message): void {
    this.#snapshot = undefined
    this.#history.push(message)
    this.#historyBytes += jsonBytes(message)
    const { historyMessages, historyBytes } = this.#limits
    while (
      this.#history.length > 1 &&
      (this.#history.length > historyMessages || this.#historyBytes > historyBytes)
    ) {
      this.#historyBytes -= jsonBytes(this.#history.shift())
    }
  }

  putArtifact(update: Omit<ArtifactUpdate, 'taskId' | 'contextId'>): void {
    const bytes = this.#putArtifact(update)
    const { id: taskId, contextId } = this
    this.#publish({ artifactUpdate: { taskId, contextId, ...update } }, bytes)
  }

  /**
   * A reader from here on: behind a snapshot, or behind the updates after `after` where they are still held. It ends with
   * the turn, or with the next state that ends or asks for something.
   */
  subscribe(after?: number, turn?: Turn): Subscription {
    if (this.subscriptions.size >= this.#limits.streamsPerTask) {
      throw new A2AError('RATE_LIMITED', 'Too many streams on this task', { retryAfterSeconds: 1 })
    }
    const { streamBytes: bytes, streamStallMs: stallMs } = this.#limits
    const reader = new Subscription({ bytes, stallMs, now: this.#now }, turn)
    const missed = after === undefined ? undefined : this.#ring.after(after, this.#seq)
    if (missed === undefined) {
      const snapshot = { seq: this.#seq, event: { task: this.snapshot() } }
      reader.push(after === undefined ? snapshot : { ...snapshot, gap: true }, 0)
    } else for (const numbered of missed) reader.push(numbered, 0)
    // It was missing the end of its stream.
    const hasEnd = missed !== undefined && missed.length > 0 && isInterrupted(this.#status.state)
    if (this.terminal || hasEnd || turn?.isOver) reader.end()
    else this.subscriptions.add(reader)
    return reader
  }

  endStreams(): void {
    for (const reader of [...this.subscriptions]) this.#end(reader)
  }

  unsubscribe(reader: Subscription): void {
    this.#end(reader)
  }

  #moved({ message }: Transition): readonly Message[] {
    return [askedIn(this.#status), message].filter((moved) => moved !== undefined)
  }

  #setStatus(status: TaskStatus): void {
    this.#status = status
    const { id: taskId, contextId } = this
    this.#publish({ statusUpdate: { taskId, contextId, status } }, jsonBytes(status))
  }

  #end(reader: Subscription): void {
    reader.end()
    this.subscriptions.delete(reader)
  }

  #publish(event: StreamResponse, bytes: number): void {
    this.#seq++
    this.#snapshot = undefined
    this.dirty = true
    this.unsavedBytes += bytes
    this.publishedBytes += bytes
    const numbered: Numbered = { seq: this.#seq, event }
    this.#ring.push(numbered, bytes)
    for (const reader of this.subscriptions) {
      reader.push(numbered, bytes)
      if (!reader.open) this.subscriptions.delete(reader)
    }
    this.notices?.heard(event)
  }

  #putArtifact({ artifact, append }: Omit<ArtifactUpdate, 'taskId' | 'contextId'>): number {
    const bytes = bytesOf(artifact)
    const before = this.#artifacts.get(artifact.artifactId)
    if (before !== undefined && append === true) {
      const { parts: more, ...rest } = artifact
      appendParts(before.parts, more)
      Object.assign(before, rest)
      before.bytes += bytes
    } else {
      this.#artifactBytes -= before?.bytes ?? 0
      this.#artifacts.set(artifact.artifactId, { ...artifact, parts: [...artifact.parts], bytes })
    }
    this.#artifactBytes += bytes
    return bytes
  }
}

const jsonBytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

/** Of text its own length, of anything else that of its JSON. */
function bytesOf({ parts, artifactId: _, ...rest }: Artifact): number {
  let bytes = jsonBytes(rest)
  for (const part of parts) {
    bytes += part.text === undefined ? jsonBytes(part) : Buffer.byteLength(part.text)
  }
  return bytes
}
