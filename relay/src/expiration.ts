/**
 * The tag `expiration` (spec 2.6): its unit is told by its magnitude, and what is no decimal integer is plain data.
 */
import { tagValue, type UnsignedEvent } from '@aetherkit/core'

const SECONDS_BELOW = 10n ** 12n
const MILLISECONDS_BELOW = 10n ** 15n

/** Unix time in nanoseconds; undefined for an event that does not expire. */
export function expiresAt(event: UnsignedEvent): bigint | undefined {
  if (event.tags.length === 0) return undefined
  const value = tagValue(event, 'expiration')
  if (value === undefined || !/^[0-9]{1,20}$/.test(value)) return undefined
  const time = BigInt(value)
  if (time < SECONDS_BELOW) return time * 1_000_000_000n
  if (time < MILLISECONDS_BELOW) return time * 1_000_000n
  return time
}

/** Whether the event is over at `now` (nanoseconds): refused, hidden, not delivered. */
export function isExpired(event: UnsignedEvent, now: bigint): boolean {
  const time = expiresAt(event)
  return time !== undefined && time <= now
}
