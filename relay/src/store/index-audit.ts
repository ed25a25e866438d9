/** Whether an index says of the stored events all that it should, and nothing else: for `verify-store` and backups. */
import { type Event, replaceKey } from '@aetherkit/core'
import { hasRightId } from '../nostr-event.js'
import { idKey, replaceIndexKey, seqKey, visitEventKeys } from './index-keys.js'
import type { StoredEvent } from './store.js'
import { UsageChange, usageOf } from './usage.js'
import type { VictimReader } from './victims.js'

/** One line: what is wrong, and where. */
export interface Damage {
  readonly file: string
  /** In bytes; absent where there is no telling. */
  readonly offset?: number
  readonly what: string
}

const PAGE = 4096
/** Sections of the index, see `index-keys.ts`. */
const IDS = 0x01
const WINNERS = 0x02
const FIRST_DIMENSION = 0x10
const BEHIND_DIMENSIONS = 0x17

export class IndexAudit {
  readonly #reader: Pick<VictimReader, 'keys' | 'entries' | 'value'>
  readonly #seed: number
  readonly #usage = new UsageChange()
  #events = 0
  #winners = 0
  #keys = 0

  constructor(reader: Pick<VictimReader, 'keys' | 'entries' | 'value'>, seed: number) {
    this.#reader = reader
    this.#seed = seed
  }

  /** Takes note of one stored event and gives what is wrong with it. */
  event(stored: StoredEvent): string[] {
    const { seq, event } = stored
    const wrong = idFault(event)
    this.#events++
    this.#usage.add(event, 1)
    if (!this.#names(idKey(event.id), seq)) wrong.push(`the index does not find the event ${event.id} by id`)
    const key = replaceKey(event)
    if (key !== undefined) {
      this.#winners++
      if (!this.#names(replaceIndexKey(key), seq)) wrong.push(`the index has another winner than ${event.id}`)
    }
    const keys = new Map<string, Buffer>()
    visitEventKeys(stored, this.#seed, (key) => keys.set(key.toString('latin1'), Buffer.from(key)))
    this.#keys += keys.size
    const missing = [...keys.values()].filter((key) => this.#reader.value(key) === undefined).length
    if (missing > 0) wrong.push(`the index lacks ${missing} of ${keys.size} keys of the event ${event.id}`)
    return wrong
  }

  /** What is wrong with the index as a whole, when every stored event was given. */
  async end(): Promise<string[]> {
    const wrong: string[] = []
    const sections: [name: string, from: number, to: number, expected: number][] = [
      ['events by id', IDS, IDS + 1, this.#events],
      ['winners', WINNERS, WINNERS + 1, this.#winners],
      ['keys to search by', FIRST_DIMENSION, BEHIND_DIMENSIONS, this.#keys],
    ]
    for (const [name, from, to, expected] of sections) {
      const found = await this.#count(Buffer.of(from), Buffer.of(to))
      if (found !== expected) wrong.push(`the index has ${found} ${name}, the events make ${expected}`)
    }
    const counted = this.#usage.values(() => undefined).flatMap(([, value]) => (value ? [value] : []))
    const kept = usageOf(this.#reader)
    const [events, bytes] = [0, 8].map((at) =>
      counted.reduce((sum, value) => sum + value.readBigUInt64BE(at), 0n),
    )
    const keptEvents = BigInt(kept.reduce((sum, kind) => sum + kind.events, 0))
    const keptBytes = BigInt(kept.reduce((sum, kind) => sum + kind.bytes, 0))
    if (keptEvents !== events || keptBytes !== bytes)
      wrong.push(
        `the index counts ${keptEvents} events of ${keptBytes} bytes, there are ${events} of ${bytes}`,
      )
    return wrong
  }

  #names(key: Buffer, seq: bigint): boolean {
    return this.#reader.value(key)?.equals(seqKey(seq)) === true
  }

  async #count(from: Buffer, to: Buffer): Promise<number> {
    for (let [count, start] = [0, from]; ; ) {
      const page = this.#reader.keys(start, to, PAGE)
      count += page.length
      const last = page.at(-1)
      if (last === undefined || page.length < PAGE) return count
      start = Buffer.concat([last, Buffer.of(0)])
      await new Promise(setImmediate)
    }
  }
}

/** Whether the event is what its id says. */
export function idFault(event: Event): string[] {
  return hasRightId(event) ? [] : [`the event ${event.id} is not what its id says`]
}
