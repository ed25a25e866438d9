/** `npm start`: builds what is not built, then tells the story of demo.ts. Arguments go to the demo (`--keep`). */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const env = { ...process.env, TURBO_TELEMETRY_DISABLED: '1' }

const build = spawnSync('npx', ['turbo', 'run', 'build', '--output-logs=errors-only'], {
  cwd: root,
  env,
  encoding: 'utf8',
})
if (build.status !== 0) {
  process.stderr.write(`${build.stdout ?? ''}${build.stderr ?? ''}\nThe build failed; did you run npm ci?\n`)
  process.exit(1)
}
const demo = spawnSync('npx', ['tsx', 'examples/demo.ts', ...process.argv.slice(2)], {
  cwd: root,
  env,
  stdio: 'inherit',
})
process.exit(demo.status ?? 1)
