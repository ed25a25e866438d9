/** What an import of this package costs: the payments package with its Solana library is loaded by those who pay. */
import { execFileSync } from 'node:child_process'
import { expect, it } from 'vitest'

/** CommonJS modules can be listed; ES modules of the Solana library are loaded by one of them, or by its own name. */
const LIST = `
import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)
await import(process.argv[1])
console.log(JSON.stringify(Object.keys(require.cache)))
`

function loadedBy(entry: string): string[] {
  const args = ['--input-type=module', '-e', LIST, entry]
  const text = execFileSync(process.execPath, args, { cwd: import.meta.dirname, encoding: 'utf8' })
  return JSON.parse(text) as string[]
}

it('importing @aetherkit/tools loads neither the Solana library nor LMDB', () => {
  const modules = loadedBy('@aetherkit/tools')
  expect(modules.filter((path) => /@solana|lmdb|rpc-websockets/.test(path))).toEqual([])
})

it('importing @aetherkit/tools/payments does', () => {
  expect(loadedBy('@aetherkit/tools/payments').some((path) => /@solana|lmdb/.test(path))).toBe(true)
})
