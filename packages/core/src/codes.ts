/**
 * Reject codes: the closed table of spec 3.2.
 *
 * `n` is the number in binary frames, `http` the status and `nostr` the NIP-01 prefix on the gateways, `error` the
 * text that clients match on; a text other than the default is given by the caller from the same row of the table.
 * A code is never reused and an unlisted one never sent.
 */
export const REJECTS = {
  invalid_message: { n: 1, http: 400, nostr: 'NOTICE', error: 'message must be object' },
  invalid_event: { n: 2, http: 400, nostr: 'invalid', error: 'publish event must be mapping' },
  invalid_filter: { n: 3, http: 400, nostr: 'invalid', error: 'filters must be list' },
  unsupported: { n: 4, http: 400, nostr: 'unsupported', error: 'unsupported' },
  limit_exceeded: { n: 5, http: 400, nostr: 'error', error: 'limit exceeded' },
  noise_error: { n: 6, http: 400, nostr: 'error', error: 'noise expected' },
  too_large: { n: 10, http: 413, nostr: 'invalid', error: 'event exceeds maximum size' },
  kind_out_of_range: { n: 11, http: 400, nostr: 'invalid', error: 'kind out of range' },
  kind_unsupported: { n: 12, http: 400, nostr: 'blocked', error: 'kind out of supported range' },
  tag_limits: { n: 13, http: 400, nostr: 'invalid', error: 'tag limits exceeded' },
  created_at_out_of_window: {
    n: 14,
    http: 400,
    nostr: 'invalid',
    error: 'created_at outside allowed window',
  },
  expired: { n: 15, http: 400, nostr: 'invalid', error: 'event expired' },
  pow_required: { n: 16, http: 400, nostr: 'pow', error: 'pow difficulty not met' },
  rate_limited: { n: 17, http: 429, nostr: 'rate-limited', error: 'rate limit exceeded' },
  id_mismatch: { n: 18, http: 400, nostr: 'invalid', error: 'event_id mismatch' },
  invalid_signature: { n: 19, http: 400, nostr: 'invalid', error: 'invalid signature' },
  blocked: { n: 20, http: 403, nostr: 'blocked', error: 'blocked' },
  auth_required: { n: 30, http: 401, nostr: 'auth-required', error: 'auth required' },
  restricted: { n: 31, http: 403, nostr: 'restricted', error: 'restricted' },
  subscription_not_found: { n: 40, http: 404, nostr: 'error', error: 'subscription_not_found' },
  subscription_conflict: { n: 41, http: 409, nostr: 'error', error: 'subscription exists' },
  storage_full: { n: 50, http: 507, nostr: 'error', error: 'storage full' },
  unavailable: { n: 51, http: 503, nostr: 'error', error: 'temporarily unavailable' },
  going_away: { n: 52, http: 503, nostr: 'error', error: 'going away' },
  slow_consumer: { n: 53, http: 503, nostr: 'error', error: 'slow consumer' },
  timeout: { n: 54, http: 408, nostr: 'NOTICE', error: 'timeout' },
  internal: { n: 55, http: 500, nostr: 'error', error: 'internal error' },
  not_found: { n: 60, http: 404, nostr: 'error', error: 'not_found' },
  method_not_allowed: { n: 61, http: 405, nostr: 'error', error: 'method_not_allowed' },
  unsupported_media_type: { n: 62, http: 415, nostr: 'error', error: 'unsupported_media_type' },
} as const satisfies Record<string, { n: number; http: number; nostr: string; error: string }>

export type RejectCode = keyof typeof REJECTS

/** What hostile or unlucky input gets: never thrown, always one of the table. */
export interface Reject {
  readonly ok: false
  readonly code: RejectCode
  /** The kept text, byte for byte. */
  readonly error: string
  /** Anything beyond the kept text. Never contains secrets or our internals. */
  readonly detail?: string
  readonly retryAfterMs?: number
}

/** A reject of this code, with the default text of the table unless another kept text is given. */
export function reject(code: RejectCode, error: string = REJECTS[code].error, detail?: string): Reject {
  return detail === undefined ? { ok: false, code, error } : { ok: false, code, error, detail }
}

const BY_NUMBER = new Map<number, RejectCode>(
  Object.entries(REJECTS).map(([code, row]) => [row.n, code as RejectCode]),
)

/** The code of a number in a binary frame; undefined for a number that is not in the table. */
export function codeByNumber(n: number): RejectCode | undefined {
  return BY_NUMBER.get(n)
}

/** Whether a text from the wire is a code of the table. */
export function isRejectCode(code: unknown): code is RejectCode {
  return typeof code === 'string' && Object.hasOwn(REJECTS, code)
}
