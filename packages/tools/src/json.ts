/** Plain JSON: what outputs of tools are made of (fact 4 of the spec of frameworks). */

export type Json = null | boolean | number | string | readonly Json[] | JsonRecord
export interface JsonRecord {
  readonly [key: string]: Json | undefined
}

/** A bigint, a byte array or a Map in an output costs a LangGraph thread its messages, silently. */
export function isJsonRecord(value: unknown): value is JsonRecord {
  return typeof value === 'object' && !Array.isArray(value) && value !== null && isJson(value)
}

/** Undefined is taken where JSON leaves it out: as the value of a key. */
function isJson(value: unknown): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true
    case 'number':
      return Number.isFinite(value)
    case 'object': {
      if (value === null) return true
      if (Array.isArray(value)) return value.every(isJson)
      const prototype = Object.getPrototypeOf(value)
      const values = Object.values(value).filter((each) => each !== undefined)
      return (prototype === Object.prototype || prototype === null) && values.every(isJson)
    }
    default:
      return false
  }
}
