/** Events for people and for programs. */
import { type Event, writeEvent } from '@aetherkit/core'
import type { Session } from './session.js'
import { visible } from './visible.js'

const SHORT = 12
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function printEvent(session: Session, event: Event): Promise<void> {
  return session.write(`${session.json ? eventLine(event) : eventText(session, event)}\n`)
}

/** The line of JSON that every relay and `aether import` take (spec 1.4); content that is no UTF-8 is base64. */
export function eventLine(event: Event): string {
  return writeEvent(event) ?? writeEvent(event, { base64: true }) ?? ''
}

/** Time, kind, author, tags, content: on one line, whatever is in them. */
function eventText({ paint }: Session, { createdAt, kind, pubkey, tags, content }: Event): string {
  const parts = [
    paint('dim', timeText(createdAt)),
    paint('cyan', pubkey.slice(0, SHORT)),
    paint('bold', String(kind)),
    ...tags.map(([key, ...values]) => paint('dim', visible(`#${key}=${values.join(',')}`))),
    contentText(content),
  ]
  return parts.filter((part) => part !== '').join('  ')
}

/** UTC in milliseconds; beyond the years that dates can have, the nanoseconds. */
export function timeText(createdAt: bigint): string {
  const date = new Date(Number(createdAt / 1_000_000n))
  return Number.isNaN(date.getTime()) ? `${createdAt}ns` : date.toISOString()
}

function contentText(content: Uint8Array): string {
  try {
    return visible(utf8.decode(content))
  } catch {
    return `(${content.length} bytes)`
  }
}
