/**
 * Documents in folders, kept in a state: JSON objects that are found by field, by folder and, with an index, by meaning.
 * The relay sees ciphertext, so a search reads the folder and looks through it here: for thousands of documents, not for
 * millions.
 *
 * The path of an entry is the folder and the key. Its value is a parcel: {v: 1, created: ns as text} and as parts the
 * document in JSON, then its vectors, float32 big-endian.
 */

import { createClock } from '@aetherkit/core'
import {
  type DocumentIndex,
  embed,
  embedQuery,
  readVector,
  similarity,
  textsAt,
  vectorBytes,
} from './document-index.js'
import {
  checkFilter,
  compareFolders,
  type DocumentFilter,
  type FolderMatch,
  matchesFilter,
  matchesFolder,
} from './document-match.js'
import { ClientError } from './errors.js'
import { readParcel, writeParcel } from './parcel.js'
import type { State, StateEntry } from './state.js'

export type { DocumentIndex } from './document-index.js'
export type { DocumentFilter, FolderMatch } from './document-match.js'

/** What JSON holds. */
export type DocumentValue = Record<string, unknown>

export interface StoredDocument {
  readonly folder: readonly string[]
  readonly key: string
  readonly value: DocumentValue
  readonly createdAt: Date
  readonly updatedAt: Date
  /** Cosine of the angle to the query, of a search by meaning. */
  readonly score?: number
}

export interface DocumentDraft {
  readonly folder: readonly string[]
  readonly key: string
  /** Null deletes. */
  readonly value: DocumentValue | null
  /** Fields to embed instead of the index's, or false for none. Without effect when there is no index. */
  readonly fields?: readonly string[] | false | undefined
}

export interface DocumentSearch {
  readonly filter?: DocumentFilter | undefined
  /** Nearest first; documents without a vector come last. Empty: none. */
  readonly query?: string | undefined
  /** Default 10. */
  readonly limit?: number | undefined
  readonly offset?: number | undefined
}

export interface FolderSearch {
  readonly matches?: readonly FolderMatch[] | undefined
  /** Cut deeper folders to this many parts. */
  readonly maxDepth?: number | undefined
  readonly limit?: number | undefined
  readonly offset?: number | undefined
}

/** Everything rejects as `State` does. */
export interface Documents {
  get(folder: readonly string[], key: string): Promise<StoredDocument | undefined>
  /** The last draft of a key counts. @throws TypeError for what JSON does not hold. */
  putAll(drafts: readonly DocumentDraft[]): Promise<void>
  /**
   * The documents in a folder and below, oldest first.
   * @throws ClientError STATE_NO_INDEX for a query without an index; TypeError for an unknown operator.
   */
  search(folder: readonly string[], search?: DocumentSearch): Promise<StoredDocument[]>
  /** The folders that have documents, in order of their parts. */
  folders(search?: FolderSearch): Promise<string[][]>
}

export function openDocuments(
  state: State,
  options: { readonly index?: DocumentIndex | undefined } = {},
): Documents {
  return new StateDocuments(state, options.index)
}

interface Opened {
  readonly document: StoredDocument
  readonly created: bigint
  readonly vectors: readonly Float32Array[]
}

class StateDocuments implements Documents {
  readonly #state: State
  readonly #index: DocumentIndex | undefined
  readonly #clock = createClock()

  constructor(state: State, index: DocumentIndex | undefined) {
    this.#state = state
    this.#index = index
  }

  async get(folder: readonly string[], key: string): Promise<StoredDocument | undefined> {
    const entry = await this.#state.get([...folder, key])
    return (entry && (await openDocument(entry)))?.document
  }

  async putAll(drafts: readonly DocumentDraft[]): Promise<void> {
    const last = new Map(drafts.map((draft) => [JSON.stringify([...draft.folder, draft.key]), draft]))
    const texts = [...last.values()].map((draft) => this.#texts(draft))
    const vectors = this.#index === undefined ? [] : await embed(this.#index, texts.flat())
    await Promise.all(
      [...last.values()].map(async (draft, at) => {
        const from = texts.slice(0, at).reduce((sum, some) => sum + some.length, 0)
        await this.#put(draft, vectors.slice(from, from + texts[at]!.length))
      }),
    )
  }

  async search(folder: readonly string[], search: DocumentSearch = {}): Promise<StoredDocument[]> {
    const { filter = {}, query = '', limit = 10, offset = 0 } = search
    checkFilter(filter)
    const vector = query === '' ? undefined : await this.#vector(query)
    const opened = await this.#openAll(folder)
    const found = opened.filter(({ document }) => matchesFilter(document.value, filter)).sort(oldestFirst)
    return rank(found, vector).slice(offset, offset + limit)
  }

  async folders({ matches = [], maxDepth, limit, offset = 0 }: FolderSearch = {}): Promise<string[][]> {
    const folders = new Map<string, string[]>()
    const [first] = matches.filter(({ matchType, path }) => matchType === 'prefix' && !path.includes('*'))
    for await (const { path } of this.#state.list(first?.path ?? [])) {
      const folder = path.slice(0, -1)
      if (!matches.every((match) => matchesFolder(folder, match))) continue
      const cut = folder.slice(0, maxDepth)
      folders.set(JSON.stringify(cut), cut)
    }
    const all = [...folders.values()].sort(compareFolders)
    return all.slice(offset, limit === undefined ? undefined : offset + limit)
  }

  async #put({ folder, key, value }: DocumentDraft, vectors: readonly Float32Array[]): Promise<void> {
    const path = [...folder, key]
    if (value === null) {
      await this.#state.delete(path)
      return
    }
    const json = new TextEncoder().encode(JSON.stringify(value))
    await this.#state.update(path, (old) => {
      const created = (old && readRecord(old)?.created) ?? this.#clock()
      return writeParcel({ v: 1, created: String(created) }, [json, ...vectors.map(vectorBytes)])
    })
  }

  #texts({ value, fields }: DocumentDraft): string[] {
    if (this.#index === undefined || value === null || fields === false) return []
    return (fields ?? this.#index.fields ?? ['$']).flatMap((field) => textsAt(value, field))
  }

  #vector(query: string): Promise<Float32Array> {
    if (this.#index === undefined) throw new ClientError('STATE_NO_INDEX')
    return embedQuery(this.#index, query)
  }

  async #openAll(folder: readonly string[]): Promise<Opened[]> {
    const entries: StateEntry[] = []
    for await (const entry of this.#state.list(folder)) entries.push(entry)
    return (await Promise.all(entries.map(openDocument))).filter((opened) => opened !== undefined)
  }
}

async function openDocument(entry: StateEntry): Promise<Opened | undefined> {
  const bytes = await entry.read()
  if (bytes === undefined) return undefined
  const record = readRecord(bytes)
  if (record === undefined) throw new ClientError('STATE_UNREADABLE')
  const { value, created, vectors } = record
  const [folder, key] = [entry.path.slice(0, -1), entry.path.at(-1) ?? '']
  const [createdAt, updatedAt] = [toDate(created), toDate(entry.at)]
  return { document: { folder, key, value, createdAt, updatedAt }, created, vectors }
}

function readRecord(
  bytes: Uint8Array,
): { value: DocumentValue; created: bigint; vectors: Float32Array[] } | undefined {
  const parcel = readParcel(bytes)
  const header = parcel?.header
  const [json, ...vectors] = parcel?.parts ?? []
  if (json === undefined || typeof header !== 'object' || header === null) return undefined
  const { v, created } = { v: undefined, created: undefined, ...header }
  if (v !== 1 || typeof created !== 'string' || !/^\d{1,20}$/.test(created)) return undefined
  const value: unknown = JSON.parse(new TextDecoder().decode(json))
  return isValue(value) ? { value, created: BigInt(created), vectors: vectors.map(readVector) } : undefined
}

function rank(found: readonly Opened[], query: Float32Array | undefined): StoredDocument[] {
  if (query === undefined) return found.map(({ document }) => document)
  const scored = found.map(({ document, vectors }) => ({ document, score: similarity(query, vectors) }))
  const far = (score: number | undefined) => (score === undefined ? -Infinity : score)
  scored.sort((a, b) => (a.score === b.score ? 0 : far(b.score) - far(a.score)))
  return scored.map(({ document, score }) => (score === undefined ? document : { ...document, score }))
}

function oldestFirst(a: Opened, b: Opened): number {
  if (a.created !== b.created) return a.created < b.created ? -1 : 1
  return compareFolders([...a.document.folder, a.document.key], [...b.document.folder, b.document.key])
}

function isValue(value: unknown): value is DocumentValue {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function toDate(ns: bigint): Date {
  return new Date(Number(ns / 1_000_000n))
}
