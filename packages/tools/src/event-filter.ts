/** The filter fields that reading tools share, and their translation (spec aether 6). */
import { type Filter, parseHex, readPublicKey as readKeyText } from '@aetherkit/core'
import { z } from 'zod'
import { ToolError } from './tool-error.js'

const publicKey = z.string().describe('Public key, 64 hex digits')

export const filterFields = {
  from: z.array(publicKey).max(20).optional().describe('Only events by these authors'),
  to: publicKey.optional().describe('Only events addressed to this public key (p tag)'),
  kinds: z
    .array(z.int().min(0).max(39_999))
    .max(20)
    .optional()
    .describe('Only these event kinds; 1 is a text note'),
  topic: z.string().max(256).optional().describe('Only events with this topic (t tag)'),
  reply_to: z.string().optional().describe('Only answers to this event id (e tag)'),
  since: z.iso.datetime({ offset: true }).optional().describe('Only events from this ISO time stamp on'),
}

type FilterInput = z.output<z.ZodObject<typeof filterFields>>

/** @throws ToolError INVALID_ADDRESS */
export function toFilter(input: FilterInput): Filter {
  const tags: { key: string; any: string[] }[] = []
  if (input.to !== undefined) tags.push({ key: 'p', any: [readPublicKey(input.to)] })
  if (input.topic !== undefined) tags.push({ key: 't', any: [input.topic] })
  if (input.reply_to !== undefined) tags.push({ key: 'e', any: [readEventId(input.reply_to)] })
  return {
    ...(input.from === undefined || input.from.length === 0
      ? {}
      : { authors: input.from.map(readPublicKey) }),
    ...(input.kinds === undefined || input.kinds.length === 0 ? {} : { kinds: input.kinds }),
    ...(input.since === undefined ? {} : { since: BigInt(Date.parse(input.since)) * 1_000_000n }),
    ...(tags.length === 0 ? {} : { tags }),
  }
}

/**
 * A public key as a model writes it: hex, or `aepub...` (spec aether 11.4).
 * @throws ToolError INVALID_ADDRESS
 */
export function readPublicKey(text: string): string {
  const key = readKeyText(text.trim())
  if (key.ok) return key.publicKey
  throw new ToolError({ code: 'INVALID_ADDRESS', message: 'a public key must be 64 hex digits' })
}

/** @throws ToolError INVALID_ADDRESS */
export function readEventId(text: string): string {
  const id = parseHex(text.trim(), 32)
  if (id !== undefined) return id
  throw new ToolError({ code: 'INVALID_ADDRESS', message: 'an event id must be 64 hex digits' })
}
