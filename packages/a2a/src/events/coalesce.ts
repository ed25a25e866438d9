/** Two stream events as one (spec a2a 5, 6.2 no. 10): text that is appended to an artifact, where nothing else differs. */
import { isDeepStrictEqual } from 'node:util'
import type { Json, JsonRecord } from '../model.js'
import { isRecord } from '../read-fields.js'

/** The one envelope that says what both say; undefined when they are no two pieces of one text. */
export function coalesce(first: JsonRecord, second: JsonRecord): JsonRecord | undefined {
  const [a, b] = [chunkOf(first), chunkOf(second)]
  if (a === undefined || b === undefined || b.update.append !== true || a.update.lastChunk === true)
    return undefined
  if (!isDeepStrictEqual(a.frame, b.frame)) return undefined
  const { artifact } = a.update
  const part = { ...a.part, text: `${a.part.text}${b.part.text}` }
  const merged = {
    ...a.update,
    artifact: { ...(artifact as JsonRecord), parts: [part] },
    ...(b.update.lastChunk !== undefined && { lastChunk: b.update.lastChunk }),
  }
  return { ...first, result: a.name === '' ? merged : { [a.name]: merged } }
}

interface Chunk {
  /** Member of a 1.0 result; empty for 0.3, where the result is the update. */
  readonly name: string
  readonly update: JsonRecord
  readonly part: JsonRecord
  /** All of it that has to be equal. */
  readonly frame: Json
}

function chunkOf({ id = null, result }: JsonRecord): Chunk | undefined {
  if (!isRecord(result)) return undefined
  const name = isRecord(result.artifactUpdate) ? 'artifactUpdate' : ''
  const update = name === '' ? result : result.artifactUpdate
  if (!isRecord(update) || (name === '' && result.kind !== 'artifact-update')) return undefined
  if (Object.keys(result).length > 1 && name !== '') return undefined
  const { artifact, append: _append, lastChunk: _last, ...rest } = update
  if (!isRecord(artifact)) return undefined
  const { parts, name: _name, description: _description, ...place } = artifact
  const [part, more] = Array.isArray(parts) ? (parts as readonly Json[]) : []
  if (!isRecord(part) || more !== undefined || typeof part.text !== 'string') return undefined
  const { text: _text, ...kind } = part
  return { name, update, part, frame: { id, rest, place, kind } }
}
