/**
 * Which live subscriptions want an event: the inverted index (spec 6.2).
 *
 * Filters are kept once, however many subscriptions have them, and subscriptions with the same set of filters
 * form one group. A filter stands in the index under the values of one of its fields, the one that fewest events
 * are expected to hit; an event looks up its own id, public key, tag values and kind, and only the filters found
 * there are checked, for the rest of their fields.
 *
 *   event -> slots (prefix of id | prefix of key | tag value | kind | every event) -> filters -> groups -> members
 */
import {
  type CompiledFilter,
  compileFilter,
  type Event,
  type Filter,
  type TagValues,
  tagValues,
} from '@aetherkit/core'
import { choosePlace, EVERY, type Fields, filterKey, filterOfKey, KIND } from './filter-place.js'
import { exclude, type Held, include, Postings, type Slot } from './postings.js'

/**
 * Groups that lost their last member stay for a while, at most so many and none with more text of filters. A client
 * that subscribes again and again to the same thing finds its group ready; and no map meets the same key added and
 * deleted for ever, which a `Map` answers with a chain of deleted entries as long as half its size.
 */
const IDLE_GROUPS = 64
const IDLE_TEXT = 4096

/** Subscriptions with the same set of filters. */
interface Group<T> {
  readonly key: string
  readonly entries: readonly Entry<T>[]
  readonly members: Set<T>
  /** Without members, waiting to be wanted again or dropped. */
  idle: boolean
  /** The last `match` that found the group, so that none finds it twice. */
  round: number
}

/** One distinct filter. */
interface Entry<T> {
  readonly key: string
  readonly serial: number
  readonly postings: Postings<Entry<T>>
  readonly slots: readonly Slot[]
  /** What is left to check for an event in one of the slots. */
  readonly rest: CompiledFilter | undefined
  /** Whose members want what the filter matches; undefined only until the first is added. */
  groups: Held<Group<T>> | undefined
  /** The last `match` that met the filter. */
  round: number
}

export interface Census {
  readonly groups: number
  readonly idle: number
  readonly filters: number
  readonly slots: number
}

/** Live subscriptions of any sort `T`, told apart by identity; a new subscription is best a new object. */
export class SubscriptionIndex<T> {
  readonly #groups = new Map<string, Group<T>>()
  readonly #groupOf = new Map<T, Group<T>>()
  /** Groups without members, the one that waits longest first. */
  readonly #idle = new Set<Group<T>>()
  readonly #entries = new Map<string, Entry<T>>()
  readonly #fields: Fields<Entry<T>> = {
    ids: new Postings(),
    pubkeys: new Postings(),
    tags: new Postings(),
    kinds: new Postings(),
    every: new Postings(),
  }
  #serial = 0
  #round = 0

  /** Subscriptions in the index. */
  get size(): number {
    return this.#groupOf.size
  }

  /** The subscriptions in the index, the oldest first. */
  [Symbol.iterator](): Iterator<T> {
    return this.#groupOf.keys()
  }

  /** What the subscription wants, in no certain order and without `limit` and `replay`; read anew for each call. */
  filtersOf(subscription: T): readonly Filter[] {
    return (this.#groupOf.get(subscription)?.entries ?? []).map(({ key }) => filterOfKey(key))
  }

  /**
   * What the index holds: distinct sets of filters, how many of them have no subscription any more (at most 64),
   * distinct filters, slots in use. Counting the slots takes time proportional to the distinct tag keys.
   */
  get census(): Census {
    const { ids, pubkeys, tags, kinds, every } = this.#fields
    const slots = ids.size + pubkeys.size + tags.size + kinds.size + every.size
    return { groups: this.#groups.size, idle: this.#idle.size, filters: this.#entries.size, slots }
  }

  /**
   * The subscription wants what any of the filters matches; no filters match nothing. `limit` and `replay` do
   * not count, they concern stored events. Adding a subscription again replaces its filters. Keeps no reference
   * to `filters` nor to the text they were read from.
   */
  add(subscription: T, filters: readonly Filter[]): void {
    const entries = new Set(filters.map((filter) => this.#entry(filter)))
    const key = [...entries]
      .map((entry) => entry.serial)
      .sort((a, b) => a - b)
      .join()
    let group = this.#groups.get(key)
    if (group === undefined) {
      group = { key, entries: [...entries], members: new Set(), idle: false, round: 0 }
      this.#groups.set(key, group)
      for (const entry of entries) entry.groups = include(entry.groups, group)
    }
    const before = this.#groupOf.get(subscription)
    if (before === group) return
    if (group.idle) this.#idle.delete(group)
    group.idle = false
    group.members.add(subscription)
    this.#groupOf.set(subscription, group)
    if (before !== undefined) this.#leave(before, subscription)
  }

  /** Forgets the subscription; false when it was not here. Takes time proportional to its filters, at most. */
  remove(subscription: T): boolean {
    const group = this.#groupOf.get(subscription)
    if (group === undefined) return false
    this.#groupOf.delete(subscription)
    this.#leave(group, subscription)
    return true
  }

  /**
   * The subscriptions that want the event: disjoint sets, each subscription in exactly one of them, none empty.
   * The sets are the index's own: no copy is made and nothing is computed per recipient. Read them before the
   * next `add` (a `remove` meanwhile takes its subscription out of what is still to be read).
   */
  match(event: Event): readonly ReadonlySet<T>[] {
    const round = ++this.#round
    let byKey: TagValues | undefined
    const tags = () => {
      byKey ??= tagValues(event)
      return byKey
    }
    const found: ReadonlySet<T>[] = []

    const emit = (group: Group<T>): void => {
      if (group.round === round || group.idle) return
      group.round = round
      found.push(group.members)
    }
    const check = (entry: Entry<T>): void => {
      if (entry.round === round) return
      entry.round = round
      if (entry.rest !== undefined && !entry.rest(event, tags)) return
      each(entry.groups, emit)
    }
    const visit = (held: Held<Entry<T>> | undefined): void => each(held, check)

    const { ids, pubkeys, tags: tagged, kinds, every } = this.#fields
    for (const [length, prefixes] of ids.entries()) visit(prefixes.get(event.id.slice(0, Number(length))))
    for (const [length, prefixes] of pubkeys.entries())
      visit(prefixes.get(event.pubkey.slice(0, Number(length))))
    for (const tag of event.tags) {
      const wanted = tagged.get(tag[0])
      if (wanted !== undefined) for (let at = 1; at < tag.length; at++) visit(wanted.get(tag[at]!))
    }
    visit(kinds.get(KIND)?.get(event.kind))
    visit(every.get(EVERY)?.get(EVERY))
    return found
  }

  /** The entry of the filter; a new one stands in the index at once. */
  #entry(filter: Filter): Entry<T> {
    const key = filterKey(filter)
    const known = this.#entries.get(key)
    if (known !== undefined) return known
    const { postings, slots, rest } = choosePlace(filterOfKey(key), this.#fields)
    const entry: Entry<T> = {
      key,
      serial: ++this.#serial,
      rest: rest && compileFilter(rest),
      postings,
      slots,
      groups: undefined,
      round: 0,
    }
    for (const slot of slots) postings.add(slot, entry)
    this.#entries.set(key, entry)
    return entry
  }

  #leave(group: Group<T>, subscription: T): void {
    group.members.delete(subscription)
    if (group.members.size > 0) return
    this.#idle.add(group)
    group.idle = true
    const text = group.entries.reduce((length, entry) => length + entry.key.length, 0)
    if (text > IDLE_TEXT) this.#drop(group)
    else if (this.#idle.size > IDLE_GROUPS) {
      const [oldest] = this.#idle
      if (oldest !== undefined) this.#drop(oldest)
    }
  }

  #drop(group: Group<T>): void {
    this.#idle.delete(group)
    this.#groups.delete(group.key)
    for (const entry of group.entries) {
      entry.groups = exclude(entry.groups, group)
      if (entry.groups !== undefined) continue
      for (const slot of entry.slots) entry.postings.delete(slot, entry)
      this.#entries.delete(entry.key)
    }
  }
}

function each<Item extends object>(held: Held<Item> | undefined, visit: (item: Item) => void): void {
  if (held === undefined) return
  if (held instanceof Set) for (const item of held) visit(item)
  else visit(held)
}
