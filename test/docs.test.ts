/** A stale path or command in a document is a bug. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>
}

const packages = ['packages', 'adapters'].flatMap((folder) =>
  readdirSync(join(root, folder)).map((name) => join(folder, name)),
)
const documents = [
  '.',
  'relay',
  'schemas',
  'examples',
  'test/bench',
  'test/interop',
  'test/reliability',
  ...packages,
]
  .flatMap((folder) => ['README.md', 'CONTRIBUTING.md'].map((name) => join(folder, name)))
  .filter((path) => existsSync(join(root, path)))

test('every package has a README', () => {
  for (const folder of [...packages, 'relay']) expect(documents).toContain(join(folder, 'README.md'))
})

describe.each(documents)('%s', (path) => {
  const text = readFileSync(join(root, path), 'utf8')

  test('links only to files that exist', () => {
    const links = [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map((match) => match[1] ?? '')
    const missing = links.filter((link) => !existsSync(join(root, dirname(path), link)))
    expect(missing).toEqual([])
  })

  test('names only paths that exist', () => {
    const code = [...text.matchAll(/`((?:packages|adapters|relay|schemas|examples|test)\/[\w./-]*\w)`/g)]
    const missing = code.map((match) => match[1] ?? '').filter((name) => !existsSync(join(root, name)))
    expect(missing).toEqual([])
  })

  test('names only npm scripts that exist', () => {
    const named = [...text.matchAll(/\bnpm run ([\w:-]+)/g)].map((match) => match[1] ?? '')
    expect(named.filter((name) => !(name in scripts))).toEqual([])
    if (/\bnpm start\b/.test(text)) expect(scripts).toHaveProperty('start')
  })
})

test('no document names a path of one machine', () => {
  for (const path of documents) {
    expect(readFileSync(join(root, path), 'utf8'), relative(root, path)).not.toMatch(
      /\/home\/|\/Users\/|\/tmp\//,
    )
  }
})
