/**
 * The whole gate, `npm test`: what must be true of every commit on main. Runs on Node 20 with npm alone; a test that
 * needs more (Chromium) says that it was skipped. Ends with `N passed, N failed` over everything.
 */
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const examples = readdirSync(new URL('../examples', import.meta.url)).filter((file) => file.endsWith('.ts'))

/** Name, command; `counts` marks a step whose own test counts are added up. */
const steps = [
  { name: 'generated code is what the schemas say', command: ['node', 'schemas/generate.mjs', '--check'] },
  { name: 'build', command: ['npx', 'turbo', 'run', 'build'] },
  { name: 'typecheck', command: ['npx', 'turbo', 'run', 'typecheck'] },
  { name: 'lint and format', command: ['npx', 'biome', 'ci', '--error-on-warnings', '.'] },
  { name: 'unused files, exports and dependencies', command: ['npx', 'knip'] },
  { name: 'package checks', command: ['npx', 'turbo', 'run', 'pack:check'] },
  { name: 'tests', command: ['npx', 'turbo', 'run', 'test', '--concurrency=2', '--continue'], counts: true },
  ...examples.map((file) => ({ name: `example ${file}`, command: ['npx', 'tsx', `examples/${file}`] })),
]

/** Lines of a failed test's report, and of the end of a step that failed without one. */
const REPORT = 25
const ENDING = 40

let passed = 0
let failed = 0
let skipped = 0
const failures = []
for (const { name, command, counts } of steps) {
  const started = Date.now()
  const { code, output } = await run(command)
  const seconds = ((Date.now() - started) / 1000).toFixed(1)
  console.log(`\n${code === 0 ? 'ok' : 'FAILED'}: ${name} (${seconds} s)\n`)
  if (counts) {
    const found = testCounts(output)
    passed += found.passed
    failed += Math.max(found.failed, code === 0 ? 0 : 1)
    skipped += found.skipped
  } else if (code === 0) passed++
  else failed++
  if (code !== 0) failures.push(`${name}\n\n${essence(output)}`)
  if (name === 'build' && code !== 0) break
}
// Once more at the end, where a log that was cut still has it.
for (const failure of failures) console.log(`\nWHAT FAILED: ${failure}\n`)
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = failed === 0 ? 0 : 1

/** Runs a command at the root, its output shown as it comes and kept for counting. */
function run([file, ...args]) {
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', FORCE_COLOR: '0', NO_COLOR: '1' }
  const child = spawn(file, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  return new Promise((resolve) => {
    let output = ''
    for (const stream of ['stdout', 'stderr'])
      child[stream].on('data', (chunk) => {
        output += chunk
        process[stream].write(chunk)
      })
    child.on('close', (code) => resolve({ code, output }))
  })
}

/** Of a failed step: what vitest says of each failed test, or else how the output ends. */
function essence(output) {
  const lines = output.split('\n')
  const starts = lines.flatMap((line, i) => (/\bFAIL {2}\S/.test(line) ? [i] : []))
  if (starts.length === 0) return lines.slice(-ENDING).join('\n')
  return starts.map((start) => lines.slice(start, start + REPORT).join('\n')).join('\n\n')
}

/** Adds up vitest's closing lines: `Tests  1 failed | 20 passed | 2 skipped (23)`. */
function testCounts(output) {
  const sum = { passed: 0, failed: 0, skipped: 0 }
  for (const [line] of output.matchAll(/^.*\bTests {2}.*$/gm)) {
    for (const [, count, word] of line.matchAll(/(\d+) (passed|failed|skipped)/g)) sum[word] += Number(count)
  }
  return sum
}
