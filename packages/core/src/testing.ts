/**
 * Random filters and events for differential tests (spec 2.7 and 6).
 *
 * Every alphabet is small, so that filters and events meet often, and every value is one that some
 * shortcut gets wrong: times around 2^53, 2^63 and 2^64, pairs that collide when joined by `:` or NUL,
 * values that differ only in the last of 1024 bytes, names of `Object.prototype`, prefixes of odd length.
 */
import type { Event, Tag } from './event.js'
import type { Filter } from './filter.js'

/** Uniform in [0, 1), as `Math.random`. */
export type Random = () => number

/** The same sequence for the same seed (mulberry32). Only the low 32 bits of `seed` count. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
}

/**
 * An event of the right shape that nobody signed: `id` is random (its first two digits from a small
 * alphabet, practically unique as a whole), `sig` is zeros. Kinds of all five classes (spec 2.1) occur.
 */
export function randomEvent(random: Random): Event {
  return {
    id: digits(random, 2, PREFIX_DIGITS) + digits(random, 62, '0123456789abcdef'),
    pubkey: pick(random, PUBLIC_KEYS),
    createdAt: pick(random, TIMES),
    kind: pick(random, KINDS),
    tags: many(random, 4, randomTag),
    content: pick(random, CONTENTS),
    sig: '0'.repeat(128),
  }
}

/**
 * A filter `readFilter` could have returned. Without `known` events its full ids match nothing;
 * with them half of its full ids are theirs.
 */
export function randomFilter(random: Random, known: readonly Event[] = []): Filter {
  const sometimes = (share: number) => random() < share
  const fullId = () =>
    known.length > 0 && sometimes(0.5) ? pick(random, known).id : digits(random, 64, PREFIX_DIGITS)
  return {
    ...(sometimes(0.15) && { ids: many(random, 3, () => (sometimes(0.5) ? fullId() : prefix(random))) }),
    ...(sometimes(0.3) && {
      authors: many(random, 3, () => {
        const key = pick(random, PUBLIC_KEYS)
        return sometimes(0.5) ? key : key.slice(0, 1 + Math.floor(random() * 63))
      }),
    }),
    ...(sometimes(0.1) && {
      pubkeyPrefixes: many(random, 3, () => pick(random, PUBLIC_KEYS).slice(0, 32)),
    }),
    ...(sometimes(0.3) && { kinds: many(random, 4, () => pick(random, KINDS)) }),
    ...(sometimes(0.3) && {
      tags: many(random, 2, () => ({
        key: pick(random, TAG_KEYS),
        any: many(random, 4, () => pick(random, TAG_VALUES)),
      })),
    }),
    ...(sometimes(0.15) && {
      pairs: many(random, 2, () => [pick(random, TAG_KEYS), pick(random, TAG_VALUES)] as const),
    }),
    ...(sometimes(0.2) && { since: pick(random, TIMES) }),
    ...(sometimes(0.2) && { until: pick(random, TIMES) }),
    ...(sometimes(0.1) && { limit: Math.floor(random() * 4) }),
    ...(sometimes(0.1) && { replay: sometimes(0.5) }),
  }
}

const PREFIX_DIGITS = '0af'
const PUBLIC_KEYS = [
  '0'.repeat(64),
  `${'0'.repeat(63)}1`,
  `${'0'.repeat(31)}1${'0'.repeat(32)}`,
  `0a${'0'.repeat(62)}`,
  `0a${'f'.repeat(62)}`,
  `a${'0'.repeat(63)}`,
  `af${'a'.repeat(62)}`,
  'f'.repeat(64),
]
const TIMES = [
  ...[0n, 1n, 2n],
  ...[2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n],
  ...[1_700_000_000_000_000_000n, 1_700_000_000_000_000_001n, 1_700_000_000_000_000_002n],
  ...[2n ** 63n - 1n, 2n ** 63n, 2n ** 63n + 1n],
  ...[2n ** 64n - 2n, 2n ** 64n - 1n],
]
const KINDS = [0, 1, 255, 256, 999, 1000, 9999, 10_000, 10_001, 19_999, 20_000, 29_999, 30_000, 39_999]
const TAG_KEYS = ['t', 't', 'p', 'd', 'a', 'a:b', 'expiration', '__proto__']
const TAG_VALUES = [
  ...['a', 'a', 'b', 'c', '', 'b:c', 'a:b', 'a\u0000', 'a\u0000b', 'ä', '\u{1f600}', 'constructor'],
  ...[`${'x'.repeat(1023)}y`, `${'x'.repeat(1023)}z`, 'x'.repeat(1023)],
]
const CONTENTS = [
  new Uint8Array(0),
  new TextEncoder().encode('hello'),
  new TextEncoder().encode('"\u2028\u{1f600}\\'),
  Uint8Array.of(0xff, 0x00, 0xc0, 0x80),
]

function randomTag(random: Random): Tag {
  return [pick(random, TAG_KEYS), ...many(random, 3, () => pick(random, TAG_VALUES))]
}

function prefix(random: Random): string {
  return digits(random, 1 + Math.floor(random() * 3), PREFIX_DIGITS)
}

/** Mostly one to `max` elements; empty in one of ten. */
function many<Item>(random: Random, max: number, make: (random: Random) => Item): Item[] {
  const count = random() < 0.1 ? 0 : 1 + Math.floor(random() * max)
  return Array.from({ length: count }, () => make(random))
}

function digits(random: Random, count: number, alphabet: string): string {
  let text = ''
  for (let at = 0; at < count; at++) text += alphabet[Math.floor(random() * alphabet.length)]
  return text
}

function pick<Item>(random: Random, items: readonly Item[]): Item {
  const item = items[Math.floor(random() * items.length)]
  if (item === undefined) throw new RangeError('nothing to pick from')
  return item
}
