/** A folder of a test's own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** Goes with all that is in it when the test that runs is over, after what was opened later. */
export function temporaryFolder(name: string): string {
  const path = mkdtempSync(join(tmpdir(), `aether-${name}-`))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}
