/** What the package shows of itself (spec a2a 1). */
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'

const root = dirname(createRequire(import.meta.url).resolve('@aetherkit/a2a/package.json'))
const dist = join(root, 'dist')

/** Declarations that are reached from the entries, by their relative imports. */
function reached(entry: string, seen = new Set<string>()): ReadonlySet<string> {
  if (seen.has(entry)) return seen
  seen.add(entry)
  const text = readFileSync(join(dist, entry), 'utf8')
  for (const [, path = ''] of text.matchAll(/from '(\.{1,2}\/[^']+)\.js'/g))
    reached(join(dirname(entry), `${path}.d.ts`), seen)
  return seen
}

test('[api-own-types] no declaration that an application sees names the SDK', () => {
  expect(readdirSync(dist)).toContain('index.d.ts')
  const files = reached('index.d.ts')
  expect(files.size).toBeGreaterThan(40)
  const naming = [...files].filter((file) => readFileSync(join(dist, file), 'utf8').includes('@a2a-js/sdk'))
  expect(naming).toEqual([])
})
