/**
 * The arguments of a tool as MCP hosts see them: its JSON Schema, with the key of the call where it spends. The SDK lets
 * everything pass, since `callWithHuman` checks the arguments and says what is wrong in the words of every framework.
 */
import { type AnyTool, keyedSchema } from '@aetherkit/tools'
import type { StandardSchemaWithJSON } from '@modelcontextprotocol/server'

export function inputSchema(definition: AnyTool<never>): StandardSchemaWithJSON {
  const { version, jsonSchema } = definition.input['~standard']
  const { input, output } = jsonSchema
  return {
    '~standard': {
      version,
      vendor: 'aetherkit',
      validate: (value) => ({ value }),
      jsonSchema: { input: (options) => ({ ...keyedSchema(definition, input(options)) }), output },
    },
  }
}
