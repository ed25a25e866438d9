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
  { name: 'tests', command: ['npx', 'turbo', 'run', 'test', '--concurrency=1', '--continue'], counts: true },
  ...examples.map((file) => ({ name: `example ${file}`, command: ['npx', 'tsx', `examples/${file}`] })),
]

let passed = 0
let failed = 0
let skipped = 0
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
  if (name === 'build' && code !== 0) break
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exitCode = failed === 0 ? 0 : 1

/** Runs a command at the root, its output shown as it comes and kept for counting. */
function run([file, ...args]) {
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1', FORCE_COLOR: '0', NO_COLOR: '1' }
  const child = spawn(file, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'inherit'] })
  return new Promise((resolve) => {
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
      process.stdout.write(chunk)
    })
    child.on('close', (code) => resolve({ code, output }))
  })
}

/** Adds up vitest's closing lines: `Tests  1 failed | 20 passed | 2 skipped (23)`. */
function testCounts(output) {
  const sum = { passed: 0, failed: 0, skipped: 0 }
  for (const [line] of output.matchAll(/^.*\bTests {2}.*$/gm)) {
    for (const [, count, word] of line.matchAll(/(\d+) (passed|failed|skipped)/g)) sum[word] += Number(count)
  }
  return sum
}
