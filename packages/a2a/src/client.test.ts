import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

/** What a module loads with it: everything but types, and what is imported when it is needed. */
function loadedWith(entry: URL, seen = new Set<string>()): Set<string> {
  if (seen.has(entry.href)) return seen
  seen.add(entry.href)
  const source = readFileSync(entry, 'utf8')
  for (const [, what = '', from = ''] of source.matchAll(/^(?:import|export) ([^'"]*?)from '([^']+)'/gm)) {
    if (what.startsWith('type ')) continue
    if (from.startsWith('.')) loadedWith(new URL(from.replace(/\.js$/, '.ts'), entry), seen)
    else seen.add(from)
  }
  return seen
}

test('the entry for clients loads no store, no server and no payments', () => {
  const heavy = ['lmdb', '@aetherkit/payments', new URL('agent.ts', import.meta.url).href]
  const whole = loadedWith(new URL('index.ts', import.meta.url))
  expect(heavy.filter((name) => whole.has(name))).toEqual(heavy)
  const client = loadedWith(new URL('client.ts', import.meta.url))
  expect(client).toContain(new URL('client/connect.ts', import.meta.url).href)
  expect(heavy.filter((name) => client.has(name))).toEqual([])
})
