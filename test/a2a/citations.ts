/** Which tests cite which requirement: `[id]`, or `[id, id]`, at the start of a test's title. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** Where tests of A2A live, from the root of the repository. */
const PLACES = [
  'test/a2a',
  'packages/a2a/src',
  'packages/tools/src',
  'adapters/express/src',
  'adapters/langchain/src',
  'adapters/ai-sdk/src',
]

export interface Citation {
  readonly id: string
  readonly file: string
}

export function citations(): readonly Citation[] {
  return PLACES.flatMap((place) => testFiles(join(ROOT, place))).flatMap((file) =>
    citedIn(readFileSync(file, 'utf8')).map((id) => ({ id, file: file.slice(ROOT.length) })),
  )
}

/** The ids in one title, or in the source of a file. */
export function citedIn(text: string): readonly string[] {
  const found = [...text.matchAll(/(?:^|['"`])\[([a-z][a-z0-9-]*(?:, [a-z][a-z0-9-]*)*)\] /gm)]
  return found.flatMap(([, ids = '']) => ids.split(', '))
}

function testFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(folder, name))
}
