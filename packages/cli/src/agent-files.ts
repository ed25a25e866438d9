/** Files that an agent gives, into one folder: under names of its choice, as far as they are harmless. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import type { Part } from '@aetherkit/a2a/client'
import { hasCode } from './exit.js'

const MAX_NAME = 100
/** Names that are tried before giving up. */
const MAX_TRIES = 1000

/** Where it was written; a file that is there is never overwritten. */
export function saveFile(folder: string, part: Part): string {
  mkdirSync(folder, { recursive: true })
  const name = safeName(part.filename)
  const end = extname(name)
  for (let count = 1; ; count++) {
    const path = join(
      folder,
      count === 1 ? name : `${name.slice(0, name.length - end.length)}-${count}${end}`,
    )
    try {
      writeFileSync(path, Buffer.from(part.raw ?? '', 'base64'), { flag: 'wx' })
      return path
    } catch (error) {
      if (!hasCode(error, 'EEXIST') || count >= MAX_TRIES) throw error
    }
  }
}

/** No folders, no hidden files, nothing that drives a terminal or a shell. */
function safeName(name: string | undefined): string {
  const last = (name ?? '').split(/[/\\]/).at(-1) ?? ''
  const kept = last
    .replace(/[^\p{L}\p{N}._-]+/gu, '_')
    .replace(/^[.-]+/, '')
    .slice(-MAX_NAME)
  return kept === '' ? 'file' : kept
}

/** `chart.png (image/png, 1234 bytes)` */
export function fileText({ filename, mediaType, raw = '' }: Part): string {
  const bytes = Buffer.byteLength(raw, 'base64')
  return `${filename ?? 'a file'} (${[mediaType, `${bytes} bytes`].filter((each) => each !== undefined).join(', ')})`
}
