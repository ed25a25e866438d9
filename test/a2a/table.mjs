/**
 * `npm run requirements`: runs every test that cites a requirement of A2A and prints the table, one line a requirement:
 * how binding it is, what it says, by how many tests it is shown, and the verdict. Exits non-zero when a MUST is
 * uncovered or failing.
 */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { tsImport } from 'tsx/esm/api'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { REQUIREMENTS } = await tsImport('./requirements.ts', import.meta.url)
const { citations, citedIn } = await tsImport('./citations.ts', import.meta.url)

const started = Date.now()
const files = [...new Set(citations().map(({ file }) => file))]
const folder = mkdtempSync(join(tmpdir(), 'a2a-requirements-'))
const outcomes = new Map(Object.keys(REQUIREMENTS).map((id) => [id, { passed: 0, failed: 0, skipped: 0 }]))

for (const workspace of new Set(files.map(workspaceOf))) {
  const report = join(folder, `${workspace.replaceAll('/', '-')}.json`)
  const own = files.filter((file) => workspaceOf(file) === workspace)
  const names = own.map((file) => file.slice(workspace.length + 1))
  spawnSync('npx', ['vitest', 'run', '--reporter=json', `--outputFile=${report}`, ...names], {
    cwd: join(root, workspace),
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  for (const { title, status } of JSON.parse(readFileSync(report, 'utf8')).testResults.flatMap(
    (result) => result.assertionResults,
  )) {
    for (const id of citedIn(title)) {
      const outcome = outcomes.get(id)
      if (outcome === undefined) continue
      if (status === 'passed') outcome.passed++
      else if (status === 'failed') outcome.failed++
      else outcome.skipped++
    }
  }
}
rmSync(folder, { recursive: true })

let section = ''
const count = { passed: 0, failed: 0, uncovered: 0 }
let broken = 0
for (const [id, requirement] of Object.entries(REQUIREMENTS)) {
  if (requirement.section !== section) {
    section = requirement.section
    console.log(`\n${section}`)
  }
  const { passed, failed } = outcomes.get(id)
  const verdict = failed > 0 ? 'failed' : passed > 0 ? 'passed' : 'uncovered'
  count[verdict]++
  if (verdict !== 'passed' && requirement.level === 'MUST') broken++
  const tests = `${passed + failed} test${passed + failed === 1 ? '' : 's'}`
  console.log(
    `  ${verdict.padEnd(9)} ${requirement.level.padEnd(6)} ${id.padEnd(26)} ${tests.padEnd(9)} ${requirement.text}`,
  )
}
const seconds = Math.round((Date.now() - started) / 1000)
console.log(
  `\n${count.passed} requirements hold, ${count.failed} fail, ${count.uncovered} are uncovered, in ${seconds} s`,
)
process.exitCode = broken > 0 ? 1 : 0

/** The folder with the package.json that a test file belongs to. */
function workspaceOf(file) {
  const [first, second] = file.split('/')
  return first === 'test' ? 'test' : `${first}/${second}`
}
