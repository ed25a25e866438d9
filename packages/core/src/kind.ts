/** Kinds and their storage duty (spec 2.1) and the conflict rule (spec 2.3). */
import type { Event, UnsignedEvent } from './event.js'

/** Kept for ever, every version. */
export const isImmutable = (kind: number): boolean => kind >= 0 && kind <= 999
/** As immutable; a relay's policy may refuse it. */
export const isRegular = (kind: number): boolean => kind >= 1000 && kind <= 9999
/** The winner of (pubkey, kind) is kept. */
export const isReplaceable = (kind: number): boolean => kind >= 10000 && kind <= 19999
/** Forwarded, never written to disk. */
export const isEphemeral = (kind: number): boolean => kind >= 20000 && kind <= 29999
/** The winner of (pubkey, kind, d) is kept. */
export const isParameterized = (kind: number): boolean => kind >= 30000 && kind <= 39999

export type KindClass = 'immutable' | 'regular' | 'replaceable' | 'ephemeral' | 'parameterized'

/** The storage class of a kind; undefined for kinds that the protocol refuses (40000 and up). */
export function kindClass(kind: number): KindClass | undefined {
  if (isImmutable(kind)) return 'immutable'
  if (isRegular(kind)) return 'regular'
  if (isReplaceable(kind)) return 'replaceable'
  if (isEphemeral(kind)) return 'ephemeral'
  if (isParameterized(kind)) return 'parameterized'
  return undefined
}

/** The key whose winner is kept: `pubkey:kind`, `pubkey:kind:d`, or undefined for a kind that is never replaced. */
export function replaceKey(event: UnsignedEvent): string | undefined {
  if (isReplaceable(event.kind)) return `${event.pubkey}:${event.kind}`
  if (isParameterized(event.kind)) return `${event.pubkey}:${event.kind}:${tagValue(event, 'd') ?? ''}`
  return undefined
}

/** Whether `a` wins over `b` under one key: later `createdAt`, on a tie the lower id, whatever the order of arrival. */
export function supersedes(a: Event, b: Event): boolean {
  return a.createdAt === b.createdAt ? a.id < b.id : a.createdAt > b.createdAt
}

/** The first value of the first tag with this key that has values. */
export function tagValue(event: Pick<UnsignedEvent, 'tags'>, key: string): string | undefined {
  for (const tag of event.tags) if (tag[0] === key && tag.length > 1) return tag[1]
  return undefined
}
