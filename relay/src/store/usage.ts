/** What a transaction adds to and takes from each kind, see the usage keys of `index-keys.ts`. */
import { canonicalSize, type Event } from '@aetherkit/core'
import type { Amount } from './store.js'

export function sumOf(usage: readonly Amount[]): Amount {
  return {
    events: usage.reduce((sum, { events }) => sum + events, 0),
    bytes: usage.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

export class UsageChange {
  readonly #byKind = new Map<number, Amount>()
  /** Of all kinds; negative when more was taken than added. */
  bytes = 0

  add(event: Event, sign: 1 | -1): void {
    const { events, bytes } = this.#byKind.get(event.kind) ?? { events: 0, bytes: 0 }
    const size = sign * canonicalSize(event)
    this.#byKind.set(event.kind, { events: events + sign, bytes: bytes + size })
    this.bytes += size
  }

  /** The new value of the usage key of each kind; undefined: it goes. */
  values(old: (kind: number) => Buffer | undefined): [kind: number, value: Buffer | undefined][] {
    return [...this.#byKind].map(([kind, change]) => {
      const before = old(kind)
      const events = Number(before?.readBigUInt64BE(0) ?? 0n) + change.events
      const bytes = Number(before?.readBigUInt64BE(8) ?? 0n) + change.bytes
      return [kind, events <= 0 ? undefined : usageValue(events, bytes)]
    })
  }
}

function usageValue(events: number, bytes: number): Buffer {
  const value = Buffer.allocUnsafe(16)
  value.writeBigUInt64BE(BigInt(events), 0)
  value.writeBigUInt64BE(BigInt(Math.max(bytes, 0)), 8)
  return value
}
