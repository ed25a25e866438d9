/** Writing native messages as compact JSON, `type` first (spec 4.1, 7.2). */
import type { Event } from '../event.js'
import { type EventJsonOptions, writeEvent } from '../event-json.js'
import { writeFilter } from '../filter-write.js'
import { toHex } from '../hex.js'
import { writeJson } from '../json.js'
import type { ClientMessage, RelayMessage } from './message.js'

/**
 * One message as JSON text.
 * @throws TypeError for an event whose content is no UTF-8 when `base64` is not given: such a peer is not sent it at all.
 * @throws RangeError for a filter that has no JSON form.
 */
export function writeMessage(message: ClientMessage | RelayMessage, options: EventJsonOptions = {}): string {
  switch (message.type) {
    case 'publish':
      return `{"type":"publish","event":${eventText(message.event, options)}}`
    case 'auth':
      return 'event' in message
        ? `{"type":"auth","event":${eventText(message.event, options)}}`
        : writeJson({ type: 'auth', challenge: message.challenge })
    case 'event':
      return writeEventMessage(message.subId, eventText(message.event, options), message)
    case 'noise':
      return `{"type":"noise","payload_hex":"${toHex(message.payload)}"}`
    case 'subscribe': {
      const { type, subId, filters, after } = message
      return writeJson({ type, sub_id: subId, filters: filters.map(writeFilter), after })
    }
    case 'mailbox': {
      const { type, subId, pubkey, name, filters, from, ackTimeoutMs, maxUnacked } = message
      const terms = { ack_timeout_ms: ackTimeoutMs, max_unacked: maxUnacked }
      return writeJson({
        type,
        sub_id: subId,
        pubkey,
        name,
        filters: filters?.map(writeFilter),
        from,
        ...terms,
      })
    }
    case 'mailbox_ack':
    case 'mailbox_acked':
      return writeJson({ type: message.type, sub_id: message.subId, seqs: message.seqs })
    case 'mailbox_nack': {
      const { type, subId, seqs, delayMs } = message
      return writeJson({ type, sub_id: subId, seqs, delay_ms: delayMs })
    }
    case 'mailbox_delete': {
      const { type, subId, pubkey, name } = message
      return writeJson({ type, sub_id: subId, pubkey, name })
    }
    case 'subscribed':
      return writeJson({ type: message.type, sub_id: message.subId, gap: message.gap })
    case 'mailbox_deleted':
    case 'unsubscribe':
    case 'unsubscribed':
      return writeJson({ type: message.type, sub_id: message.subId })
    case 'eose':
      return writeJson({ type: message.type, sub_id: message.subId, cursor: message.cursor })
    case 'closed': {
      const { type, subId, code, error } = message
      return writeJson({ type, sub_id: subId, code, error })
    }
    case 'ack': {
      const { type, eventId, status, seq, cursor } = message
      return writeJson({ type, event_id: eventId, status, seq, cursor })
    }
    case 'error': {
      const { type, error, message: text, code, detail, eventId, subId, retryAfterMs } = message
      const names = { event_id: eventId, sub_id: subId, retry_after_ms: retryAfterMs }
      return writeJson({ type, error, message: text, code, detail, ...names })
    }
    case 'hello':
    case 'welcome':
    case 'notice':
    case 'info': {
      const { type, ...members } = message
      return writeJson({ type, ...members })
    }
  }
}

/** An `event` message around an event that is already rendered: the rendering is shared by all recipients (spec 1.4). */
export function writeEventMessage(
  subId: string,
  eventJson: string,
  {
    seq,
    stored,
    deliveries,
  }: { readonly seq?: bigint; readonly stored: boolean; readonly deliveries?: number },
): string {
  const often = deliveries === undefined ? '' : `,"deliveries":${deliveries}`
  const head = `{"type":"event","sub_id":${JSON.stringify(subId)},"event":${eventJson}`
  return `${head}${seq === undefined ? '' : `,"seq":${seq}`}${stored ? ',"stored":true' : ''}${often}}`
}

function eventText(event: Event, options: EventJsonOptions): string {
  const text = writeEvent(event, options)
  if (text === undefined) throw new TypeError('content is not UTF-8 and the peer did not list base64')
  return text
}
