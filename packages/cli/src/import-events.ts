/** Signed events from lines into a relay: many under way at a time, each line judged once, the place always known. */
import { type Client, ClientError } from '@aetherkit/client'
import { canonicalSize, type Event, type RejectCode, type Status } from '@aetherkit/core'
import type { Line } from './input.js'
import { readSigned } from './signed-event.js'

export interface ImportOptions {
  readonly signal: AbortSignal
  readonly timeoutMs: number
  /** Events under way at most. */
  readonly window: number
  /** Lines at the start that an earlier run has done. */
  readonly skip: number
  onProgress(report: ImportReport): void
}

export interface ImportReport {
  /** All up to this line are done; the first is 1. */
  lines: number
  /** Bytes of input up to there. */
  bytes: number
  readonly accepted: Partial<Record<Status, number>>
  readonly refused: Partial<Record<RejectCode, number>>
  /** The first that were refused. */
  readonly first: { readonly line: number; readonly code: RejectCode }[]
}

type Outcome = { readonly status: Status } | { readonly code: RejectCode } | 'empty'

interface Job {
  readonly line: number
  readonly end: number
  readonly size: number
  outcome: Outcome | undefined
}

const MAX_FIRST = 10
/** Canonical bytes under way at most. */
const MAX_BYTES = 16 * 1024 * 1024
/** Refusals that are about the relay, not the event: the import ends, and can go on later. */
const PASSING: ReadonlySet<RejectCode> = new Set([
  'rate_limited',
  'auth_required',
  'storage_full',
  'unavailable',
  'going_away',
  'timeout',
  'internal',
])

/** Rejects with what ended it early; the last report of `onProgress` says where to go on. */
export async function importEvents(
  publish: Client['publish'],
  lines: AsyncIterable<Line>,
  { signal, timeoutMs, window, skip, onProgress }: ImportOptions,
): Promise<ImportReport> {
  const report: ImportReport = { lines: 0, bytes: 0, accepted: {}, refused: {}, first: [] }
  const jobs: Job[] = []
  let bytes = 0
  let failed: { readonly error: unknown } | undefined
  let wake = () => {}

  const settle = (): void => {
    for (let job = jobs[0]; job?.outcome !== undefined; job = jobs[0]) {
      count(report, job, job.outcome)
      bytes -= job.size
      jobs.shift()
    }
    onProgress(report)
    wake()
  }
  const start = (line: number, { text, end }: Line): void => {
    const read = readLine(text)
    const job: Job = { line, end, size: 'event' in read ? canonicalSize(read.event) : 0, outcome: undefined }
    jobs.push(job)
    bytes += job.size
    if (!('event' in read)) {
      job.outcome = read.outcome
      settle()
      return
    }
    send(read.event)
      .then((outcome) => {
        job.outcome = outcome
      })
      .catch((error: unknown) => {
        failed ??= { error }
      })
      .finally(settle)
  }
  const send = async (event: Event): Promise<Outcome> => {
    try {
      const { relays } = await publish(event, { signal, timeoutMs })
      const verdict = Object.values(relays).find(({ ok }) => ok)
      return { status: verdict?.ok === true ? verdict.status : 'stored' }
    } catch (error) {
      const code = ClientError.is(error) ? error.rejectCode : undefined
      if (code === undefined || PASSING.has(code)) throw error
      return { code }
    }
  }
  const room = async (isEnough: () => boolean): Promise<void> => {
    while (failed === undefined && !isEnough()) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    if (failed !== undefined) throw failed.error
  }

  let number = 0
  for await (const line of lines) {
    if (++number <= skip) {
      report.lines = number
      report.bytes = line.end
      continue
    }
    start(number, line)
    await room(() => jobs.length < window && bytes < MAX_BYTES)
  }
  await room(() => jobs.length === 0)
  return report
}

function readLine(text: string | undefined): { readonly event: Event } | { readonly outcome: Outcome } {
  if (text === undefined) return { outcome: { code: 'too_large' } }
  if (text.trim() === '') return { outcome: 'empty' }
  const read = readSigned(text)
  return read.ok ? { event: read.event } : { outcome: { code: read.code } }
}

function count(report: ImportReport, { line, end }: Job, outcome: Outcome): void {
  report.lines = line
  report.bytes = end
  if (outcome === 'empty') return
  if ('status' in outcome) report.accepted[outcome.status] = (report.accepted[outcome.status] ?? 0) + 1
  else {
    report.refused[outcome.code] = (report.refused[outcome.code] ?? 0) + 1
    if (report.first.length < MAX_FIRST) report.first.push({ line, code: outcome.code })
  }
}
