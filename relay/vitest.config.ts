/**
 * Tests here start processes and wait for disks. On a loaded machine that takes what it takes: a test ends by what it
 * waits for, and the timeouts only end what hangs.
 */
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    ...{ testTimeout: 120_000, hookTimeout: 120_000, expect: { poll: { timeout: 100_000 } } },
  },
})
