/**
 * The part of JSON Schema (draft 2020-12) that tool inputs are written in, as a check: types, objects, arrays, ranges,
 * `enum`, `const`, `anyOf`, `oneOf`, `allOf`. A keyword that is not understood is a TypeError at the start, never a
 * check that is silently left out; give a Standard Schema for more.
 */
import { isDeepStrictEqual } from 'node:util'
import type { Json, JsonRecord } from '../model.js'
import { isRecord } from '../read-fields.js'
import type { Issue } from './fault.js'

type Check = (value: unknown, path: Issue['path'], issues: Issue[]) => void

const ANNOTATIONS = new Set([
  '$schema',
  '$id',
  '$comment',
  'title',
  'description',
  'default',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  'format',
])
const TYPES = ['object', 'array', 'string', 'number', 'integer', 'boolean', 'null']
const MAX_DEPTH = 32

/** @throws TypeError for a schema with a keyword that is not understood */
export function compileSchema(schema: JsonRecord): (value: unknown) => readonly Issue[] {
  const check = compile(schema, MAX_DEPTH)
  return (value) => {
    const issues: Issue[] = []
    check(value, [], issues)
    return issues
  }
}

function compile(schema: Json | undefined, depth: number): Check {
  if (schema === true) return () => {}
  if (schema === false) return (_value, path, issues) => void issues.push({ message: 'not allowed', path })
  if (!isRecord(schema) || depth === 0)
    throw new TypeError('a JSON Schema is an object or a boolean, 32 deep')
  const checks = Object.entries(schema).flatMap(([keyword, argument]) =>
    ANNOTATIONS.has(keyword) || argument === undefined
      ? []
      : [keywordCheck(keyword, argument, schema, depth - 1)],
  )
  return (value, path, issues) => {
    for (const check of checks) check(value, path, issues)
  }
}

function keywordCheck(keyword: string, argument: Json, schema: JsonRecord, depth: number): Check {
  switch (keyword) {
    case 'type':
      return typeCheck(list(argument))
    case 'enum':
      return rule(
        (value) => list(argument).some((item) => isDeepStrictEqual(item, value)),
        'must be one of the listed values',
      )
    case 'const':
      return rule((value) => isDeepStrictEqual(argument, value), 'must be the given value')
    case 'properties':
      return propertiesCheck(record(argument), depth)
    case 'required':
      return (value, path, issues) => {
        if (!isRecord(value)) return
        for (const name of list(argument)) {
          if (!Object.hasOwn(value, String(name)))
            issues.push({ message: 'is required', path: [...path, String(name)] })
        }
      }
    case 'additionalProperties':
      return additionalCheck(compile(argument, depth), Object.keys(record(schema.properties ?? {})))
    case 'items':
      return itemsCheck(compile(argument, depth))
    case 'anyOf':
    case 'oneOf':
      return choiceCheck(
        list(argument).map((item) => compile(item, depth)),
        keyword === 'oneOf',
      )
    case 'allOf': {
      const all = list(argument).map((item) => compile(item, depth))
      return (value, path, issues) => {
        for (const check of all) check(value, path, issues)
      }
    }
    case 'pattern': {
      const pattern = new RegExp(String(argument), 'u')
      return rule((value) => typeof value !== 'string' || pattern.test(value), 'does not match the pattern')
    }
    default:
      return boundCheck(keyword, argument)
  }
}

function boundCheck(keyword: string, argument: Json): Check {
  const bound = Number(argument)
  const measure: Record<
    string,
    readonly [of: 'number' | 'string' | 'array' | 'object', holds: (size: number) => boolean]
  > = {
    minimum: ['number', (size) => size >= bound],
    maximum: ['number', (size) => size <= bound],
    exclusiveMinimum: ['number', (size) => size > bound],
    exclusiveMaximum: ['number', (size) => size < bound],
    minLength: ['string', (size) => size >= bound],
    maxLength: ['string', (size) => size <= bound],
    minItems: ['array', (size) => size >= bound],
    maxItems: ['array', (size) => size <= bound],
    minProperties: ['object', (size) => size >= bound],
    maxProperties: ['object', (size) => size <= bound],
  }
  const found = Object.hasOwn(measure, keyword) ? measure[keyword] : undefined
  if (found === undefined || !Number.isFinite(bound))
    throw new TypeError(
      `the JSON Schema keyword ${keyword} is not understood: give the action an input schema`,
    )
  const [of, holds] = found
  return rule((value) => {
    const size = sizeOf(value, of)
    return size === undefined || holds(size)
  }, `is beyond its ${keyword} of ${bound}`)
}

function sizeOf(value: unknown, of: 'number' | 'string' | 'array' | 'object'): number | undefined {
  if (of === 'number') return typeof value === 'number' ? value : undefined
  // Characters, as JSON Schema counts: code points.
  if (of === 'string') return typeof value === 'string' ? [...value].length : undefined
  if (of === 'array') return Array.isArray(value) ? value.length : undefined
  return isRecord(value) ? Object.keys(value).length : undefined
}

function typeCheck(types: readonly Json[]): Check {
  for (const type of types)
    if (!TYPES.includes(String(type))) throw new TypeError(`no JSON type is called ${type}`)
  const isOf = (value: unknown): boolean =>
    types.some((type) => {
      if (type === 'null') return value === null
      if (type === 'array') return Array.isArray(value)
      if (type === 'object') return isRecord(value)
      if (type === 'integer') return Number.isInteger(value)
      return typeof value === type
    })
  return rule(isOf, `must be ${types.join(' or ')}`)
}

function propertiesCheck(properties: JsonRecord, depth: number): Check {
  const checks = Object.entries(properties).map(([name, schema]) => [name, compile(schema, depth)] as const)
  return (value, path, issues) => {
    if (!isRecord(value)) return
    for (const [name, check] of checks)
      if (Object.hasOwn(value, name)) check(value[name], [...path, name], issues)
  }
}

function additionalCheck(check: Check, known: readonly string[]): Check {
  return (value, path, issues) => {
    if (!isRecord(value)) return
    for (const [name, member] of Object.entries(value))
      if (!known.includes(name)) check(member, [...path, name], issues)
  }
}

function itemsCheck(check: Check): Check {
  return (value, path, issues) => {
    if (!Array.isArray(value)) return
    for (const [at, item] of value.entries()) check(item, [...path, at], issues)
  }
}

function choiceCheck(checks: readonly Check[], isExactlyOne: boolean): Check {
  return rule(
    (value) => {
      const fitting = checks.filter((check) => {
        const issues: Issue[] = []
        check(value, [], issues)
        return issues.length === 0
      }).length
      return isExactlyOne ? fitting === 1 : fitting > 0
    },
    isExactlyOne ? 'must fit exactly one of the choices' : 'must fit one of the choices',
  )
}

function rule(holds: (value: unknown) => boolean, message: string): Check {
  return (value, path, issues) => {
    if (!holds(value)) issues.push({ message, path })
  }
}

function list(value: Json): readonly Json[] {
  return Array.isArray(value) ? value : [value as Json]
}

function record(value: Json): JsonRecord {
  if (!isRecord(value)) throw new TypeError('a JSON Schema keyword expects an object')
  return value
}
