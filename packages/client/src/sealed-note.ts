/**
 * A note that one key keeps for one reader, on any relay: the newest JSON value under a name, sealed for the reader, as a
 * parameterized replaceable event (spec 2.1).
 *
 *   kind         30081
 *   d            opaque name, see sealed-name.ts
 *   expiration   ms (spec 2.6)
 *   content      sealed JSON {v: 1, value}
 *
 * A relay learns who writes, when, and the size up to the padding of the seal; not for whom, nor what.
 */
import { DEFAULT_LIMITS, sealedLength } from '@aetherkit/core'
import type { Json } from './call-message.js'
import type { Client } from './client.js'
import { ClientError } from './errors.js'
import type { PublishOptions } from './publish.js'
import { sealedName } from './sealed-name.js'

export const NOTE_KIND = 30_081

export interface NoteOptions extends PublishOptions {
  /** Public key, hex. */
  readonly reader: string
  /** 1 to 256 characters; not guessable, where the relay must not learn which note it is. */
  readonly name: string
  /** ms since 1970: gone after it. */
  readonly expiresAt: number
}

export type NoteClient = Pick<Client, 'publicKey' | 'publish' | 'query' | 'seal' | 'open'>

/** Bytes of a note's JSON that go into one event of default limits (spec 1.5), padding and tags included. */
export const MAX_NOTE_BYTES = 384 * 1024

/** Resolves when it is durable. @throws ClientError TOO_LARGE above `MAX_NOTE_BYTES`, and as `Client.publish` */
export async function putNote(client: NoteClient, value: Json, options: NoteOptions): Promise<void> {
  const { reader, name, expiresAt, ...publishing } = options
  const plain = new TextEncoder().encode(JSON.stringify({ v: 1, value }))
  if (plain.length > MAX_NOTE_BYTES || sealedLength(plain.length) > DEFAULT_LIMITS.maxSize)
    throw new ClientError('TOO_LARGE', 'the note does not fit into an event')
  const content = await client.seal(plain, reader)
  const d = sealedName('note', { writer: client.publicKey, reader, name })
  const tags = [['d', d] as const, ['expiration', String(Math.ceil(expiresAt))] as const]
  await client.publish({ kind: NOTE_KIND, content, tags }, publishing)
}

/** What the writer keeps for us under a name; undefined when there is nothing, or nothing that opens. */
export async function getNote(
  client: NoteClient,
  {
    writer,
    name,
    signal,
  }: { readonly writer: string; readonly name: string; readonly signal?: AbortSignal | undefined },
): Promise<Json | undefined> {
  const d = sealedName('note', { writer, reader: client.publicKey, name })
  const filter = { kinds: [NOTE_KIND], authors: [writer], tags: [{ key: 'd', any: [d] }], limit: 1 }
  const [event] = await client.query(filter, { signal })
  const plain = event && (await client.open(event))
  if (plain === undefined) return undefined
  try {
    const note: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plain))
    return isNote(note) ? note.value : undefined
  } catch {
    return undefined
  }
}

function isNote(note: unknown): note is { readonly value: Json } {
  return typeof note === 'object' && note !== null && 'v' in note && note.v === 1 && 'value' in note
}
