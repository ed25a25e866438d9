/** Our verifier against the published one (spec payments 17, solana 8): it may refuse more, by name, and never take more. */
import { beforeAll, describe, expect, test } from 'vitest'
import {
  type DifferentialReport,
  MUTATION_NAMES,
  missingPackages,
  runDifferential,
  SOUND_NAMES,
  STRICTER_RULES,
} from './interop/suite.mjs'

const isMissing = missingPackages().includes('current')
const skipped = isMissing ? ' - SKIPPED: not installed, node test/interop/install.mjs gets it' : ''

test('each stricter rule has a name of its own, a place in the spec and mutations that exist', () => {
  expect(new Set(STRICTER_RULES.map(({ id }) => id)).size).toBe(STRICTER_RULES.length)
  for (const { spec, mutations } of STRICTER_RULES) {
    expect(spec).toMatch(/^solana 3, rules? \d+/)
    expect(MUTATION_NAMES).toEqual(expect.arrayContaining([...mutations]))
  }
})

describe.skipIf(isMissing)(`5,000 mutated payments before two verifiers${skipped}`, () => {
  let report: DifferentialReport
  beforeAll(async () => {
    report = await runDifferential({ count: 5_000, seed: 402 })
  }, 180_000)

  test('every difference is ours to refuse, under a rule of the list', () => {
    expect(report.unexpected).toEqual([])
    expect(report.judged).toBeGreaterThanOrEqual(5_000)
  })

  test('every rule of the list was met', () => {
    expect(Object.keys(report.stricter).sort()).toEqual(STRICTER_RULES.map(({ id }) => id).sort())
  })

  test('every sound variation was taken by both', () => {
    expect(Object.keys(report.taken).sort()).toEqual([...SOUND_NAMES].sort())
  })
})
