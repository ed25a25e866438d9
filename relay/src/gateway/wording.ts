/**
 * How gateways word what the core refuses (spec 3.3): the texts of the reference's gateways, with its prefixes, where
 * they differ from the native ones. Clients match on them byte for byte.
 */
import type { Reject, RejectCode } from '@aetherkit/core'
import { type ErrorWording, nativeError } from '../replies.js'

/** Texts of event shapes: native, and without the prefix on a gateway. */
const EVENT_TEXTS: ReadonlyMap<string, string> = new Map([
  ['publish event must be mapping', 'event must be object'],
  ['tags must be a list', 'tags must be list'],
  ['Unsupported tag format', 'malformed tag'],
  ['Tag key must be a string', 'malformed tag'],
  ['Tag values must be a list', 'malformed tag'],
  ['content must be bytes or string', 'content must be string'],
])

/** The kept text of a gateway for a refused event. */
export function gatewayText({ code, error }: Reject): string {
  if (code !== 'invalid_event') return error
  const text = EVENT_TEXTS.get(error) ?? error.replace(' must be bytes or hex string', ' must be hex string')
  const isKept = text !== error || / must be (hex|int)$/.test(text)
  return isKept ? `invalid_event: ${text}` : error
}

/** A refusal in a text that only gateways have, with the reference's prefix. */
export function gatewayReject(
  code: 'invalid_message' | 'invalid_event',
  text: string,
  detail?: string,
): Reject {
  return { ok: false, code, error: `${code}: ${text}`, ...(detail !== undefined && { detail }) }
}

/** On `/v1/ws` (spec 7.2): umbrella words for refused publishes and for what is no object; the rest as native. */
export const webSocketError: ErrorWording = (reply) => {
  const { code, error } = reply.reject
  const native = nativeError(reply)
  if (reply.eventId !== undefined || code === 'invalid_event')
    return { ...native, error: 'validation_failed', message: gatewayText(reply.reject) }
  const isNoObject = code === 'invalid_message' && error === 'message must be object'
  return isNoObject ? { ...native, error: 'invalid_message', message: error } : native
}

/** The word that stands in `error` of an HTTP body (spec 3.2): every refused request is `invalid_message`. */
export function errorWord(code: RejectCode, status: number): string {
  return status === 400 ? 'invalid_message' : code
}
