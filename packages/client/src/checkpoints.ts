/**
 * Checkpoints of threads, kept in a state: a snapshot each, in parts (the channels of a graph), with a parent, and the
 * writes that are pending on it.
 *
 *   head  thread namespace id              the snapshot, once; its time is that of the id (UUID version 6)
 *   odd   thread namespace id              the same for ids that carry no time
 *   blob  thread hash                      a large part, once for all checkpoints that have the same
 *   write thread namespace id task index   a pending write
 *
 * So the newest checkpoint is found without reading the others, as relays answer newest first (spec 2.7).
 */
import { blake3, toHex } from '@aetherkit/core'
import { BlobCache, checkpointTime, readHead, writeHead } from './checkpoint-head.js'
import { ClientError } from './errors.js'
import { readParcel, writeParcel } from './parcel.js'
import type { State, StateEntry } from './state.js'

/** Serialized data with the name of its form. */
export interface Typed {
  readonly type: string
  readonly bytes: Uint8Array
}

export interface CheckpointPlace {
  readonly thread: string
  readonly namespace: string
  readonly id: string
}

/** One channel's value. A version means one value, as long as its thread lives. */
export interface CheckpointPart {
  readonly name: string
  readonly version: string | number | undefined
  readonly value: Typed
}

export interface CheckpointDraft {
  readonly place: CheckpointPlace
  /** Id of the checkpoint that this one follows. */
  readonly parent: string | undefined
  readonly head: Typed
  readonly metadata: Typed
  /** `fresh`: of a new version. Others are kept if they can have been stored before: with a parent, or elsewhere. */
  readonly parts: readonly (CheckpointPart & { readonly fresh: boolean })[]
}

export interface StoredCheckpoint extends Pick<CheckpointDraft, 'place' | 'parent' | 'head' | 'metadata'> {
  /** Undefined when the checkpoint was deleted meanwhile. @throws ClientError STATE_UNREADABLE when one is missing. */
  parts(): Promise<readonly CheckpointPart[] | undefined>
}

export interface PendingWrite {
  readonly task: string
  /** Place among the writes of the task: the first one of a place stays. Below 0: the last one does. */
  readonly index: number
  readonly channel: string
  readonly value: Typed
}

export interface CheckpointQuery {
  readonly thread?: string | undefined
  readonly namespace?: string | undefined
  readonly id?: string | undefined
  /** Only ids below this one. */
  readonly before?: string | undefined
}

/** Everything rejects as `State` does. */
export interface Checkpoints {
  /** Resolves when the checkpoint is durable with all its parts. */
  save(draft: CheckpointDraft): Promise<void>
  load(place: CheckpointPlace): Promise<StoredCheckpoint | undefined>
  /** The one with the highest id. */
  latest(thread: string, namespace: string): Promise<StoredCheckpoint | undefined>
  /** Highest id first, over all threads and namespaces that are not named. */
  list(query: CheckpointQuery): AsyncGenerator<StoredCheckpoint>
  addWrites(place: CheckpointPlace, writes: readonly PendingWrite[]): Promise<void>
  /** By task, then index. */
  writes(place: CheckpointPlace): Promise<PendingWrite[]>
  /** Deletes all of a thread. */
  drop(thread: string): Promise<void>
}

/** Parts above this many bytes are blobs. */
const INLINE_BYTES = 16 * 1024
/** How far ids and times may be out of step: what was saved again, or by a clock ahead, comes a little late. */
const SLACK = 8
const SLACK_NS = 1_000_000_000n
/** Heads that the newest one is looked for among: ids of one tick of several processes. */
const NEWEST = 3

export function openCheckpoints(state: State): Checkpoints {
  return new StateCheckpoints(state)
}

class StateCheckpoints implements Checkpoints {
  readonly #state: State
  readonly #blobs = new BlobCache()

  constructor(state: State) {
    this.#state = state
  }

  async save({ place, parent, head, metadata, parts }: CheckpointDraft): Promise<void> {
    const kept = await this.#kept(place, parent, parts)
    const placed = kept.map(({ name, version, value }) => {
      const blob = value.bytes.length > INLINE_BYTES ? toHex(blake3(value.bytes).subarray(0, 16)) : undefined
      return { name, version, value, blob }
    })
    await Promise.all(
      placed.map(async ({ value, blob }) => {
        if (blob === undefined || this.#blobs.has(place.thread, blob)) return
        await this.#state.put(['blob', place.thread, blob], value.bytes, { once: true })
        this.#blobs.add(place.thread, blob)
      }),
    )
    const { path, at } = headPlace(place)
    await this.#state.put(path, writeHead({ parent, head, metadata, parts: placed }), { once: true, at })
  }

  async load(place: CheckpointPlace): Promise<StoredCheckpoint | undefined> {
    const entry = await this.#state.get(headPlace(place).path)
    return entry === undefined ? undefined : this.#stored(entry)
  }

  async latest(thread: string, namespace: string): Promise<StoredCheckpoint | undefined> {
    const take = async (group: string, most: number) => {
      const entries: StateEntry[] = []
      for await (const entry of this.#state.list([group, thread, namespace], { once: true, page: most })) {
        if (entries.push(entry) === most) break
      }
      return entries
    }
    const [heads, odd] = await Promise.all([take('head', NEWEST), takeAll(this.#odd([thread, namespace]))])
    const newest = [...heads, ...odd].sort(highestIdFirst)[0]
    return newest === undefined ? undefined : this.#stored(newest)
  }

  async *list({ thread, namespace, id, before }: CheckpointQuery): AsyncGenerator<StoredCheckpoint> {
    const under = thread === undefined ? [] : namespace === undefined ? [thread] : [thread, namespace]
    const time = before === undefined ? undefined : checkpointTime(before)
    const until = time === undefined ? undefined : time + SLACK_NS
    const wanted = (entry: StateEntry) => {
      const place = placeOf(entry)
      if (namespace !== undefined && place.namespace !== namespace) return false
      return (id === undefined || place.id === id) && (before === undefined || place.id < before)
    }
    const ahead = await takeAll(this.#odd(under))
    const least = ahead.length + SLACK
    for await (const entry of this.#state.list(['head', ...under], { once: true, page: 64, until })) {
      ahead.push(entry)
      ahead.sort(highestIdFirst)
      if (ahead.length <= least) continue
      const next = ahead.shift()
      const stored = next !== undefined && wanted(next) ? await this.#stored(next) : undefined
      if (stored !== undefined) yield stored
    }
    for (const entry of ahead.sort(highestIdFirst)) {
      const stored = wanted(entry) ? await this.#stored(entry) : undefined
      if (stored !== undefined) yield stored
    }
  }

  async addWrites(place: CheckpointPlace, writes: readonly PendingWrite[]): Promise<void> {
    const paths = writes.map(({ task, index }) => [...writesPath(place), task, String(index)])
    const kept = await this.#state.getAll(paths.filter((_, at) => writes[at]!.index >= 0))
    const known = new Set(kept.map((entry) => JSON.stringify(entry?.path)))
    await Promise.all(
      writes.map(async ({ index, channel, value }, at) => {
        const path = paths[at]!
        if (known.has(JSON.stringify(path))) return
        const record = writeParcel({ v: 1, channel, type: value.type }, [value.bytes])
        await this.#state.put(path, record, { once: index >= 0 })
      }),
    )
  }

  async writes(place: CheckpointPlace): Promise<PendingWrite[]> {
    const entries = await takeAll(this.#state.list(writesPath(place), { once: true }))
    const writes = await Promise.all(
      entries.map(async (entry) => {
        const bytes = await entry.read()
        return bytes === undefined ? undefined : readWrite(entry, bytes)
      }),
    )
    return writes
      .filter((write) => write !== undefined)
      .sort((a, b) => (a.task === b.task ? a.index - b.index : a.task < b.task ? -1 : 1))
  }

  async drop(thread: string): Promise<void> {
    this.#blobs.forget(thread)
    for (const group of ['head', 'odd', 'write', 'blob']) await this.#state.clear([group, thread])
    this.#blobs.forget(thread)
  }

  /** Without a parent, a part that is not fresh is kept where a checkpoint of the thread has its version. */
  async #kept(
    { thread, namespace }: CheckpointPlace,
    parent: string | undefined,
    parts: CheckpointDraft['parts'],
  ): Promise<CheckpointDraft['parts']> {
    if (parent !== undefined || parts.every(({ fresh }) => fresh)) return parts
    const versions = new Set<string>()
    const key = ({ name, version }: Omit<CheckpointPart, 'value'>) => JSON.stringify([name, version])
    for (const group of ['head', 'odd']) {
      for await (const entry of this.#state.list([group, thread, namespace], { once: true })) {
        const bytes = await entry.read()
        for (const part of bytes === undefined ? [] : headOf(bytes).parts) versions.add(key(part))
      }
    }
    return parts.filter((part) => part.fresh || versions.has(key(part)))
  }

  async #stored(entry: StateEntry): Promise<StoredCheckpoint | undefined> {
    const bytes = await entry.read()
    if (bytes === undefined) return undefined
    const place = placeOf(entry)
    const { parent, head, metadata, parts } = headOf(bytes)
    return { place, parent, head, metadata, parts: () => this.#parts(entry, place.thread, parts) }
  }

  async #parts(
    { path }: StateEntry,
    thread: string,
    parts: ReturnType<typeof headOf>['parts'],
  ): Promise<readonly CheckpointPart[] | undefined> {
    const hashes = [...new Set(parts.flatMap(({ blob }) => (blob === undefined ? [] : [blob])))]
    const entries = await this.#state.getAll(hashes.map((hash) => ['blob', thread, hash]))
    const values = await Promise.all(entries.map((entry) => entry?.read()))
    const blobs = new Map(hashes.map((hash, at) => [hash, values[at]]))
    if (values.includes(undefined)) {
      if ((await this.#state.get(path)) === undefined) return undefined
      throw new ClientError('STATE_UNREADABLE', 'a part of the checkpoint is not at the relays')
    }
    for (const hash of hashes) this.#blobs.add(thread, hash)
    return parts.map(({ name, version, type, bytes, blob }) => {
      const whole = blob === undefined ? bytes : (blobs.get(blob) ?? bytes)
      return { name, version, value: { type, bytes: whole } }
    })
  }

  #odd(under: readonly string[]): AsyncGenerator<StateEntry> {
    return this.#state.list(['odd', ...under], { once: true })
  }
}

/** The path of a checkpoint, and the time that orders it: that of its id, as far as relays take it (spec 3.1). */
function headPlace({ thread, namespace, id }: CheckpointPlace): { path: string[]; at?: bigint } {
  const time = checkpointTime(id)
  if (time === undefined) return { path: ['odd', thread, namespace, id] }
  const latest = BigInt(Date.now() + 30_000) * 1_000_000n
  return { path: ['head', thread, namespace, id], at: time < latest ? time : latest }
}

function writesPath({ thread, namespace, id }: CheckpointPlace): string[] {
  return ['write', thread, namespace, id]
}

function placeOf({ path }: StateEntry): CheckpointPlace {
  const [, thread = '', namespace = '', id = ''] = path
  return { thread, namespace, id }
}

function highestIdFirst(a: StateEntry, b: StateEntry): number {
  const [one, other] = [placeOf(a).id, placeOf(b).id]
  return one === other ? 0 : one > other ? -1 : 1
}

function headOf(bytes: Uint8Array) {
  const head = readHead(bytes)
  if (head === undefined) throw new ClientError('STATE_UNREADABLE')
  return head
}

function readWrite({ path }: StateEntry, bytes: Uint8Array): PendingWrite {
  const parcel = readParcel(bytes)
  const [task = '', index = ''] = path.slice(4)
  const value = parcel?.parts[0]
  const header = parcel?.header
  if (typeof header === 'object' && header !== null && 'channel' in header && 'type' in header) {
    const { channel, type } = header
    if (typeof channel === 'string' && typeof type === 'string' && value !== undefined)
      return { task, index: Number(index), channel, value: { type, bytes: value } }
  }
  throw new ClientError('STATE_UNREADABLE')
}

async function takeAll<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
