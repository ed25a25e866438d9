/**
 * `npm run reliability`: every case at full size, and one table. `-- --short` as the tests run them; `-- NAME...` only
 * these. Exit 1 when a row is not as it must be.
 */
import { parseArgs } from 'node:util'
import type { Row } from './case.js'
import { CASES } from './cases.js'

const { values, positionals } = parseArgs({
  options: { short: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const unknown = positionals.filter((name) => !CASES.some((one) => one.name === name))
if (unknown.length > 0) {
  console.error(`no case ${unknown.join(', ')}; there are: ${CASES.map(({ name }) => name).join(', ')}`)
  process.exit(2)
}

let [figures, broken] = [0, 0]
const started = performance.now()
for (const one of CASES.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
  const begun = performance.now()
  const rows = await one
    .run(values.short ? 'short' : 'full')
    .catch((error: unknown): readonly Row[] => [
      { done: 'the case itself', figure: String(error), must: 'ends', isHeld: false },
    ])
  console.log(`\n${one.name}, ${((performance.now() - begun) / 1000).toFixed(0)} s`)
  print(rows)
  figures += rows.length
  broken += rows.filter(({ isHeld }) => !isHeld).length
}
const seconds = ((performance.now() - started) / 1000).toFixed(0)
console.log(`\n${figures} figures, ${broken} not held, in ${seconds} s`)
process.exitCode = broken > 0 ? 1 : 0

/** A table as wide as it must be. */
function print(rows: readonly Row[]): void {
  const heads = ['', 'what was done', 'figure', 'must be']
  const cells = rows.map(({ isHeld, done, figure, must }) => [isHeld ? 'held' : 'NOT', done, figure, must])
  const lines = [heads, ...cells]
  const widths = heads.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)))
  for (const line of lines)
    console.log(
      line
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
}
