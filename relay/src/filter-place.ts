/** Where a filter stands in the index of live subscriptions, and by which key equal filters are known as equal. */
import type { Filter } from '@aetherkit/core'
import type { Postings, Slot } from './postings.js'

/** The fields an event is looked up by: ids and public keys by (length, prefix), tags by (key, value). */
export interface Fields<Item extends object> {
  readonly ids: Postings<Item>
  readonly pubkeys: Postings<Item>
  readonly tags: Postings<Item>
  readonly kinds: Postings<Item>
  readonly every: Postings<Item>
}

/** An event in one of the slots matches the filter when it matches `rest`; an event in none does not match. */
export interface Place<Item extends object> {
  readonly postings: Postings<Item>
  readonly slots: readonly Slot[]
  /** The filter without the constraint that the slots stand for; undefined when nothing is left to check. */
  readonly rest: Filter | undefined
}

/** The outer name of kinds, and both names of the one slot every event is in. */
export const KIND = 'kind'
export const EVERY = 'every'

/**
 * The place that costs least, in time proportional to the length of the filter.
 *
 * Cost: for each slot the share of events expected there, times the filters such an event would then meet.
 * Counting the filters already there spreads many filters on one busy author or kind over their other fields.
 */
export function choosePlace<Item extends object>(filter: Filter, fields: Fields<Item>): Place<Item> {
  const { ids, pubkeys, tags, kinds, every } = fields
  const choices: Choice<Item>[] = [{ postings: every, slots: [[EVERY, EVERY]], share: () => 1 }]
  if (filter.ids)
    choices.push({ postings: ids, slots: filter.ids.map(prefixSlot), share: idShare, field: 'ids' })
  for (const field of ['authors', 'pubkeyPrefixes'] as const) {
    const prefixes = filter[field]
    if (prefixes)
      choices.push({ postings: pubkeys, slots: prefixes.map(prefixSlot), share: pubkeyShare, field })
  }
  filter.tags?.forEach(({ key, any }, at) => {
    choices.push({
      postings: tags,
      slots: any.map((value) => [key, value]),
      share: tagShare,
      field: 'tags',
      at,
    })
  })
  filter.pairs?.forEach((pair, at) => {
    choices.push({ postings: tags, slots: [pair], share: tagShare, field: 'pairs', at })
  })
  if (filter.kinds) {
    const slots = filter.kinds.map((kind): Slot => [KIND, kind])
    choices.push({ postings: kinds, slots, share: kindShare, field: 'kinds' })
  }
  const costs = choices.map(cost)
  const best = choices[costs.indexOf(Math.min(...costs))]!
  return { postings: best.postings, slots: best.slots, rest: without(filter, best) }
}

/**
 * Equal text for filters that match the same live events by form: lists are sets, their order and repeats do not
 * count, nor do `limit` and `replay`, which concern stored events only.
 */
export function filterKey(filter: Filter): string {
  const key: FilterKey = [
    filter.ids ? unique(filter.ids) : null,
    filter.authors ? unique(filter.authors) : null,
    filter.pubkeyPrefixes ? unique(filter.pubkeyPrefixes) : null,
    filter.kinds ? [...new Set(filter.kinds)].sort((a, b) => a - b) : null,
    unique((filter.tags ?? []).map(({ key, any }) => JSON.stringify([key, unique(any)]))),
    unique((filter.pairs ?? []).map((pair) => JSON.stringify(pair))),
    filter.since === undefined ? null : filter.since.toString(),
    filter.until === undefined ? null : filter.until.toString(),
  ]
  return JSON.stringify(key)
}

/**
 * The filter of a key. Its strings are fresh: one that was cut out of a received frame would keep the whole text
 * of the frame in memory for as long as the subscription lives.
 */
export function filterOfKey(key: string): Filter {
  const [ids, authors, pubkeyPrefixes, kinds, tags, pairs, since, until] = JSON.parse(key) as FilterKey
  return {
    ...(ids && { ids }),
    ...(authors && { authors }),
    ...(pubkeyPrefixes && { pubkeyPrefixes }),
    ...(kinds && { kinds }),
    ...(tags.length > 0 && { tags: tags.map(tagEntry) }),
    ...(pairs.length > 0 && { pairs: pairs.map((pair) => JSON.parse(pair) as [string, string]) }),
    ...(since !== null && { since: BigInt(since) }),
    ...(until !== null && { until: BigInt(until) }),
  }
}

/** The members of a filter in order; tag entries and pairs are JSON texts of their own, which sorts them. */
type FilterKey = [
  ids: readonly string[] | null,
  authors: readonly string[] | null,
  pubkeyPrefixes: readonly string[] | null,
  kinds: readonly number[] | null,
  tags: readonly string[],
  pairs: readonly string[],
  since: string | null,
  until: string | null,
]

interface Choice<Item extends object> {
  readonly postings: Postings<Item>
  readonly slots: readonly Slot[]
  readonly share: (slot: Slot) => number
  /** The constraint the slots stand for, and which of its entries; absent for the slot of every event. */
  readonly field?: keyof Filter
  readonly at?: number
}

function cost<Item extends object>({ postings, slots, share }: Choice<Item>): number {
  let sum = 0
  for (const slot of slots) sum += share(slot) * (1 + postings.count(slot))
  return sum
}

/** Ids are uniform. */
function idShare([length]: Slot): number {
  return 16 ** -Number(length)
}

/** Keys are uniform too, but one author writes many events. */
function pubkeyShare([length]: Slot): number {
  return Math.max(16 ** -Number(length), 1e-4)
}

function tagShare(): number {
  return 1e-3
}

function kindShare(): number {
  return 0.05
}

function prefixSlot(prefix: string): Slot {
  return [prefix.length, prefix]
}

function without<Item extends object>(filter: Filter, { field, at }: Choice<Item>): Filter | undefined {
  const rest: { -readonly [Field in keyof Filter]: Filter[Field] } = { ...filter }
  if (field !== undefined) delete rest[field]
  const keep = (_: unknown, index: number) => index !== at
  if (field === 'tags' && filter.tags && filter.tags.length > 1) rest.tags = filter.tags.filter(keep)
  if (field === 'pairs' && filter.pairs && filter.pairs.length > 1) rest.pairs = filter.pairs.filter(keep)
  return Object.keys(rest).length > 0 ? rest : undefined
}

function tagEntry(text: string): NonNullable<Filter['tags']>[number] {
  const [key, any] = JSON.parse(text) as [string, string[]]
  return { key, any }
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)].sort()
}
