/** Events that others have signed, from JSON. */
import { type Event, eventId, parseJson, type Reject, readEvent } from '@aetherkit/core'
import { usage } from './exit.js'

/** @throws CommandError usage */
export function signedEvent(text: string): Event {
  const read = readSigned(text)
  if (!read.ok) throw usage(`not a signed event: ${read.detail ?? read.error}`)
  return read.event
}

/** Who keeps times in doubles has signed the rounded one: then that is the event (spec 1.3). */
export function readSigned(text: string): { readonly ok: true; readonly event: Event } | Reject {
  const json = parseJson(text)
  const read = json.ok ? readEvent(json.value, { base64: true }) : json
  if (!read.ok) return read
  const { event, rounded } = read
  if (rounded === undefined || eventId(event) === event.id) return { ok: true, event }
  const other = { ...event, createdAt: rounded }
  return { ok: true, event: eventId(other) === event.id ? other : event }
}
