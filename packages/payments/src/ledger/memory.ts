/**
 * The obvious store: a map in this process. It is lost with the process, and with it every open claim (spec solana 8,
 * R6); two processes that share a sponsor key or a route need a store that both can reach.
 */
import type { LedgerStore } from './store.js'

interface Entry {
  readonly text: string
  readonly until: number
}

/** Writes between two sweeps of what is over. */
const SWEEP_EVERY = 1_000

export function memoryStore(options: { readonly now?: () => number } = {}): LedgerStore {
  const { now = Date.now } = options
  const entries = new Map<string, Entry>()
  let writes = 0

  const live = (key: string): string | undefined => {
    const entry = entries.get(key)
    return entry !== undefined && entry.until > now() ? entry.text : undefined
  }
  const sweep = (): void => {
    const time = now()
    for (const [key, { until }] of entries) if (until <= time) entries.delete(key)
  }

  return {
    reach: 'process',
    get: async (key) => live(key),
    // Complete before any await (R1).
    async swap(key, expected, next, ttlMs) {
      if (live(key) !== expected) return false
      if (next === undefined) entries.delete(key)
      else entries.set(key, { text: next, until: now() + ttlMs })
      if (++writes % SWEEP_EVERY === 0) sweep()
      return true
    },
    keys: async (prefix) =>
      [...entries.keys()].filter((key) => key.startsWith(prefix) && live(key) !== undefined),
    async close() {
      entries.clear()
    },
  }
}
