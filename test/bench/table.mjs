/** The rows of a run as one aligned text table. */

const COLUMNS = [
  { head: 'figure', text: (row) => `${row.section}: ${row.figure}` },
  { head: 'measured', right: true, text: (row) => number(row.value) },
  { head: 'unit', text: (row) => row.unit },
  { head: 'limit', right: true, text: (row) => number(row.limit) },
  { head: 'ratio', right: true, text: (row) => number(row.ratio) },
  { head: 'aim', text: (row) => row.aim ?? '' },
  { head: 'the limit is; remarks', text: remarks },
]

/** Each column as wide as its widest cell. */
export function renderTable(rows) {
  const lines = [COLUMNS.map(({ head }) => head), ...rows.map((row) => COLUMNS.map(({ text }) => text(row)))]
  const widths = COLUMNS.map((_, i) => lines.reduce((widest, line) => Math.max(widest, line[i].length), 0))
  const pad = (cell, i) => (COLUMNS[i].right ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))
  return lines.map((line) => `${line.map(pad).join('  ').trimEnd()}\n`).join('')
}

/** One row while the run is going on. */
export function renderRow({ figure, value, unit, limit, ratio }) {
  const beside = limit === undefined ? '' : `  of ${number(limit)} = ${number(ratio)}`
  return `  ${figure}: ${number(value)} ${unit}${beside}\n`
}

function remarks({ limitName, note }) {
  return [limitName, note].filter((text) => text !== undefined && text !== '').join('; ')
}

/** Three digits that count, thousands set apart. */
export function number(value) {
  if (value === undefined || Number.isNaN(value)) return ''
  const size = Math.abs(value)
  const digits = size >= 100 || size === 0 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}
