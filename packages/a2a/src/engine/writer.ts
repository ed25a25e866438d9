/**
 * What an executor writes, on its way to the task (spec a2a 6.2 no. 10): text is collected for at most 50 ms or 8 KiB,
 * order is kept, and one turn of the event loop publishes a bounded amount, so that readers that keep up are never cut
 * by a producer that does not wait.
 */
import type { Limits } from '../limits.js'
import type { Artifact, ArtifactUpdate, JsonRecord } from '../model.js'
import { type Deferred, deferred } from './deferred.js'

export interface Sink {
  hasArtifact(id: string): boolean
  artifact(update: Omit<ArtifactUpdate, 'taskId' | 'contextId'>): void
  progress(text: string, metadata?: JsonRecord): void
}

type Item = { readonly size: number; publish(): void }
interface Streamed {
  readonly id: string
  readonly name: string | undefined
  readonly mediaType: string | undefined
}

/** UTF-16 units; of one update, and of what one turn of the event loop publishes. */
const MAX_UPDATE = 64 * 1024
const MAX_PER_TURN = 128 * 1024

export class Writer {
  readonly #sink: Sink
  readonly #limits: Limits
  /** Artifacts that a write goes on with; another is begun, or begun again. */
  readonly #begun: (id: string) => boolean
  readonly #own = new Set<string>()
  readonly #items: Item[] = []
  #open = true
  #text = ''
  #target: Streamed | undefined
  #timer: NodeJS.Timeout | undefined
  /** What this turn of the event loop may still publish; undefined before it has published anything. */
  #budget: number | undefined
  #empty: Deferred<void> | undefined

  /** `afresh`: artifacts of an earlier execution are begun again, not gone on with. */
  constructor(sink: Sink, limits: Limits, afresh: boolean) {
    this.#sink = sink
    this.#limits = limits
    this.#begun = (id) => this.#own.has(id) || (!afresh && sink.hasArtifact(id))
  }

  write(text: string, target: Streamed): void {
    if (!this.#open || text === '') return
    if (this.#target?.id !== target.id || this.#target.mediaType !== target.mediaType) this.#collect()
    this.#target ??= target
    this.#text += text
    if (this.#text.length >= this.#limits.coalesceBytes) this.#collect()
    else this.#timer ??= setTimeout(() => this.#collect(), this.#limits.coalesceMs)
  }

  artifact(artifact: Artifact): void {
    this.#put(JSON.stringify(artifact).length, () => {
      this.#own.add(artifact.artifactId)
      this.#sink.artifact({ artifact, lastChunk: true })
    })
  }

  progress(text: string, metadata?: JsonRecord): void {
    this.#put(text.length, () => this.#sink.progress(text, metadata))
  }

  /** Resolves when everything so far is published, but for what is collected. */
  paced(): Promise<void> {
    if (this.#items.length === 0) return Promise.resolve()
    this.#empty ??= deferred()
    return this.#empty.promise
  }

  /** Resolves when everything so far is published. */
  flush(): Promise<void> {
    this.#collect()
    return this.paced()
  }

  /** What is not published by now never is. */
  close(): void {
    this.#open = false
    clearTimeout(this.#timer)
    this.#items.length = 0
    this.#empty?.resolve()
  }

  #put(size: number, publish: () => void): void {
    if (!this.#open) return
    this.#collect()
    this.#items.push({ size, publish })
    this.#pump()
  }

  #collect(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const target = this.#target
    const text = this.#text
    this.#target = undefined
    this.#text = ''
    if (target === undefined || !this.#open) return
    for (const piece of pieces(text)) {
      this.#items.push({ size: piece.length, publish: () => this.#publishText(target, piece) })
    }
    this.#pump()
  }

  #publishText({ id, name, mediaType }: Streamed, text: string): void {
    const append = this.#begun(id)
    this.#own.add(id)
    const parts = [{ text, ...(mediaType !== undefined && { mediaType }) }]
    const artifact = { artifactId: id, ...(!append && name !== undefined && { name }), parts }
    this.#sink.artifact(append ? { artifact, append } : { artifact })
  }

  #pump(): void {
    while (this.#items.length > 0 && (this.#budget ?? MAX_PER_TURN) > 0) {
      if (this.#budget === undefined) {
        this.#budget = MAX_PER_TURN
        setImmediate(() => {
          this.#budget = undefined
          this.#pump()
        })
      }
      const item = this.#items.shift()
      this.#budget -= item?.size ?? 0
      item?.publish()
    }
    if (this.#items.length > 0) return
    this.#empty?.resolve()
    this.#empty = undefined
  }
}

/** In updates of bounded size, no surrogate pair cut. */
function* pieces(text: string): Generator<string> {
  for (let from = 0; from < text.length; ) {
    let to = Math.min(from + MAX_UPDATE, text.length)
    const unit = text.charCodeAt(to - 1)
    if (to < text.length && unit >= 0xd800 && unit <= 0xdbff) to--
    yield text.slice(from, to)
    from = to
  }
}
