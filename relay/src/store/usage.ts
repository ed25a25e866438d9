/** What is stored of each kind, see the usage keys of `index-keys.ts`, and what a transaction adds to it. */
import { canonicalSize, type Event } from '@aetherkit/core'
import { kindOfKey, usageKeys } from './index-keys.js'
import { ALL_KINDS, type Amount, type KindUsage } from './store.js'
import type { VictimReader } from './victims.js'

const KINDS = 0x10000
const LATER = 2n ** 64n

export function sumOf(usage: readonly Amount[]): Amount {
  return {
    events: usage.reduce((sum, { events }) => sum + events, 0),
    bytes: usage.reduce((sum, { bytes }) => sum + bytes, 0),
  }
}

/** Of the kinds that have events, rising. */
export function usageOf(reader: Pick<VictimReader, 'entries'>): KindUsage[] {
  return reader
    .entries(...usageKeys(ALL_KINDS), KINDS)
    .map(([key, value]) => ({ kind: kindOfKey(key), ...amountOf(value) }))
}

/** What a transaction does to one kind. */
export interface KindChange extends Amount {
  /** Created at, of what was added. */
  readonly earliest: bigint
  readonly hasRemovals: boolean
}

export class UsageChange {
  readonly #byKind = new Map<number, KindChange>()
  /** Of all kinds; negative when more was taken than added. */
  bytes = 0

  get byKind(): ReadonlyMap<number, KindChange> {
    return this.#byKind
  }

  add(event: Event, sign: 1 | -1): void {
    const { kind, createdAt } = event
    const old = this.#byKind.get(kind) ?? { events: 0, bytes: 0, earliest: LATER, hasRemovals: false }
    const size = sign * canonicalSize(event)
    this.#byKind.set(kind, {
      events: old.events + sign,
      bytes: old.bytes + size,
      earliest: sign === 1 && createdAt < old.earliest ? createdAt : old.earliest,
      hasRemovals: old.hasRemovals || sign === -1,
    })
    this.bytes += size
  }

  /** The new value of the usage key of each kind; undefined: it goes. */
  values(old: (kind: number) => Buffer | undefined): [kind: number, value: Buffer | undefined][] {
    return [...this.#byKind].map(([kind, change]) => {
      const before = old(kind)
      const { events, bytes } = before === undefined ? { events: 0, bytes: 0 } : amountOf(before)
      return [
        kind,
        events + change.events <= 0 ? undefined : usageValue(events + change.events, bytes + change.bytes),
      ]
    })
  }
}

function amountOf(value: Buffer): Amount {
  return { events: Number(value.readBigUInt64BE(0)), bytes: Number(value.readBigUInt64BE(8)) }
}

function usageValue(events: number, bytes: number): Buffer {
  const value = Buffer.allocUnsafe(16)
  value.writeBigUInt64BE(BigInt(events), 0)
  value.writeBigUInt64BE(BigInt(Math.max(bytes, 0)), 8)
  return value
}
