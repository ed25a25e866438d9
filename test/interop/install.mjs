/** `node test/interop/install.mjs`: gets both sets of published packages by their lock files; nothing is run by them. */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

for (const set of ['current', 'legacy']) {
  const cwd = fileURLToPath(new URL(set, import.meta.url))
  const flags = ['ci', '--ignore-scripts', '--no-audit', '--no-fund']
  const { status, error } = spawnSync('npm', flags, {
    cwd,
    stdio: 'inherit',
    shell: process.platform === 'win32',
  })
  if (error !== undefined) throw error
  if (status !== 0) process.exit(status ?? 1)
}
