/** Tests wait for the thing itself; how long is for a machine that is busy with others. */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: { testTimeout: 60_000, hookTimeout: 60_000, expect: { poll: { timeout: 30_000 } } },
})
