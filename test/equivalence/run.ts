/**
 * `npm run equivalence`: one scenario published on each surface of a relay and read on all, as one table. A cell says on
 * how many surfaces the event was read, and the verdict where it is not the one that it must be. Exit 1 on a difference.
 */
import { type Comparison, compare, isEquivalent, isWhole, type Published, type Tally } from './compare.js'

const started = performance.now()
const comparison = await compare()
const { published, read, faults } = comparison
const surfaces = read.map(({ surface }) => surface)

print([
  ['published', 'verdict', ...surfaces],
  ...[...new Set(published.map(({ step }) => step.what))].map((what) => {
    const row = published.filter(({ step }) => step.what === what)
    return [what, row[0]?.step.verdict ?? '', ...row.map(cell)]
  }),
])
console.log()
print([
  ['read', ...surfaces],
  ['each after the other: delivered', ...read.map(({ live }) => deliveredOf(live))],
  ['  once', ...read.map(({ live }) => yes(live.once))],
  ['  in order', ...read.map(({ live }) => yes(live.inOrder))],
  ['all at once: delivered', ...read.map(({ atOnce }) => deliveredOf(atOnce))],
  ['  once', ...read.map(({ atOnce }) => yes(atOnce.once))],
  ['  in one order', ...read.map(({ atOnce }) => yes(atOnce.inOrder))],
  ['stored: same answers', ...read.map(({ sameAnswers, queries }) => `${sameAnswers} of ${queries}`)],
])
for (const fault of faults) console.log(`fault: ${fault.type}`)
const seconds = ((performance.now() - started) / 1000).toFixed(1)
const different = differences(comparison)
console.log(`\n${surfaces.length} surfaces, ${different} differences, in ${seconds} s`)
process.exitCode = isEquivalent(comparison) ? 0 : 1

function cell({ step, verdict, readOn }: Published): string {
  const readers = `${readOn} of ${surfaces.length}`
  return verdict === step.verdict ? readers : `${readers}, ${verdict}`
}

function deliveredOf({ expected, delivered }: Tally): string {
  return `${delivered} of ${expected}`
}

function yes(is: boolean): string {
  return is ? 'yes' : 'NO'
}

function differences({ published, read, faults }: Comparison): number {
  const wrong = published.filter(({ isRight }) => !isRight).length
  const unlike = read.filter(
    ({ live, atOnce, sameAnswers, queries }) => !isWhole(live) || !isWhole(atOnce) || sameAnswers !== queries,
  ).length
  return wrong + unlike + faults.length
}

function print(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)))
  for (const row of rows)
    console.log(
      row
        .map((text, i) => text.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
}
