/**
 * `npm run bench`: speed and size of core and relay, each figure beside a limit measured in the same run.
 * Figures, never assertions: the exit code is 1 only when a section could not be measured.
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { cleanUp, cleanUpOnExit } from './harness.mjs'
import { machine } from './machine.mjs'
import { renderRow, renderTable } from './table.mjs'

/** In the order they run. */
const SECTIONS = {
  limits: 'signature checks, hashes and disk syncs of this machine',
  publish: 'durable publish -> ack per second',
  fanout: 'deliveries per second to 1, 10, 100 and 1,000 subscribers',
  latency: 'publish -> subscriber at 100, 1,000, 5,000 and 10,000 events per second',
  store: 'queries and start-up among 1,000,000 stored events',
  match: 'which of 100,000 live subscriptions want an event',
  size: 'bytes on the wire per event in the three forms',
  memory: 'memory per idle connection and per subscription',
  payments: 'verify, settle and whole payments on a local chain, beside the published packages',
  a2a: 'chunks, calls, cancels and signed requests of an A2A agent, beside the published SDK',
}

const HELP = `Usage: node test/bench/bench.mjs [section...] [--quick] [--json FILE]

Measures the built packages (npm run bench builds first) on loopback and prints one table.
Without a section all of them run, in about ten minutes:

${Object.entries(SECTIONS)
  .map(([name, text]) => `  ${name.padEnd(9)}${text}`)
  .join('\n')}

  --quick      a tenth of the events and of the time: shows that it runs, the figures are rough
  --json FILE  writes the rows as JSON too
  --help       this text

How to read the table: test/bench/README.md`

const options = readArguments()
cleanUpOnExit()

const started = performance.now()
const facts = await machine()
for (const [name, value] of Object.entries(facts)) console.log(`${name.padEnd(10)} ${value}`)

const rows = []
const failures = []
const once = new Map()
for (const section of options.sections) {
  const begun = performance.now()
  process.stdout.write(`\n${section}: ${SECTIONS[section]}\n`)
  const bench = {
    quick: options.quick,
    /** Runs `measure` the first time; later sections get the same figures. */
    once(key, measure) {
      if (!once.has(key)) once.set(key, measure())
      return once.get(key)
    },
    row(row) {
      rows.push({ section, ...row, ratio: row.limit === undefined ? undefined : row.value / row.limit })
      process.stdout.write(renderRow(rows.at(-1)))
    },
  }
  try {
    const { run } = await import(`./${section}.mjs`)
    await run(bench)
  } catch (error) {
    failures.push({ section, error: String(error?.message ?? error) })
    console.error(`${section} could not be measured: ${error?.stack ?? error}`)
  } finally {
    cleanUp()
  }
  process.stdout.write(`  (${((performance.now() - begun) / 1000).toFixed(1)} s)\n`)
}

console.log(`\n${renderTable(rows)}`)
for (const { section, error } of failures) console.log(`${section}: not measured: ${error}`)
console.log(
  `${((performance.now() - started) / 1000).toFixed(0)} s in all${options.quick ? ', --quick' : ''}`,
)
if (options.json !== undefined) {
  const report = { machine: facts, quick: options.quick, rows, failures }
  writeFileSync(options.json, `${JSON.stringify(report, null, 2)}\n`)
}
process.exitCode = failures.length > 0 ? 1 : 0

function readArguments() {
  let parsed
  try {
    parsed = parseArgs({
      allowPositionals: true,
      options: {
        quick: { type: 'boolean' },
        json: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    })
  } catch (error) {
    return usage(error.message)
  }
  const { values, positionals } = parsed
  if (values.help) {
    console.log(HELP)
    process.exit(0)
  }
  const unknown = positionals.find((name) => !Object.hasOwn(SECTIONS, name))
  if (unknown !== undefined) return usage(`no section ${unknown}: take ${Object.keys(SECTIONS).join(', ')}`)
  const sections = Object.keys(SECTIONS).filter(
    (name) => positionals.length === 0 || positionals.includes(name),
  )
  return { sections, quick: values.quick ?? false, json: values.json }
}

function usage(message) {
  console.error(`bench: ${message}`)
  process.exit(2)
}
