/**
 * An event as the console shows it: cut to length, and only what is text as text. Sealed content (core, `sealed.ts`)
 * stays sealed: of that, as of any bytes, the console tells the length alone.
 */
import type { Event } from '@aetherkit/core'
import { NostrEvent } from '../nostr-event.js'
import type { StoredEvent } from '../store/store.js'
import type { ShownEvent } from './console-data.js'

const MAX_CONTENT = 400
const MAX_TAGS = 12
const MAX_VALUES = 4
const MAX_VALUE = 100
/** Sealed content has at least its version, a key, 128 bytes and a tag. */
const MIN_SEALED = 1 + 32 + 128 + 16
/** Controls, and what turns the direction of text or has no width: a name may not look like another. */
const UNSEEN = /[\p{Cc}\p{Cf}\u2028\u2029]/gu

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function shownEvent({ event, seq }: StoredEvent, stored: boolean): ShownEvent {
  const { id, pubkey, kind, createdAt, tags, content } = event
  const text = textOf(content)
  return {
    ...{ id, pubkey, kind, stored },
    created_at: createdAt.toString(),
    seq: seq.toString(),
    nostr: NostrEvent.is(event),
    tags: tags.slice(0, MAX_TAGS).map(shownTag),
    more_tags: Math.max(0, tags.length - MAX_TAGS),
    form: text !== undefined ? 'text' : isSealed(content) ? 'sealed' : 'bytes',
    content: text === undefined ? '' : shownText(text, MAX_CONTENT),
    content_bytes: content.length,
  }
}

/** One line at most `max` characters long, an ellipsis where it was cut; line breaks and controls as blanks. */
export function shownText(text: string, max: number): string {
  const cut = text.slice(0, max).toWellFormed().replace(UNSEEN, ' ').replaceAll('\ufffd', ' ').trim()
  return text.length > max ? `${cut}…` : cut
}

/** Undefined for what is no UTF-8. */
export function textOf(content: Uint8Array): string | undefined {
  try {
    return utf8.decode(content)
  } catch {
    return undefined
  }
}

function shownTag(tag: Event['tags'][number]): readonly string[] {
  const values = tag.slice(0, MAX_VALUES + 1).map((value) => shownText(value, MAX_VALUE))
  return tag.length > MAX_VALUES + 1 ? [...values, '…'] : values
}

function isSealed(content: Uint8Array): boolean {
  return content[0] === 1 && content.length >= MIN_SEALED
}
