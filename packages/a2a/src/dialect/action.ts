/** The actions of an agent: what each takes, checked before anything is done for it (spec a2a 3.4, 3.1). */
import type { JsonRecord } from '../model.js'
import type { Issue } from './fault.js'
import { compileSchema } from './json-schema.js'

/** What we need of a Standard Schema (https://standardschema.dev), which zod, valibot and arktype have. */
export interface PayloadSchema {
  readonly '~standard': {
    validate(value: unknown): SchemaResult | Promise<SchemaResult>
  }
}

type SchemaResult =
  | { readonly value: unknown; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string
        readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
      }[]
    }

export interface ActionOptions {
  /** Checks the payload; what it returns is what the executor gets. */
  readonly input?: PayloadSchema
  /** JSON Schema for the card; it checks the payload when there is no `input`. */
  readonly inputSchema?: JsonRecord
}

export type PayloadCheck = (
  payload: JsonRecord,
) => Promise<
  | { readonly ok: true; readonly payload: JsonRecord }
  | { readonly ok: false; readonly issues: readonly Issue[] }
>

/** At most so many issues travel. */
const MAX_ISSUES = 32
const MAX_TEXT = 300

/** @throws TypeError for a JSON Schema with keywords that are not understood */
export function compileAction({ input, inputSchema }: ActionOptions): PayloadCheck {
  if (input !== undefined) return (payload) => checkStandard(input, payload)
  if (inputSchema === undefined) return async (payload) => ({ ok: true, payload })
  const check = compileSchema(inputSchema)
  return async (payload) => {
    const issues = check(payload)
    return issues.length === 0 ? { ok: true, payload } : { ok: false, issues: issues.slice(0, MAX_ISSUES) }
  }
}

async function checkStandard(schema: PayloadSchema, payload: JsonRecord): ReturnType<PayloadCheck> {
  const result = await schema['~standard'].validate(payload)
  if (result.issues !== undefined) {
    const issues = result.issues.slice(0, MAX_ISSUES).map(({ message, path = [] }) => ({
      message: message.slice(0, MAX_TEXT),
      path: path.map(keyOf),
    }))
    return { ok: false, issues }
  }
  const { value } = result
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new TypeError('the schema of an action must give an object')
  return { ok: true, payload: value as JsonRecord }
}

function keyOf(segment: PropertyKey | { readonly key: PropertyKey }): string | number {
  const key = typeof segment === 'object' ? segment.key : segment
  return typeof key === 'number' ? key : String(key).slice(0, MAX_TEXT)
}
