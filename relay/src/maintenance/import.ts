/**
 * Events from lines of JSON into stores that no relay has open. Every id and signature is checked; the time window is
 * not (spec 3.1). An import that was interrupted may begin again: what is stored is passed over before any crypto.
 * A line is a genuine Nostr event when its hash says so (spec 9.3), else an Aether event.
 */
import {
  checkLimits,
  type Event,
  isEphemeral,
  isJsonObject,
  type JsonValue,
  kindClass,
  parseJson,
  type Reject,
  type RejectCode,
  readEvent,
  reject,
} from '@aetherkit/core'
import { checkNostr } from '../admit.js'
import { isExpired } from '../expiration.js'
import { LIMITS } from '../limits.js'
import { NostrEvent, readNostrEvent } from '../nostr-event.js'
import type { PutOutcome, PutStatus, Store, StoredEvent } from '../store/store.js'
import type { VerifyPool } from '../verify-pool.js'

export interface ImportOptions {
  readonly pool: VerifyPool
  /** Of genuine Nostr events, opened when the first one comes. Absent: they are refused with `unsupported`. */
  readonly nostr?: () => Store
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
  const stores = new Stores(store, options.nostr)
  // While one batch is being written, the next is being checked.
  let writing: Promise<void> = Promise.resolve()

  async function write(verdicts: readonly Verdict[]): Promise<void> {
    const events = verdicts.filter((verdict) => typeof verdict !== 'string')
    const outcomes = await stores.put(events)
    counts.add(
      verdicts,
      outcomes.map(({ status }) => status),
    )
    onProgress?.(counts.report())
  }

  async function take(taken: readonly (string | undefined)[]): Promise<void> {
    const verdicts = await Promise.all(taken.map((line) => check(stores, line, options)))
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

/** The store of each protocol. The seq is one for both, as in a relay. */
class Stores {
  readonly #aether: Store
  readonly #openNostr: (() => Store) | undefined
  #nostr: Store | undefined
  #seq: bigint

  constructor(aether: Store, openNostr: (() => Store) | undefined) {
    this.#aether = aether
    this.#openNostr = openNostr
    this.#seq = aether.lastSeq
  }

  /** Undefined: there is none for it. */
  of(event: Event): Store | undefined {
    if (!NostrEvent.is(event)) return this.#aether
    this.#nostr ??= this.#openNostr?.()
    if (this.#nostr !== undefined && this.#nostr.lastSeq > this.#seq) this.#seq = this.#nostr.lastSeq
    return this.#nostr
  }

  /** In the order of the events. */
  async put(events: readonly Event[]): Promise<readonly PutOutcome[]> {
    const outcomes = new Map<StoredEvent, PutOutcome>()
    const all = events.map((event): StoredEvent => ({ seq: ++this.#seq, event }))
    for (const store of [this.#aether, this.#nostr]) {
      const own = all.filter(({ event }) => this.of(event) === store)
      if (store === undefined || own.length === 0) continue
      const put = await store.put(own)
      for (const [i, stored] of own.entries()) outcomes.set(stored, put[i] ?? { status: 'duplicate' })
    }
    return all.map((stored) => outcomes.get(stored) ?? { status: 'duplicate' })
  }
}

async function check(
  stores: Stores,
  line: string | undefined,
  { pool, now }: ImportOptions,
): Promise<Verdict> {
  if (line === undefined) return 'too_large'
  if (line.trim() === '') return 'empty'
  const json = parseJson(line)
  if (!json.ok) return json.code
  const read = readLine(json.value)
  if (!read.ok) return read.code
  const { event, rounded } = read
  const store = stores.of(event)
  if (store === undefined) return 'unsupported'
  const refusal =
    (NostrEvent.is(event) ? checkNostr(event, LIMITS) : checkAether(event)) ??
    (isEphemeral(event.kind) ? reject('kind_unsupported') : undefined) ??
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

function readLine(
  value: JsonValue,
): { ok: true; event: Event; rounded?: bigint } | { ok: false; code: RejectCode } {
  const nostr = isJsonObject(value) ? readNostrEvent(value) : undefined
  return nostr === undefined ? readEvent(value, { base64: true }) : { ok: true, event: nostr }
}

function checkAether(event: Event): Reject | undefined {
  return (kindClass(event.kind) === undefined ? reject('kind_out_of_range') : undefined) ?? checkLimits(event)
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
