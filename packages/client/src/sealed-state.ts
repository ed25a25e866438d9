/**
 * The owner's state on relays (state.ts has the law): every write looks at what it replaces, is stamped after it, and is
 * repeated when another process was later, so that the newest write is the last one.
 */
import { type Tag, tagValue, type VerifiedEvent } from '@aetherkit/core'
import { ClientError } from './errors.js'
import { type Signer, toSigner } from './signer.js'
import type { ListOptions, PutOptions, State, StateEntry, StateOptions, StatePath } from './state.js'
import { chunksOf, inWindows, opened, readBody, sealed, type Vault, writeBody } from './state-body.js'
import { type StateClient, StateEvents } from './state-events.js'
import { createNamer, deriveNameKey } from './state-names.js'
import { readStateRecord, type StateRecord, writeStateRecord } from './state-record.js'

/** The padded length of a chunk is 448 KiB then: an eighth of the next power of two (see core/sealed.ts). */
const CHUNK_BYTES = 448 * 1024 - 4
const DEPTH = 32
const PAGE = 256
const CHUNK_PAGE = 16
const ATTEMPTS = 16
const WEEK_MS = 7 * 24 * 3_600_000
/** A relay's clock may be off by this (spec 3.1), and refuses what has expired. */
const MIN_TOMBSTONE_MS = 60_000

/** An entry's event, opened. */
interface Found {
  readonly event: VerifiedEvent
  /** Undefined: a tombstone. */
  readonly record: StateRecord | undefined
}

/** What to write in place of what is there: a value, null to delete, undefined to leave it. */
type Change = (old: StateRecord | undefined) => Promise<Uint8Array | null | undefined>

export class SealedState implements State {
  readonly #events: StateEvents
  readonly #options: StateOptions
  readonly #signer: Required<Signer>
  readonly #chunkBytes: number
  readonly #turns = new Map<string, Promise<unknown>>()
  #vault: Promise<Vault> | undefined

  constructor(client: StateClient, options: StateOptions) {
    const { timeoutMs = 10_000, signal, quorum = 1, now = Date.now } = options
    const { chunkBytes = CHUNK_BYTES, tombstoneMs = WEEK_MS } = options
    const signer = toSigner(options.signer)
    if (signer.publicKey !== client.publicKey) throw new TypeError('signer must have the key of the client')
    if (!canSeal(signer)) throw new ClientError('CANNOT_SEAL')
    if (!Number.isInteger(chunkBytes) || chunkBytes < 1)
      throw new RangeError(`chunkBytes must be an integer of 1 or more, got ${chunkBytes}`)
    if (!(tombstoneMs >= MIN_TOMBSTONE_MS))
      throw new RangeError(`tombstoneMs must be ${MIN_TOMBSTONE_MS} or more, got ${tombstoneMs}`)
    if (options.nameKey !== undefined) createNamer(options.nameKey, '')
    this.#options = options
    this.#signer = signer
    this.#chunkBytes = chunkBytes
    this.#events = new StateEvents(client, { timeoutMs, signal, quorum, now })
  }

  async get(path: StatePath): Promise<StateEntry | undefined> {
    return (await this.getAll([path]))[0]
  }

  async getAll(paths: readonly StatePath[]): Promise<(StateEntry | undefined)[]> {
    const vault = await this.#open()
    const found = await this.#find(vault, paths)
    return found.map((one) => toEntry(this, vault, one))
  }

  async put(path: StatePath, value: Uint8Array, options: PutOptions = {}): Promise<void> {
    await this.#write(path, async () => value, options)
  }

  async update(path: StatePath, change: Parameters<State['update']>[1]): Promise<void> {
    await this.#write(path, async (old) => {
      if (old === undefined) return change(undefined)
      const value = await readBody(await this.#open(), old)
      if (value === undefined) throw new ClientError('STATE_UNREADABLE')
      return change(value)
    })
  }

  async delete(path: StatePath): Promise<boolean> {
    let deleted = false
    await this.#write(path, async (old) => {
      deleted ||= old !== undefined
      return old === undefined ? undefined : null
    })
    return deleted
  }

  async *list(prefix: StatePath, options: ListOptions = {}): AsyncGenerator<StateEntry> {
    const { page = PAGE, until, once = false } = options
    checkPath(prefix, 0)
    const vault = await this.#open()
    const tag: Tag = ['s', vault.namer('under', prefix)]
    const listed = new Set<string>()
    const events = once
      ? this.#events.tagged(tag, { page, until })
      : this.#events.watched(tag, { page, until })
    for await (const event of events) {
      const name = tagValue(event, 'd') ?? ''
      if (event.content.length === 0 || listed.has(name)) continue
      if (until !== undefined && event.createdAt > until) continue
      listed.add(name)
      const entry = toEntry(this, vault, await open(vault, event))
      if (entry !== undefined) yield entry
    }
  }

  async clear(prefix: StatePath): Promise<number> {
    const vault = await this.#open()
    let count = 0
    const paths: StatePath[] = []
    for await (const { path } of this.list(prefix)) paths.push(path)
    await inWindows(paths, async (path) => {
      if (await this.delete(path)) count++
    })
    const leftovers: string[] = []
    for await (const event of this.#events.tagged(['x', vault.namer('under', prefix)], { page: CHUNK_PAGE }))
      leftovers.push(tagValue(event, 'd') ?? '')
    await this.#bury(leftovers)
    return count
  }

  /** Writes of one path take turns, so that the order of the calls is the order of the times. */
  async #write(path: StatePath, change: Change, options: PutOptions = {}): Promise<void> {
    checkPath(path, 1)
    const vault = await this.#open()
    const name = vault.namer('entry', path)
    const before = this.#turns.get(name)
    const turn = (async () => {
      await before?.catch(() => {})
      await this.#replace(vault, path, change, options)
    })()
    this.#turns.set(name, turn)
    try {
      await turn
    } finally {
      if (this.#turns.get(name) === turn) this.#turns.delete(name)
    }
  }

  async #replace(vault: Vault, path: StatePath, change: Change, options: PutOptions): Promise<void> {
    const above = path.map((_, depth) => vault.namer('under', path.slice(0, depth)))
    const name = vault.namer('entry', path)
    let old = options.once === true ? undefined : (await this.#find(vault, [path]))[0]
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const value = await change(old?.record)
      if (value === undefined) return
      const body = value === null ? undefined : await writeBody(vault, { path, value, above })
      const record = value === null || body === undefined ? undefined : { path, bytes: value.length, body }
      // A tombstone comes right behind what it replaces: a write with a time of its own keeps its place in `list`.
      const time = record === undefined ? 0n : (options.at ?? this.#events.clock())
      const createdAt = old !== undefined && old.event.createdAt >= time ? old.event.createdAt + 1n : time
      const content = record === undefined ? NOTHING : await sealed(vault, writeStateRecord(record))
      const tags: Tag[] = [['s', ...above], ...(record === undefined ? [this.#expiration()] : [])]
      const won = await this.#events.publish({ name, tags, content, createdAt })
      // Chunks of the one that lost: nobody will ask for them.
      const gone = won ? old?.record : record
      const buried = gone === undefined ? undefined : this.#bury(chunksOf(vault, gone))
      // The value is there all the same; `clear` finds what is left over. Deleting means all of it.
      await (record === undefined ? buried : buried?.catch(() => {}))
      if (won) return
      old = (await this.#find(vault, [path]))[0]
    }
    throw new ClientError('STATE_CONTENDED')
  }

  /** Replaces chunks by tombstones. */
  async #bury(names: readonly string[]): Promise<void> {
    await inWindows(names, (name) =>
      this.#events.publish({
        name,
        tags: [this.#expiration()],
        content: NOTHING,
        createdAt: this.#events.clock(),
      }),
    )
  }

  async #find(vault: Vault, paths: readonly StatePath[]): Promise<(Found | undefined)[]> {
    const names = paths.map((path) => {
      checkPath(path, 1)
      return vault.namer('entry', path)
    })
    const events = await this.#events.byName(names)
    return Promise.all(
      names.map(async (name) => {
        const event = events.get(name)
        return event === undefined ? undefined : open(vault, event)
      }),
    )
  }

  #expiration(): Tag {
    const { now = Date.now, tombstoneMs = WEEK_MS } = this.#options
    return ['expiration', String(Math.ceil(now() + tombstoneMs))]
  }

  #open(): Promise<Vault> {
    this.#vault ??= (async () => {
      const { nameKey = await deriveNameKey(this.#signer), space = 'default' } = this.#options
      const namer = createNamer(nameKey, space)
      return { signer: this.#signer, events: this.#events, namer, chunkBytes: this.#chunkBytes }
    })()
    return this.#vault
  }
}

const NOTHING = new Uint8Array()

async function open(vault: Vault, event: VerifiedEvent): Promise<Found> {
  if (event.content.length === 0) return { event, record: undefined }
  const record = readStateRecord(await opened(vault, event))
  // The name is part of what was signed: one event cannot stand in for another.
  if (record === undefined || vault.namer('entry', record.path) !== tagValue(event, 'd'))
    throw new ClientError('STATE_UNREADABLE')
  return { event, record }
}

function toEntry(state: State, vault: Vault, found: Found | undefined): StateEntry | undefined {
  const record = found?.record
  if (found === undefined || record === undefined) return undefined
  const { path, bytes } = record
  const at = found.event.createdAt
  return {
    path,
    at,
    bytes,
    async read() {
      const value = await readBody(vault, record)
      if (value !== undefined) return value
      const now = await state.get(path)
      // Its parts went because it was replaced or deleted; of one that still stands they must be there.
      if (now?.at === at) throw new ClientError('STATE_UNREADABLE')
      return now?.read()
    },
  }
}

function checkPath(path: StatePath, least: number): void {
  if (path.length < least || path.length > DEPTH)
    throw new RangeError(`a path has ${least} to ${DEPTH} parts, got ${path.length}`)
  for (const part of path) {
    if (typeof part !== 'string' || !part.isWellFormed())
      throw new TypeError('a part of a path must be well-formed text')
  }
}

function canSeal(signer: Signer): signer is Required<Signer> {
  return signer.seal !== undefined && signer.open !== undefined
}
