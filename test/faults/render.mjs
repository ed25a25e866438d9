/**
 * The rows of the fault table as aligned text; amounts in atomic units, as the chain has them. Rows with a point stand
 * under the fault that they are points of.
 */

const COLUMNS = [
  { head: 'fault', text: ({ fault, point }) => (point === undefined ? fault : `  ${point}`) },
  { head: 'how often', text: ({ times }) => times },
  { head: 'handler runs', right: true, text: ({ measured }) => `${measured.runs}` },
  { head: 'seller credited', right: true, text: ({ measured }) => amount(measured.credited) },
  { head: 'buyer debited', right: true, text: ({ measured }) => amount(measured.debited) },
  { head: 'served', right: true, text: ({ measured }) => `${measured.served}` },
  { head: 'expected', text: ({ expected }) => figures(expected) },
  { head: 'verdict', text: ({ isExpected }) => (isExpected ? 'as expected' : 'WRONG') },
]

export function render(rows) {
  const lines = [
    COLUMNS.map(({ head }) => head),
    ...rows.flatMap((row, i) => {
      const line = COLUMNS.map(({ text }) => text(row))
      return row.point === undefined || rows[i - 1]?.fault === row.fault ? [line] : [[row.fault], line]
    }),
  ]
  const widths = COLUMNS.map((_, i) =>
    Math.max(...lines.map((line) => (line.length > 1 ? line[i].length : 0))),
  )
  const pad = (cell, i) => (COLUMNS[i].right ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))
  return lines.map((line) => line.map(pad).join('  ').trimEnd()).join('\n')
}

function figures({ runs, credited, debited, served }) {
  return `${runs} run${runs === 1 ? '' : 's'}, +${amount(credited)}, -${amount(debited)}, ${served} served`
}

function amount(text) {
  return BigInt(text).toLocaleString('en-US')
}
