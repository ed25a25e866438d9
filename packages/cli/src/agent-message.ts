/** A message to an A2A agent from flags: text, data and files are its parts (spec a2a 2.5). */
import { readFileSync, statSync } from 'node:fs'
import { basename, extname } from 'node:path'
import type { Json, Part } from '@aetherkit/a2a/client'
import { usage } from './exit.js'
import { argumentOrInput } from './input.js'

export interface MessageFlags {
  readonly data?: readonly string[]
  readonly file?: readonly string[]
}

/** All files of a message together, bytes: agents take some MiB. */
const MAX_FILES = 16 * 1024 * 1024
const MAX_TEXT = 1 << 20

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.csv': 'text/csv',
  '.gif': 'image/gif',
  '.html': 'text/html',
  '.jpeg': 'image/jpeg',
  '.jpg': 'image/jpeg',
  '.json': 'application/json',
  '.md': 'text/markdown',
  '.mp3': 'audio/mpeg',
  '.pdf': 'application/pdf',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain',
  '.wav': 'audio/wav',
  '.webp': 'image/webp',
  '.xml': 'application/xml',
}

/**
 * Standard input is read for `-`, and where nothing else is said; `isOptional`: not even then.
 * @throws CommandError usage, file
 */
export async function partsOf(
  text: string | undefined,
  { data = [], file = [] }: MessageFlags,
  signal: AbortSignal,
  isOptional: boolean,
): Promise<readonly Part[]> {
  const others = [...data.map(dataPart), ...fileParts(file)]
  const isRead = text !== undefined || (others.length === 0 && !isOptional)
  const bytes = isRead ? await argumentOrInput(text, signal, MAX_TEXT) : undefined
  const said = bytes === undefined ? '' : Buffer.from(bytes).toString()
  return said === '' ? others : [{ text: said }, ...others]
}

function dataPart(text: string): Part {
  try {
    const data: Json = JSON.parse(text)
    return { data }
  } catch {
    throw usage(`--data takes JSON, got ${JSON.stringify(text.slice(0, 80))}`)
  }
}

function fileParts(paths: readonly string[]): Part[] {
  const size = paths.reduce((sum, path) => sum + statSync(path).size, 0)
  if (size > MAX_FILES) throw usage(`files of a message have at most ${MAX_FILES} bytes, these have ${size}`)
  return paths.map((path) => ({
    raw: readFileSync(path).toString('base64'),
    filename: basename(path),
    mediaType: MEDIA_TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream',
  }))
}
