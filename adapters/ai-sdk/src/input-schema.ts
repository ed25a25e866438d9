/**
 * The input side of a schema. The AI SDK keeps validated input in the message history and sends it back to the provider
 * as JSON, so a decoded bigint there ends the run. Hence the SDK validates and keeps the raw arguments, and they are
 * decoded where the tool runs. The shape is Standard Schema with its JSON Schema part, which `ai` 6 and 7 accept.
 */
import type { AnyTool } from '@aetherkit/tools'

type ZodSchema = AnyTool['input']
export type RawInput<T extends AnyTool<never>> = T['input']['_zod']['input']

interface Failed {
  readonly issues: readonly { readonly message: string }[]
}

export interface RawSchema<I> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly types?: { readonly input: unknown; readonly output: I } | undefined
    readonly validate: (
      value: unknown,
    ) => Promise<{ readonly value: I; readonly issues?: undefined } | Failed>
    readonly jsonSchema: ZodSchema['~standard']['jsonSchema']
  }
}

export function rawSchema(schema: ZodSchema): RawSchema<unknown> {
  const { version, validate, jsonSchema } = schema['~standard']
  return {
    '~standard': {
      version,
      vendor: 'aetherkit',
      jsonSchema,
      async validate(value) {
        const { issues } = await validate(value)
        return issues === undefined ? { value } : { issues }
      },
    },
  }
}
