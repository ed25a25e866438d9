/** What the Nostr gateway speaks (spec 9), for the info document. */
export const NOSTR_NIPS: readonly number[] = [1, 9, 11, 13, 40, 42, 45]
