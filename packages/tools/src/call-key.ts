/**
 * Call ids as an argument, for hosts whose own do not survive a retry (spec frameworks 5, MCP). Tools that spend take the
 * key of the call beside their own arguments: the same key and arguments are one purchase, however often they come.
 */
import type { AnyTool } from './tool-definition.js'
import type { ToolFailure } from './tool-error.js'

const CALL_KEY = 'idempotency_key'
const PATTERN = '^[A-Za-z0-9_-]{8,64}$'
const DESCRIPTION =
  'Names this purchase: a new random text for each, such as a UUID, and the same again when this call is repeated'

export type JsonSchema = Readonly<Record<string, unknown>>

/** The arguments of one call, with the key apart. */
export type KeyedCall =
  | { readonly ok: true; readonly callId: string | undefined; readonly input: unknown }
  | { readonly ok: false; readonly error: ToolFailure }

/**
 * The JSON Schema of the input, with a required `idempotency_key` for tools that spend.
 * @throws TypeError for a spending tool with a field of that name
 */
export function keyedSchema({ name, annotations }: AnyTool<never>, schema: JsonSchema): JsonSchema {
  if (annotations?.spends !== true) return schema
  const properties = isRecord(schema.properties) ? schema.properties : {}
  if (CALL_KEY in properties) throw new TypeError(`tool ${name} has a field ${CALL_KEY} of its own`)
  const required = Array.isArray(schema.required) ? schema.required : []
  return {
    ...schema,
    properties: {
      ...properties,
      [CALL_KEY]: { type: 'string', pattern: PATTERN, description: DESCRIPTION },
    },
    required: [...required, CALL_KEY],
  }
}

/** Takes the key out of raw arguments; a spending tool without a good one is REJECTED. */
export function splitCallKey({ annotations }: AnyTool<never>, rawInput: unknown): KeyedCall {
  if (annotations?.spends !== true || !isRecord(rawInput))
    return { ok: true, callId: undefined, input: rawInput }
  const { [CALL_KEY]: callId, ...input } = rawInput
  if (typeof callId === 'string' && new RegExp(PATTERN).test(callId)) return { ok: true, callId, input }
  const message = `invalid arguments: ${CALL_KEY} must match ${PATTERN}; nothing was paid`
  return { ok: false, error: { code: 'REJECTED', message, retryable: true, paid: false } }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
