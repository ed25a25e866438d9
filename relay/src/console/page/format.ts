/** Numbers and names as the console writes them. */

const NS_PER_MS = 1_000_000n
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

export function formatBytes(bytes: number): string {
  let [value, unit] = [bytes, 0]
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024
    unit++
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`
}

export function formatCount(count: number): string {
  return count.toLocaleString('en')
}

export function formatAge(seconds: number): string {
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}

/** Time of day, with the date when it is not today; digits of nanoseconds. */
export function formatTime(nanoseconds: string): string {
  const date = new Date(Number(BigInt(nanoseconds) / NS_PER_MS))
  if (Number.isNaN(date.getTime())) return `${nanoseconds} ns`
  const pad = (value: number) => String(value).padStart(2, '0')
  const time = [date.getHours(), date.getMinutes(), date.getSeconds()].map(pad).join(':')
  const isToday = date.toDateString() === new Date().toDateString()
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`
  return isToday ? time : `${day} ${time}`
}

export function shortKey(hex: string): string {
  return `${hex.slice(0, 8)}…${hex.slice(-4)}`
}

/** `key=value` as a tag; undefined for an empty text, and for one without a key. */
export function readTag(text: string): readonly [key: string, value: string] | undefined {
  const at = text.indexOf('=')
  const [key, value] = at === -1 ? [text.trim(), ''] : [text.slice(0, at).trim(), text.slice(at + 1).trim()]
  return key === '' ? undefined : [key, value]
}
