/**
 * Time stamps of `agent.request` (spec a2a 3.3): `YYYY-MM-DDTHH:mm:ss[.1-9 digits]Z` and nothing else, at most 60 s old
 * and at most 30 s ahead.
 */

export interface StampWindow {
  /** ms, 60 000 by default. */
  readonly pastMs: number
  /** ms, 30 000 by default. */
  readonly futureMs: number
}

export const DEFAULT_WINDOW: StampWindow = { pastMs: 60_000, futureMs: 30_000 }

const STAMP = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/

/** Milliseconds since 1970, with a fraction beyond them; undefined for another grammar or a day that is not. */
export function readStamp(text: string): number | undefined {
  const match = STAMP.exec(text)
  if (match === null) return undefined
  const [, seconds = '', fraction = ''] = match
  const whole = Date.parse(`${seconds}Z`)
  // A day such as February 30 rolls over where it does not fail.
  if (Number.isNaN(whole) || !new Date(whole).toISOString().startsWith(seconds)) return undefined
  return whole + Number(`0.${fraction || '0'}`) * 1000
}

/** Now, with milliseconds. */
export function writeStamp(now: number): string {
  return new Date(now).toISOString()
}

export function isInWindow(stamp: number, now: number, { pastMs, futureMs }: StampWindow): boolean {
  return stamp >= now - pastMs && stamp <= now + futureMs
}
