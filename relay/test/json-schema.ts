/**
 * As much of JSON Schema 2020-12 as the files in `schemas/` use, for tests. A keyword that is not known here throws, so
 * that no rule is passed over in silence.
 */
import { isJsonObject, type JsonValue } from '@aetherkit/core'

export interface Schema {
  readonly [keyword: string]: unknown
}

/** Finds the schema of a `$ref`, which may be in another document; then that is the new root. */
export type Resolve = (ref: string, root: Schema) => { readonly schema: Schema; readonly root: Schema }

/** What is wrong with the value, each as `<path>: <keyword>`; empty when nothing is. */
export function faults(
  value: JsonValue | undefined,
  schema: Schema,
  root: Schema,
  resolve: Resolve,
  path = '$',
): string[] {
  const found: string[] = []
  const check = (keyword: string, holds: boolean) => {
    if (!holds) found.push(`${path}: ${keyword}`)
  }
  const sub = (each: JsonValue | undefined, at: unknown, name: string) =>
    faults(each, at as Schema, root, resolve, `${path}${name}`)
  for (const [keyword, rule] of Object.entries(schema)) {
    switch (keyword) {
      case '$ref': {
        const target = resolve(String(rule), root)
        found.push(...faults(value, target.schema, target.root, resolve, path))
        break
      }
      case 'type':
        check(
          keyword,
          [rule].flat().some((type) => isOfType(value, String(type))),
        )
        break
      case 'const':
        check(keyword, value === rule)
        break
      case 'enum':
        check(keyword, (rule as readonly unknown[]).includes(value))
        break
      case 'oneOf':
        check(
          keyword,
          (rule as readonly Schema[]).filter((each) => sub(value, each, '').length === 0).length === 1,
        )
        break
      case 'required':
        if (isJsonObject(value))
          for (const name of rule as readonly string[])
            check(`${keyword} ${name}`, Object.hasOwn(value, name))
        break
      case 'properties':
        if (isJsonObject(value))
          for (const [name, each] of Object.entries(rule as Schema))
            if (Object.hasOwn(value, name)) found.push(...sub(value[name], each, `.${name}`))
        break
      case 'patternProperties':
        if (isJsonObject(value))
          for (const [pattern, each] of Object.entries(rule as Schema))
            for (const name of Object.keys(value))
              if (new RegExp(pattern, 'u').test(name)) found.push(...sub(value[name], each, `.${name}`))
        break
      case 'additionalProperties':
        if (isJsonObject(value))
          for (const name of Object.keys(value).filter((each) => !isNamed(each, schema)))
            if (rule === false) check(`${keyword} ${name}`, false)
            else found.push(...sub(value[name], rule, `.${name}`))
        break
      case 'items':
        if (Array.isArray(value)) {
          const { prefixItems = [] } = schema
          const rest = value.slice((prefixItems as readonly unknown[]).length)
          rest.forEach((item, i) => {
            found.push(...sub(item, rule, `[${i}]`))
          })
        }
        break
      case 'prefixItems':
        if (Array.isArray(value))
          (rule as readonly Schema[]).slice(0, value.length).forEach((each, i) => {
            found.push(...sub(value[i], each, `[${i}]`))
          })
        break
      case 'pattern':
        check(keyword, typeof value !== 'string' || new RegExp(String(rule), 'u').test(value))
        break
      case 'minimum':
        check(keyword, !isNumber(value) || value >= Number(rule))
        break
      case 'maximum':
        check(keyword, !isNumber(value) || value <= Number(rule))
        break
      case 'minItems':
        check(keyword, !Array.isArray(value) || value.length >= Number(rule))
        break
      case 'maxItems':
        check(keyword, !Array.isArray(value) || value.length <= Number(rule))
        break
      case 'maxProperties':
        check(keyword, !isJsonObject(value) || Object.keys(value).length <= Number(rule))
        break
      case '$schema':
      case '$id':
      case '$defs':
      case 'title':
      case 'description':
        break
      default:
        throw new Error(`${path}: keyword ${keyword} is not known here`)
    }
  }
  return found
}

function isNamed(name: string, { properties = {}, patternProperties = {} }: Schema): boolean {
  const patterns = Object.keys(patternProperties as Schema)
  return (
    Object.hasOwn(properties as Schema, name) || patterns.some((each) => new RegExp(each, 'u').test(name))
  )
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint'
}

function isOfType(value: JsonValue | undefined, type: string): boolean {
  switch (type) {
    case 'null':
      return value === null
    case 'array':
      return Array.isArray(value)
    case 'object':
      return isJsonObject(value)
    case 'integer':
      return isNumber(value)
    default:
      return typeof value === type
  }
}
