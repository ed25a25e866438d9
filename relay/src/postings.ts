/** The two-level multimap under the index of live subscriptions: (outer, inner) -> items. */

/** A length, a tag key, or a name; then a prefix, a tag value, or a kind. */
export type Slot = readonly [outer: string | number, inner: string | number]

/** One item bare, or more of them in a Set: most places hold one, and a Set costs more than the item. */
export type Held<Item extends object> = Item | Set<Item>

type Inner<Item extends object> = ReadonlyMap<string | number, Held<Item>>

/** A slot that loses its last item leaves nothing behind. `Item` must not itself be a Set. */
export class Postings<Item extends object> {
  readonly #outer = new Map<string | number, Map<string | number, Held<Item>>>()

  add([outer, inner]: Slot, item: Item): void {
    const slots = this.#outer.get(outer) ?? new Map<string | number, Held<Item>>()
    if (slots.size === 0) this.#outer.set(outer, slots)
    const held = slots.get(inner)
    const more = include(held, item)
    if (more !== held) slots.set(inner, more)
  }

  delete([outer, inner]: Slot, item: Item): void {
    const slots = this.#outer.get(outer)
    const held = slots?.get(inner)
    if (slots === undefined || held === undefined) return
    const less = exclude(held, item)
    if (less === undefined) slots.delete(inner)
    else if (less !== held) slots.set(inner, less)
    if (slots.size === 0) this.#outer.delete(outer)
  }

  /** How many items the slot holds. */
  count([outer, inner]: Slot): number {
    const held = this.#outer.get(outer)?.get(inner)
    if (held === undefined) return 0
    return held instanceof Set ? held.size : 1
  }

  get(outer: string | number): Inner<Item> | undefined {
    return this.#outer.get(outer)
  }

  entries(): IterableIterator<[string | number, Inner<Item>]> {
    return this.#outer.entries()
  }

  /** Slots in use. */
  get size(): number {
    let size = 0
    for (const slots of this.#outer.values()) size += slots.size
    return size
  }
}

/** With the item; a Set is changed in place. */
export function include<Item extends object>(held: Held<Item> | undefined, item: Item): Held<Item> {
  if (held === undefined || held === item) return item
  return held instanceof Set ? held.add(item) : new Set([held, item])
}

/** Without the item; undefined when nothing is left. */
export function exclude<Item extends object>(
  held: Held<Item> | undefined,
  item: Item,
): Held<Item> | undefined {
  if (!(held instanceof Set)) return held === item ? undefined : held
  held.delete(item)
  if (held.size > 1) return held
  const [last] = held
  return last
}
