/**
 * Events from lines of JSON into a store that no relay has open. Every id and signature is checked; the time window is
 * not (spec 3.1). An import that was interrupted may begin again: what is stored is passed over before any crypto.
 */
import {
  checkLimits,
  type Event,
  isEphemeral,
  kindClass,
  parseJson,
  type RejectCode,
  readEvent,
  reject,
} from '@aetherkit/core'
import { isExpired } from '../expiration.js'
import type { PutStatus, Store } from '../store/store.js'
import type { VerifyPool } from '../verify-pool.js'

export interface ImportOptions {
  readonly pool: VerifyPool
  /** Unix time in nanoseconds: what is over then is not taken. */
  readonly now: bigint
  /** Lines at the start that an earlier run has reported as done. */
  readonly skipLines?: number
  /** Lines of one transaction, default 1000. */
  readonly batch?: number
  /** After each transaction, when it is on disk. */
  onProgress?(report: ImportReport): void
}

/** What became of the lines; empty ones and those skipped only count as lines. */
export interface ImportReport extends Readonly<Record<PutStatus, number>> {
  /** Everything up to this line is done; the first is 1. */
  readonly lines: number
  readonly invalid: Readonly<Partial<Record<RejectCode, number>>>
  /** The first lines that were refused, at most ten. */
  readonly refused: readonly { readonly line: number; readonly code: RejectCode }[]
}

type Verdict = Event | RejectCode | 'duplicate' | 'empty'

const MAX_REFUSED = 10

/**
 * `lines`: as `linesOf` gives them, undefined for one that is too long.
 * Rejects with the StoreError of {@link Store.put}; the last report of `onProgress` then says where to go on.
 */
export async function importEvents(
  store: Store,
  lines: AsyncIterable<string | undefined>,
  options: ImportOptions,
): Promise<ImportReport> {
  const { skipLines = 0, batch = 1000, onProgress } = options
  const counts = new Counts()
  let seq = store.lastSeq
  // While one batch is being written, the next is being checked.
  let writing: Promise<void> = Promise.resolve()

  async function write(verdicts: readonly Verdict[]): Promise<void> {
    const stored = verdicts.flatMap((verdict) =>
      typeof verdict === 'string' ? [] : [{ seq: ++seq, event: verdict }],
    )
    const outcomes = stored.length === 0 ? [] : await store.put(stored)
    counts.add(
      verdicts,
      outcomes.map(({ status }) => status),
    )
    onProgress?.(counts.report())
  }

  async function take(taken: readonly (string | undefined)[]): Promise<void> {
    const verdicts = await Promise.all(taken.map((line) => check(store, line, options)))
    await writing
    writing = write(verdicts)
    // It is awaited later.
    writing.catch(() => undefined)
  }

  let waiting: (string | undefined)[] = []
  for await (const line of lines) {
    if (counts.lines + waiting.length < skipLines && waiting.length === 0) {
      counts.lines++
      continue
    }
    waiting.push(line)
    if (waiting.length < batch) continue
    await take(waiting)
    waiting = []
  }
  await take(waiting)
  await writing
  return counts.report()
}

async function check(store: Store, line: string | undefined, { pool, now }: ImportOptions): Promise<Verdict> {
  if (line === undefined) return 'too_large'
  if (line.trim() === '') return 'empty'
  const json = parseJson(line)
  if (!json.ok) return json.code
  const read = readEvent(json.value, { base64: true })
  if (!read.ok) return read.code
  const { event, rounded } = read
  const refusal =
    (kindClass(event.kind) === undefined ? reject('kind_out_of_range') : undefined) ??
    (isEphemeral(event.kind) ? reject('kind_unsupported') : undefined) ??
    checkLimits(event) ??
    (isExpired(event, now) ? reject('expired') : undefined)
  if (refusal !== undefined) return refusal.code
  if (store.has(event.id) && store.get(event.id)?.event.sig === event.sig) return 'duplicate'
  const verdict = await new Promise((resolve) => {
    if (!pool.submit({ event, rounded }, resolve)) resolve('failed')
  })
  if (verdict === 'id_mismatch' || verdict === 'invalid_signature') return verdict
  if (verdict === 'repaired' && rounded !== undefined) return { ...event, createdAt: rounded }
  if (verdict !== 'valid') throw new Error('the verify pool has failed: begin the import again')
  return event
}

class Counts {
  lines = 0
  readonly #statuses: Record<PutStatus, number> = { stored: 0, duplicate: 0, superseded: 0, deleted: 0 }
  readonly #invalid = new Map<RejectCode, number>()
  readonly #refused: { line: number; code: RejectCode }[] = []

  add(verdicts: readonly Verdict[], outcomes: readonly PutStatus[]): void {
    let at = 0
    for (const verdict of verdicts) {
      this.lines++
      if (typeof verdict !== 'string') this.#statuses[outcomes[at++]!]++
      else if (verdict === 'duplicate') this.#statuses.duplicate++
      else if (verdict !== 'empty') {
        this.#invalid.set(verdict, (this.#invalid.get(verdict) ?? 0) + 1)
        if (this.#refused.length < MAX_REFUSED) this.#refused.push({ line: this.lines, code: verdict })
      }
    }
  }

  report(): ImportReport {
    return {
      lines: this.lines,
      ...this.#statuses,
      invalid: Object.fromEntries(this.#invalid),
      refused: [...this.#refused],
    }
  }
}
