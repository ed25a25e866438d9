/** How figures are written. */

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

export function count(number: number): string {
  return Math.round(number).toLocaleString('en-US')
}

export function milliseconds(time: number): string {
  return `${time < 10 ? time.toFixed(1) : time.toFixed(0)} ms`
}

/** What came back, the most frequent first: `invalid_message 812, closed 1007 3`. */
export function histogram(counts: Readonly<Record<string, number>>, most = Number.POSITIVE_INFINITY): string {
  const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a)
  const shown = sorted.slice(0, most).map(([name, times]) => `${name} ${count(times)}`)
  return [...shown, ...(sorted.length > most ? [`${sorted.length - most} more`] : [])].join(', ') || 'nothing'
}
