/** What a model sees of an event: who, when, what kind, and the foreign text in labelled fields. */
import type { Client } from '@aetherkit/client'
import type { VerifiedEvent } from '@aetherkit/core'
import { z } from 'zod'
import { showText, untrustedText } from './untrusted-text.js'

const MAX_TAGS = 20
const MAX_TAG_LENGTH = 200

export const eventView = z.object({
  event_id: z.string(),
  from: z.string().describe('Public key of the author'),
  verified: z.literal(true).describe('Id and signature were checked'),
  kind: z.number(),
  created_at: z.string().describe('ISO time stamp, set by the author'),
  untrusted_tags: z.array(z.array(z.string())),
  ...untrustedText,
  binary_bytes: z.number().optional().describe('Length of a content that is not text and not shown'),
})

export type EventView = z.output<typeof eventView>

export function viewEvent(client: Client, event: VerifiedEvent, maxBytes?: number): EventView {
  const text = textOf(event)
  return {
    event_id: event.id,
    from: event.pubkey,
    verified: true,
    kind: event.kind,
    created_at: isoTime(event.createdAt),
    untrusted_tags: event.tags
      .slice(0, MAX_TAGS)
      .map((tag) => tag.map((value) => value.slice(0, MAX_TAG_LENGTH))),
    ...showText(client, event.id, text ?? '', maxBytes),
    ...(text === undefined ? { binary_bytes: event.content.length } : {}),
  }
}

/** The content as UTF-8, or undefined for bytes that are none. */
export function textOf(event: { readonly content: Uint8Array }): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(event.content)
  } catch {
    return undefined
  }
}

/** Nanoseconds since 1970 as an ISO time stamp in milliseconds. */
export function isoTime(nanoseconds: bigint): string {
  return new Date(Number(nanoseconds / 1_000_000n)).toISOString()
}
