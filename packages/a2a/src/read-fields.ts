/**
 * One object of a request, member by member (spec a2a 2.2): camelCase or snake_case names, null is absent, unknown
 * members are ignored, and everything wrong is collected as a violation with its path.
 */
import { A2AError, type FieldViolation } from './errors.js'
import type { Json, JsonRecord } from './model.js'

/** Characters of an id that a caller makes. */
const MAX_ID = 256

export const isRecord = (value: unknown): value is JsonRecord =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A value of the model in the JSON it is: interfaces have no index signature of their own. */
export const asJson = (value: unknown): JsonRecord => value as JsonRecord

export class Fields {
  readonly #record: JsonRecord
  readonly #path: string
  readonly #violations: FieldViolation[]

  constructor(record: JsonRecord, path = '', violations: FieldViolation[] = []) {
    this.#record = record
    this.#path = path
    this.#violations = violations
  }

  path(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`
  }

  refuse(name: string, description: string): void {
    this.#violations.push({ field: this.path(name), description })
  }

  /** The member under either name; null and absent are undefined. */
  value(name: string): Json | undefined {
    return this.present(name) ?? undefined
  }

  /** As `value`, but null stays null. */
  present(name: string): Json | undefined {
    if (Object.hasOwn(this.#record, name)) return this.#record[name]
    const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    return Object.hasOwn(this.#record, snake) ? this.#record[snake] : undefined
  }

  /** Empty is absent, as protobuf has it. */
  string(name: string, max?: number): string | undefined {
    const value = this.value(name)
    if (value === undefined || value === '') return undefined
    if (typeof value !== 'string') return this.refuse(name, 'must be a string') as undefined
    if (max !== undefined && value.length > max)
      return this.refuse(name, `must be at most ${max} characters`) as undefined
    return value
  }

  id(name: string): string | undefined {
    return this.string(name, MAX_ID)
  }

  /** `''` beside a violation when it is missing, so that reading goes on. */
  required(name: string, max = MAX_ID): string {
    const before = this.#violations.length
    const value = this.string(name, max)
    if (value === undefined && this.#violations.length === before) this.refuse(name, 'is required')
    return value ?? ''
  }

  boolean(name: string): boolean | undefined {
    const value = this.value(name)
    if (value === undefined || typeof value === 'boolean') return value
    return this.refuse(name, 'must be true or false') as undefined
  }

  /** A number, or its decimal text as ProtoJSON allows. */
  integer(name: string, min: number, max = 2 ** 31 - 1): number | undefined {
    const value = this.value(name)
    if (value === undefined) return undefined
    const number = typeof value === 'string' && /^-?\d{1,10}$/.test(value) ? Number(value) : value
    if (typeof number === 'number' && Number.isInteger(number) && number >= min && number <= max)
      return number
    return this.refuse(name, `must be a whole number from ${min} to ${max}`) as undefined
  }

  strings(name: string): readonly string[] | undefined {
    const value = this.value(name)
    if (value === undefined) return undefined
    if (Array.isArray(value) && value.every((item) => typeof item === 'string'))
      return value.length === 0 ? undefined : value
    return this.refuse(name, 'must be an array of strings') as undefined
  }

  list(name: string): readonly Json[] | undefined {
    const value = this.value(name)
    if (value === undefined || Array.isArray(value)) return value
    return this.refuse(name, 'must be an array') as undefined
  }

  record(name: string): JsonRecord | undefined {
    const value = this.value(name)
    if (value === undefined || isRecord(value)) return value
    return this.refuse(name, 'must be an object') as undefined
  }

  /** The members of an object, or of one item of an array. */
  fields(name: string): Fields | undefined {
    const value = this.record(name)
    return value && new Fields(value, this.path(name), this.#violations)
  }

  item(name: string, index: number, value: Json): Fields | undefined {
    const path = `${name}[${index}]`
    if (isRecord(value)) return new Fields(value, this.path(path), this.#violations)
    return this.refuse(path, 'must be an object') as undefined
  }

  /** By full name, or by number as ProtoJSON readers must allow; `names[0]` is number 1. */
  enumeration<Name extends string>(name: string, names: readonly Name[]): Name | undefined {
    const value = this.value(name)
    if (value === undefined) return undefined
    const found = typeof value === 'number' ? names[value - 1] : names.find((item) => item === value)
    return found ?? (this.refuse(name, `must be one of ${names.join(', ')}`) as undefined)
  }

  /** @throws A2AError INVALID_PARAMS with every violation found under the root */
  finish(): void {
    const [first] = this.#violations
    if (first === undefined) return
    throw new A2AError('INVALID_PARAMS', `Invalid params: ${first.field} ${first.description}`, {
      violations: this.#violations,
    })
  }
}
