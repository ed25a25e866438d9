/** The reliability cases at short size; `npm run reliability` has the full ones. */
import { expect, test } from 'vitest'
import { CASES } from './cases.js'

for (const { name, run } of CASES) {
  test(`${name}: every figure holds`, { timeout: 180_000 }, async () => {
    const rows = await run('short')
    expect(rows.length).toBeGreaterThan(0)
    expect(rows.filter(({ isHeld }) => !isHeld)).toEqual([])
  })
}
