/**
 * Publishing (spec 2.2, 7.2, 12): make, sign, send to every relay, settle on their verdicts. The same event is sent
 * again after a reconnect and after `retry_after_ms`: relays answer `duplicate`, so that it is there once.
 */
import {
  blake3,
  canonicalBytes,
  canonicalSize,
  checkLimits,
  completeTemplate,
  type Event,
  type EventTemplate,
  toHex,
} from '@aetherkit/core'
import type { Connection } from './connection.js'
import { checkTimeout, type Deferred, deferred, timerMs } from './deadline.js'
import { ClientError, type Verdict } from './errors.js'
import type { InFrame } from './format.js'
import type { Signer } from './signer.js'

export interface PublishOptions {
  readonly signal?: AbortSignal | undefined
  /** Milliseconds, default 10 000. */
  readonly timeoutMs?: number | undefined
  /** How many relays must accept it, default 1. */
  readonly quorum?: number | undefined
}

/** What became of an event. */
export interface Published {
  readonly id: string
  readonly event: Event
  /** By relay URL. A relay without a session when the others had answered is `disconnected`. */
  readonly relays: Readonly<Record<string, Verdict>>
}

export interface PublisherOptions {
  readonly signer: Signer
  readonly clock: () => bigint
  /** Publishes that wait for a verdict, at most; their bytes are bounded by 64 MiB. */
  readonly maxPending: number
}

const MAX_BYTES = 64 * 1024 * 1024

interface Job {
  readonly event: Event
  readonly bytes: number
  readonly quorum: number
  /** Of `performance.now()`. */
  readonly deadline: number
  readonly verdicts: Map<string, Verdict>
  /** Relays that were sent it in their present session, and after how many proofs of who we are. */
  readonly sent: Map<string, number>
  readonly retries: Map<string, ReturnType<typeof setTimeout>>
  readonly settled: Deferred<Published>
}

export class Publisher {
  readonly #options: PublisherOptions
  readonly #connections = new Map<string, Connection>()
  readonly #jobs = new Map<string, Set<Job>>()
  #count = 0
  #bytes = 0
  #closed = false

  constructor(options: PublisherOptions) {
    this.#options = options
  }

  add(connection: Connection): void {
    this.#connections.set(connection.url, connection)
  }

  /**
   * Signs a template, or takes an event as it is, and settles when `quorum` relays accepted it and every connected one
   * has answered.
   * @throws ClientError REJECTED, TIMEOUT or DISCONNECTED, with `relays`; TOO_LARGE, QUEUE_FULL, CLOSED; the signal's
   * reason; TypeError or RangeError for a template that makes no event.
   */
  async publish(what: EventTemplate | Event, options: PublishOptions = {}): Promise<Published> {
    const { signal, timeoutMs = 10_000, quorum = 1 } = options
    checkTimeout(timeoutMs)
    if (!Number.isInteger(quorum) || quorum < 1 || quorum > this.#connections.size)
      throw new RangeError(`quorum must be 1 to ${this.#connections.size}, got ${quorum}`)
    signal?.throwIfAborted()
    const event = isSigned(what) ? what : await this.#sign(what)
    signal?.throwIfAborted()
    const job = this.#enter(event, quorum, timeoutMs)
    const timer = setTimeout(() => this.#expire(job), timerMs(timeoutMs))
    const onAbort = () => job.settled.reject(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      for (const connection of this.#connections.values()) this.#send(job, connection)
      return await job.settled.promise
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
      this.#leave(job)
    }
  }

  /** There is a session, or the relay has heard who we are. */
  up(connection: Connection): void {
    for (const job of this.#all()) this.#send(job, connection)
  }

  down(connection: Connection): void {
    for (const job of this.#all()) {
      job.sent.delete(connection.url)
      this.#review(job)
    }
  }

  /** True when the frame was one for us. */
  frame(connection: Connection, frame: InFrame): boolean {
    if (frame.type !== 'accepted' && frame.type !== 'rejected') return false
    for (const job of this.#concerned(connection, frame.id)) {
      if (frame.type === 'accepted') {
        const { status, seq } = frame
        this.#judge(job, connection, { ok: true, status, ...(seq !== undefined && { seq }) })
      } else this.#rejected(job, connection, frame)
    }
    return true
  }

  close(): void {
    this.#closed = true
    for (const job of this.#all()) job.settled.reject(new ClientError('CLOSED'))
  }

  async #sign(template: EventTemplate): Promise<Event> {
    const { signer, clock } = this.#options
    const createdAt = template.createdAt ?? clock()
    const unsigned = completeTemplate({ ...template, createdAt }, signer.publicKey)
    const id = blake3(canonicalBytes(unsigned))
    return { id: toHex(id), ...unsigned, sig: toHex(await signer.sign(id)) }
  }

  #enter(event: Event, quorum: number, timeoutMs: number): Job {
    const refused = checkLimits(event)
    if (refused !== undefined)
      throw new ClientError('TOO_LARGE', refused.detail, { rejectCode: refused.code })
    const bytes = canonicalSize(event)
    if (this.#closed) throw new ClientError('CLOSED')
    if (this.#count >= this.#options.maxPending || this.#bytes + bytes > MAX_BYTES)
      throw new ClientError('QUEUE_FULL')
    const job: Job = {
      event,
      bytes,
      quorum,
      deadline: performance.now() + timeoutMs,
      verdicts: new Map(),
      sent: new Map(),
      retries: new Map(),
      settled: deferred(),
    }
    const same = this.#jobs.get(event.id) ?? new Set()
    this.#jobs.set(event.id, same.add(job))
    this.#count++
    this.#bytes += bytes
    return job
  }

  #leave(job: Job): void {
    for (const timer of job.retries.values()) clearTimeout(timer)
    const same = this.#jobs.get(job.event.id)
    if (same?.delete(job) !== true) return
    if (same.size === 0) this.#jobs.delete(job.event.id)
    this.#count--
    this.#bytes -= job.bytes
  }

  *#all(): Generator<Job> {
    for (const same of [...this.#jobs.values()]) yield* [...same]
  }

  /** A reference relay names no event: it answers in order (spec 7.2). */
  #concerned(connection: Connection, id: string | undefined): Iterable<Job> {
    if (id !== undefined) return this.#jobs.get(id) ?? []
    if (connection.session?.epoch !== undefined) return []
    for (const job of this.#all()) {
      if (job.sent.has(connection.url) && !job.verdicts.has(connection.url)) return [job]
    }
    return []
  }

  #send(job: Job, connection: Connection): void {
    const { url } = connection
    if (job.verdicts.has(url) || job.sent.has(url) || job.retries.has(url)) return
    try {
      if (connection.send({ type: 'publish', event: job.event })) job.sent.set(url, connection.proofs)
    } catch {
      const error = 'the relay takes no content that is not text'
      this.#judge(job, connection, { ok: false, code: 'unsupported', error })
    }
  }

  #rejected(job: Job, connection: Connection, frame: Extract<InFrame, { type: 'rejected' }>): void {
    const { code, error, retryAfterMs } = frame
    // It closes, and is sent the event again when it is back.
    if (code === 'going_away') return
    const again = code === 'auth_required' ? connection.again(job.sent.get(connection.url) ?? 0) : 'never'
    if (again !== 'never') {
      job.sent.delete(connection.url)
      if (again === 'now') this.#send(job, connection)
      return
    }
    if (retryAfterMs === undefined || performance.now() + retryAfterMs >= job.deadline) {
      this.#judge(job, connection, { ok: false, code, error })
      return
    }
    const { url } = connection
    if (job.retries.has(url)) return
    const retry = () => {
      job.retries.delete(url)
      job.sent.delete(url)
      this.#send(job, connection)
    }
    job.retries.set(url, setTimeout(retry, timerMs(retryAfterMs)))
  }

  #judge(job: Job, connection: Connection, verdict: Verdict): void {
    job.verdicts.set(connection.url, verdict)
    this.#review(job)
  }

  #review(job: Job): void {
    const verdicts = [...job.verdicts.values()]
    const accepted = verdicts.filter(({ ok }) => ok).length
    const open = [...this.#connections.values()].filter(({ url }) => !job.verdicts.has(url))
    if (accepted >= job.quorum) {
      if (open.every(({ session }) => session === undefined)) job.settled.resolve(this.#report(job))
    } else if (accepted + open.length < job.quorum) {
      const said = verdicts.find((verdict) => !verdict.ok)
      const message = said === undefined || said.ok ? undefined : `refused by the relays: ${said.error}`
      const code = said === undefined || said.ok ? undefined : said.code
      const rejectCode = code === 'disconnected' ? undefined : code
      const facts = { relays: this.#report(job).relays, ...(rejectCode !== undefined && { rejectCode }) }
      job.settled.reject(new ClientError('REJECTED', message, facts))
    }
  }

  /** Time is up: a relay that never answered does not undo what others accepted. */
  #expire(job: Job): void {
    const report = this.#report(job)
    const verdicts = Object.values(report.relays)
    const connected = verdicts.some((verdict) => verdict.ok || verdict.code !== 'disconnected')
    const facts = { relays: report.relays }
    if (verdicts.filter(({ ok }) => ok).length >= job.quorum) job.settled.resolve(report)
    else job.settled.reject(new ClientError(connected ? 'TIMEOUT' : 'DISCONNECTED', undefined, facts))
  }

  #report({ event, verdicts }: Job): Published {
    const relays: Record<string, Verdict> = {}
    for (const { url, session } of this.#connections.values()) {
      const missing: Verdict =
        session === undefined
          ? { ok: false, code: 'disconnected', error: 'no session with the relay' }
          : { ok: false, code: 'timeout', error: 'no answer in time' }
      relays[url] = verdicts.get(url) ?? missing
    }
    return { id: event.id, event, relays }
  }
}

function isSigned(what: EventTemplate | Event): what is Event {
  return 'sig' in what && 'id' in what
}
