/**
 * `npm run faults`: every fault of a payment (spec payments 17) for real on the local chain, and what came of it. The
 * figures are those that the fault tests of packages/payments compare, recorded by them; nothing is run twice and
 * nothing is printed that was not measured. Exit 1 when a row is not as expected, when a test fails or when a fault has
 * no row.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { missingPackages } from '../interop/world.mjs'
import { render } from './render.mjs'

/** Each fault, in the order of the table, and the test file that brings it about. */
const FAULTS = {
  'parallel copies of one payment': ['gate.chain', 'gate.process'],
  'RPC takes the payment and answers with an error': ['gate.chain', 'pay.again'],
  'confirmation stays hidden': ['gate.chain'],
  'blockhash expires before the broadcast': ['gate.chain'],
  'blockhash expires after the broadcast': ['gate.chain'],
  'kill -9 of the server at every await of settle': ['gate.crash'],
  'kill -9 of the server, a request at the node': ['gate.process'],
  'kill -9 of the buyer at every await of pay': ['pay.process'],
  'facilitator down': ['facilitator/facilitator'],
  'sponsor out of SOL': ['gate.chain'],
  "payee's token account missing": ['gate.chain'],
}
const CASES = 5_000

const started = performance.now()
console.log('faults on the local chain, about two minutes; amounts in atomic USDC')
const { rows, passed, output } = runTests()
const ordered = Object.keys(FAULTS).flatMap((fault) =>
  rows.filter((row) => row.fault === fault).sort(byPoint),
)
const absent = Object.keys(FAULTS).filter((fault) => !rows.some((row) => row.fault === fault))
console.log(render(ordered))
const differs = await judgeDifferentially()
for (const fault of absent) console.log(`no figures for: ${fault}`)
if (!passed) console.log(output)
const wrong = ordered.filter(({ isExpected }) => !isExpected).length
const points = (fault) => ordered.filter((row) => row.fault === fault).length
console.log(
  `${ordered.length} rows, ${wrong} not as expected; killed at ${points('kill -9 of the server at every await of settle')} points of settle and ${points('kill -9 of the buyer at every await of pay')} of pay`,
)
console.log(`${((performance.now() - started) / 1_000).toFixed(0)} s in all`)
process.exitCode = wrong > 0 || absent.length > 0 || !passed || differs ? 1 : 0

/** Runs the files of all faults; each record is a line that a test wrote. */
function runTests() {
  const folder = mkdtempSync(join(tmpdir(), 'aether-faults-'))
  const records = join(folder, 'records')
  writeFileSync(records, '')
  const files = [...new Set(Object.values(FAULTS).flat())].map((name) => `src/${name}.test.ts`)
  const cwd = fileURLToPath(new URL('../../packages/payments', import.meta.url))
  const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))
  try {
    const { status, stdout, stderr } = spawnSync(process.execPath, [vitest, 'run', ...files], {
      cwd,
      env: { ...process.env, AETHERKIT_FAULTS: records, NO_COLOR: '1' },
      encoding: 'utf8',
    })
    const rows = readFileSync(records, 'utf8').split('\n').filter(Boolean).map(readRecord)
    return { rows, passed: status === 0, output: `${stdout}${stderr}` }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function readRecord(line) {
  const record = JSON.parse(line)
  const { measured, expected } = record
  const isExpected = Object.keys(expected).every((name) => measured[name] === expected[name])
  return { ...record, isExpected }
}

/** Kills end in any order: they are listed in the order of their points. */
function byPoint(one, other) {
  const number = ({ times }) => Number(/^point (\d+)/.exec(times)?.[1] ?? 0)
  return number(one) - number(other)
}

/** Our verifier beside the published one; true when they differ where no rule of ours says so. */
async function judgeDifferentially() {
  const missing = missingPackages().filter((name) => name === 'current')
  if (missing.length > 0) {
    console.log(
      `differential verifier: SKIPPED, the published packages are not installed (node test/interop/install.mjs)`,
    )
    return false
  }
  const { runDifferential } = await import('../interop/differential.mjs')
  const { judged, skipped, bothTake, bothRefuse, stricter, unexpected } = await runDifferential({
    count: CASES,
  })
  const byRule = Object.values(stricter).reduce((sum, each) => sum + each, 0)
  const isRight = unexpected.length === 0 && judged + skipped === CASES
  console.log(
    `differential verifier, ${CASES} mutated payments: ${judged} judged by both (${skipped} could not be made), ` +
      `${bothTake} taken by both, ${bothRefuse} refused by both, ${byRule} refused by ours alone under ` +
      `${Object.keys(stricter).length} written rules, ${unexpected.length} unexpected (0 expected): ${isRight ? 'as expected' : 'WRONG'}`,
  )
  for (const found of unexpected.slice(0, 20)) console.log(`  ${JSON.stringify(found)}`)
  return !isRight
}
