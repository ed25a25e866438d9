/** Which documents a search is about: filters on fields, and patterns of folders. */

/** A field equals the value, or passes all operators. */
export type DocumentFilter = Readonly<Record<string, unknown>>

export interface FolderMatch {
  readonly matchType: 'prefix' | 'suffix'
  /** `*` stands for any one part. */
  readonly path: readonly string[]
}

const OPERATORS: Readonly<Record<string, (value: unknown, operand: unknown) => boolean>> = {
  $eq: (value, operand) => value === operand,
  $ne: (value, operand) => value !== operand,
  $gt: (value, operand) => Number(value) > Number(operand),
  $gte: (value, operand) => Number(value) >= Number(operand),
  $lt: (value, operand) => Number(value) < Number(operand),
  $lte: (value, operand) => Number(value) <= Number(operand),
  $in: (value, operand) => Array.isArray(operand) && operand.includes(value),
  $nin: (value, operand) => !(Array.isArray(operand) && operand.includes(value)),
}

/** @throws TypeError for an operator that does not exist. */
export function checkFilter(filter: DocumentFilter): void {
  for (const [field, wanted] of Object.entries(filter)) {
    for (const operator of isObject(wanted) ? Object.keys(wanted) : []) {
      if (operator.startsWith('$') && !Object.hasOwn(OPERATORS, operator))
        throw new TypeError(`unknown operator ${operator} for ${field}`)
    }
  }
}

/** Values that are no text, number or boolean equal nothing: JSON has no identity. */
export function matchesFilter(document: Readonly<Record<string, unknown>>, filter: DocumentFilter): boolean {
  return Object.entries(filter).every(([field, wanted]) => {
    const value = Object.hasOwn(document, field) ? document[field] : undefined
    if (!isObject(wanted)) return value === wanted
    const operands = Object.entries(wanted)
    if (operands.some(([operator]) => !Object.hasOwn(OPERATORS, operator))) return false
    return operands.every(([operator, operand]) => OPERATORS[operator]?.(value, operand) === true)
  })
}

export function matchesFolder(folder: readonly string[], { matchType, path }: FolderMatch): boolean {
  if (path.length > folder.length) return false
  const from = matchType === 'prefix' ? 0 : folder.length - path.length
  return path.every((part, index) => part === '*' || part === folder[from + index])
}

/** Part by part, shorter first. */
export function compareFolders(a: readonly string[], b: readonly string[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const [one, other] = [a[index]!, b[index]!]
    if (one !== other) return one < other ? -1 : 1
  }
  return a.length - b.length
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
