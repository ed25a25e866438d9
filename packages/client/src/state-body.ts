/** The value of a state entry: in the entry's own event when short, else in chunks, each sealed in an event of its own. */
import { type Tag, toHex, type VerifiedEvent } from '@aetherkit/core'
import { ClientError } from './errors.js'
import type { Signer } from './signer.js'
import type { StateEvents } from './state-events.js'
import type { Namer } from './state-names.js'
import type { Chunks, StateRecord } from './state-record.js'

/** Values up to this length are in the entry's event: what `list` has to carry. */
const INLINE_BYTES = 64 * 1024
/** Chunks under way at a time. */
const WINDOW = 8

/** Seals for ourselves and opens what we sealed. */
export interface Vault {
  readonly signer: Required<Signer>
  readonly events: StateEvents
  readonly namer: Namer
  readonly chunkBytes: number
}

type Place = Pick<StateRecord, 'path' | 'bytes'>

export async function sealed({ signer }: Vault, plain: Uint8Array): Promise<Uint8Array> {
  return signer.seal(plain, signer.publicKey)
}

/** @throws ClientError STATE_UNREADABLE: whoever signed it with our key did not seal it for us. */
export async function opened({ signer }: Vault, event: VerifiedEvent): Promise<Uint8Array> {
  const plain = await signer.open(event.content, signer.publicKey)
  if (plain === undefined) throw new ClientError('STATE_UNREADABLE')
  return plain
}

/**
 * Stores a value as far as it is in events of its own, and tells what the entry's record says about it. `set` names the
 * chunks; `above` are the names that `clear` finds them by.
 */
export async function writeBody(
  vault: Vault,
  { path, value, above }: { path: readonly string[]; value: Uint8Array; above: readonly string[] },
): Promise<StateRecord['body']> {
  const { events, chunkBytes } = vault
  if (value.length <= Math.min(INLINE_BYTES, chunkBytes)) return value
  const set = toHex(crypto.getRandomValues(new Uint8Array(8)))
  const chunks = { set, count: Math.ceil(value.length / chunkBytes) }
  const tags: Tag[] = [['x', ...above]]
  await inWindows(chunkNames(vault, path, chunks), async (name, index) => {
    const content = await sealed(vault, value.subarray(index * chunkBytes, (index + 1) * chunkBytes))
    await events.publish({ name, tags, content, createdAt: events.clock() })
  })
  return chunks
}

/** The value of a record; undefined when its chunks are gone. */
export async function readBody(
  vault: Vault,
  { path, bytes, body }: StateRecord,
): Promise<Uint8Array | undefined> {
  if (body instanceof Uint8Array) return Uint8Array.from(body)
  const value = new Uint8Array(bytes)
  let at = 0
  const names = chunkNames(vault, path, body)
  for (let from = 0; from < names.length; from += WINDOW) {
    const window = names.slice(from, from + WINDOW)
    const found = await vault.events.byName(window)
    for (const name of window) {
      const event = found.get(name)
      if (event === undefined || event.content.length === 0) return undefined
      const chunk = await opened(vault, event)
      if (at + chunk.length > bytes) return undefined
      value.set(chunk, at)
      at += chunk.length
    }
  }
  return at === bytes ? value : undefined
}

/** The names of a record's chunks; none of a value in the entry's event. */
export function chunksOf(vault: Vault, { path, body }: Place & Pick<StateRecord, 'body'>): string[] {
  return body instanceof Uint8Array ? [] : chunkNames(vault, path, body)
}

/** Runs through all, a few at a time. */
export async function inWindows<T>(all: readonly T[], work: (one: T, index: number) => Promise<unknown>) {
  let next = 0
  const walk = async () => {
    for (let index = next++; index < all.length; index = next++) await work(all[index]!, index)
  }
  await Promise.all(Array.from({ length: Math.min(WINDOW, all.length) }, walk))
}

function chunkNames({ namer }: Vault, path: readonly string[], { set, count }: Chunks): string[] {
  return Array.from({ length: count }, (_, index) => namer('chunk', [...path, set, String(index)]))
}
