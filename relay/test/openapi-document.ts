/** `schemas/openapi.json`: the responses that it promises, and what is wrong with an answer by it. */
import { readFileSync } from 'node:fs'
import { type JsonValue, parseJson } from '@aetherkit/core'
import type { Answer } from './http-client.js'
import { faults, type Resolve, type Schema } from './json-schema.js'

const SCHEMAS = new URL('../../schemas/', import.meta.url)
const read = (file: string) => JSON.parse(readFileSync(new URL(file, SCHEMAS), 'utf8')) as Schema
export const document = read('openapi.json')

export const resolve: Resolve = (ref, root) => {
  const [file = '', pointer = ''] = ref.split('#')
  const target = file === '' ? root : read(file)
  const steps = pointer.split('/').slice(1)
  const schema = steps.reduce((at: Schema, step) => at[step] as Schema, target)
  if (schema === undefined) throw new Error(`${ref} leads nowhere`)
  return { schema, root: target }
}
/** The thing itself, wherever it stands. */
const follow = (thing: Schema): Schema =>
  typeof thing.$ref === 'string' ? resolve(thing.$ref, document).schema : thing

export interface Promised {
  /** `GET /v1/events/{id} 404` */
  readonly name: string
  readonly response: Schema
}

const paths = document.paths as Record<string, Record<string, Schema>>
export const promised: readonly Promised[] = Object.entries(paths).flatMap(([path, operations]) =>
  Object.entries(operations).flatMap(([method, operation]) =>
    Object.entries(operation.responses as Record<string, Schema>).map(([status, response]) => ({
      name: `${method.toUpperCase()} ${path} ${status}`,
      response: follow(response),
    })),
  ),
)

/** What is wrong with an answer, by the document. */
export function check({ response }: Promised, { headers, text }: Answer): string[] {
  const missing = Object.entries((response.headers ?? {}) as Record<string, Schema>).flatMap(
    ([name, header]) => {
      const value = headers[name.toLowerCase()]
      const { schema } = follow(header) as { readonly schema: Schema }
      return value === undefined
        ? [`no header ${name}`]
        : faults(String(value), schema, document, resolve, name)
    },
  )
  if (response.content === undefined)
    return text === '' ? missing : [...missing, 'a body that is not described']
  const type = headers['content-type'] ?? ''
  const described = (response.content as Record<string, { readonly schema: Schema }>)[type]
  if (described === undefined) return [...missing, `content-type ${type}`]
  const value: JsonValue = type === 'application/json' ? parsed(text) : text
  return [...missing, ...faults(value, described.schema, document, resolve)]
}

export function parsed(text: string): JsonValue {
  const read = parseJson(text)
  if (!read.ok) throw new Error(`JSON expected, got ${text}`)
  return read.value
}
