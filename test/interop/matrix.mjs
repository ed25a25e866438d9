/** `node test/interop/matrix.mjs [row...]`: runs the rows and prints the interop matrix. Exit 1 when one fails. */
import { faultsOf } from './check.mjs'
import { PIECES, ROWS } from './rows.mjs'
import { missingPackages, startWorld } from './world.mjs'

const missing = missingPackages()
if (missing.length > 0) {
  console.error(
    `not installed: test/interop/${missing.join(', test/interop/')}; node test/interop/install.mjs gets them`,
  )
  process.exit(2)
}
const wanted = process.argv.slice(2)
const rows = ROWS.filter(({ id }) => wanted.length === 0 || wanted.includes(id))

const lines = [
  ['row', 'client', 'wire', 'server', 'facilitator', 'result', 'handler', 'payee', 'sponsor', 'ms', 'shows'],
]
const faults = []
const world = await startWorld()
try {
  for (const row of rows) {
    const bought = await world.buy(row)
    const found = faultsOf(row, bought)
    if (found.length > 0)
      faults.push(`row ${row.id}: ${found.join('; ')}`, `  ${JSON.stringify(bought.answer)}`)
    const { moved, runs, answer } = bought
    lines.push([
      row.id,
      PIECES[row.client],
      row.wire,
      PIECES[row.server],
      PIECES[row.facilitator],
      found.length > 0 ? 'FAILED' : row.refused === undefined ? 'paid' : 'refused',
      `${runs}`,
      `${moved.payee}`,
      `${moved.sponsorLamports}`,
      answer.milliseconds === undefined ? '' : `${Math.round(answer.milliseconds)}`,
      row.proves,
    ])
  }
} finally {
  await world.close()
}
const widths = lines[0].map((_, i) => Math.max(...lines.map((line) => line[i].length)))
for (const line of lines)
  console.log(
    line
      .map((cell, i) => cell.padEnd(widths[i]))
      .join('  ')
      .trimEnd(),
  )
console.log('payee in atomic USDC, sponsor in lamports; handler: how often it ran')
for (const fault of faults) console.log(fault)
process.exitCode = faults.length > 0 ? 1 : 0
