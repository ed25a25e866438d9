/** What a model says to an agent (spec a2a 8.1), and what becomes of it in a message. */
import {
  AGENT_REQUEST_EXTENSION,
  type AgentCard,
  type AgentSkill,
  type JsonRecord,
  type Part,
} from '@aetherkit/a2a/client'
import { z } from 'zod'
import { DOLLARS, microDollars } from './dollars.js'
import { isJsonRecord } from './json.js'
import { ToolError } from './tool-error.js'
import { shortText } from './untrusted-text.js'

const MAX_MESSAGE = 200_000
const MAX_SCHEMA = 16 * 1024
const MAX_BASE64 = 700_000

export const orderFields = {
  message: z
    .string()
    .min(1)
    .max(MAX_MESSAGE)
    .optional()
    .describe(
      'What the agent is asked, or the answer to its question. It sees nothing but this: say all it must know',
    ),
  data: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('A JSON object that goes along with the message'),
  files: z
    .array(
      z.object({
        name: z.string().max(256).optional().describe('File name'),
        media_type: z.string().max(128).optional().describe('Such as image/png'),
        base64: z.string().max(MAX_BASE64).optional().describe('The content; or give url'),
        url: z.url().max(2_048).optional().describe('Where the agent can fetch it'),
      }),
    )
    .max(8)
    .optional()
    .describe('Files that go along with the message'),
  start_over: z
    .boolean()
    .optional()
    .describe('Begin something new although the agent waits for an answer; false when left out'),
}

export const idFields = {
  context_id: z
    .string()
    .max(256)
    .optional()
    .describe('Conversation with the agent, the one of this thread when left out'),
  task_id: z.string().max(256).optional().describe('Task to answer'),
}

export const priceField = z
  .string()
  .regex(DOLLARS)
  .transform(microDollars)
  .optional()
  .describe('The most it may cost, in dollars: 0.10; no more than the application pays unasked when left out')

export interface OrderInput {
  readonly message?: string | undefined
  readonly data?: Readonly<Record<string, unknown>> | undefined
  readonly files?:
    | readonly {
        readonly name?: string | undefined
        readonly media_type?: string | undefined
        readonly base64?: string | undefined
        readonly url?: string | undefined
      }[]
    | undefined
  readonly payload?: unknown
}

/** @throws ToolError REJECTED for a message with nothing in it, or a file with no content or two */
export function partsOf(
  { message, data, files = [], payload }: OrderInput,
  action?: string,
): readonly Part[] {
  const parts: Part[] = [
    ...(message === undefined ? [] : [{ text: message }]),
    ...(data === undefined ? [] : [{ data: jsonOf(data) }]),
    ...(payload === undefined || action === undefined
      ? []
      : [{ data: { action, payload: jsonOf(payload) } }]),
    ...files.map(({ name, media_type, base64, url }) => {
      if ((base64 === undefined) === (url === undefined))
        throw new ToolError({
          code: 'REJECTED',
          message: 'a file needs either base64 or url',
          retryable: true,
        })
      return {
        ...(base64 !== undefined && { raw: base64 }),
        ...(url !== undefined && { url }),
        ...(name !== undefined && { filename: name }),
        ...(media_type !== undefined && { mediaType: media_type }),
      }
    }),
  ]
  if (parts.length > 0) return parts
  throw new ToolError({ code: 'REJECTED', message: 'say something in message', retryable: true })
}

function jsonOf(value: unknown): JsonRecord {
  if (isJsonRecord(value)) return value
  throw new ToolError({ code: 'REJECTED', message: 'data must be a plain JSON object', retryable: true })
}

/** The arguments of the action that a skill is, where the card tells them by a schema that can be used. */
export function payloadSchema(card: AgentCard, { id }: AgentSkill): z.ZodType | undefined {
  const extension = card.capabilities.extensions?.find(({ uri }) => uri === AGENT_REQUEST_EXTENSION)
  const actions = extension?.params?.actions
  if (!Array.isArray(actions)) return undefined
  const action = actions.find((each) => isJsonRecord(each) && each.id === id)
  const schema = isJsonRecord(action) ? action.inputSchema : undefined
  if (!isJsonRecord(schema) || schema.type !== 'object' || JSON.stringify(schema).length > MAX_SCHEMA)
    return undefined
  try {
    return z.fromJSONSchema(schema as z.core.JSONSchema.JSONSchema)
  } catch {
    return undefined
  }
}

/** Words of an agent in a description: quoted, one line, short. */
export function quoted(text: string, max: number): string {
  return JSON.stringify(shortText(text.replace(/[\p{C}\p{Z}]+/gu, ' ').trim(), max))
}
