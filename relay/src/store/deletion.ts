/**
 * Deletion by the author, as NIP-09 has it: an event of kind 5 names events by id in `e` tags, and the versions of a
 * replaceable one in `a` tags, `<kind>:<pubkey>:<d>`, up to its own time. Only events of the same author are meant, and
 * never a deletion. As long as the deletion is stored, what it names cannot come back.
 */
import { type Event, replaceKey } from '@aetherkit/core'

export const DELETION = 5

export interface Targets {
  readonly ids: readonly string[]
  /** Replace keys, of this author only. */
  readonly replaceKeys: readonly string[]
}

const NOTHING: Targets = { ids: [], replaceKeys: [] }

/** What the event deletes; what it names in another shape, or of another author, is not meant. */
export function targetsOf(event: Event): Targets {
  if (event.kind !== DELETION) return NOTHING
  const ids = new Set<string>()
  const replaceKeys = new Set<string>()
  for (const [key, value] of event.tags) {
    if (value === undefined) continue
    if (key === 'e' && /^[0-9a-fA-F]{64}$/.test(value)) ids.add(value.toLowerCase())
    const replaced = key === 'a' ? replacedBy(value, event.pubkey) : undefined
    if (replaced !== undefined) replaceKeys.add(replaced)
  }
  return { ids: [...ids], replaceKeys: [...replaceKeys] }
}

/** Whether an event that a deletion names, by id or as the version of a replaceable one, is meant by it. */
export function isTarget(deletion: Event, event: Event, by: keyof Targets): boolean {
  if (event.pubkey !== deletion.pubkey || event.kind === DELETION) return false
  return by === 'ids' || event.createdAt <= deletion.createdAt
}

/** Deletions in memory, by what they name. */
export class Deletions {
  readonly #byTarget = new Map<string, Event[]>()

  add(deletion: Event): void {
    for (const target of namesOf(deletion)) {
      const list = this.#byTarget.get(target)
      if (list === undefined) this.#byTarget.set(target, [deletion])
      else list.push(deletion)
    }
  }

  remove(deletion: Event): void {
    for (const target of namesOf(deletion)) {
      const rest = (this.#byTarget.get(target) ?? []).filter(({ id }) => id !== deletion.id)
      if (rest.length === 0) this.#byTarget.delete(target)
      else this.#byTarget.set(target, rest)
    }
  }

  /** `replaceKey`: of the event. */
  has(event: Event, replaceKey: string | undefined): boolean {
    if (this.#byTarget.size === 0) return false
    const byId = this.#byTarget.get(`${event.pubkey} ${event.id}`)
    if (byId?.some((deletion) => isTarget(deletion, event, 'ids'))) return true
    const byKey = replaceKey === undefined ? undefined : this.#byTarget.get(replaceKey)
    return byKey?.some((deletion) => isTarget(deletion, event, 'replaceKeys')) ?? false
  }
}

function namesOf(deletion: Event): string[] {
  const { ids, replaceKeys } = targetsOf(deletion)
  return [...ids.map((id) => `${deletion.pubkey} ${id}`), ...replaceKeys]
}

function replacedBy(address: string, author: string): string | undefined {
  const [, kind, pubkey, d] = /^([0-9]{1,5}):([0-9a-fA-F]{64}):(.*)$/s.exec(address) ?? []
  if (kind === undefined || pubkey?.toLowerCase() !== author || d === undefined) return undefined
  const tags = d === '' ? [] : ([['d', d]] as const)
  const like = { pubkey: author, kind: Number(kind), tags, createdAt: 0n, content: new Uint8Array(0) }
  return replaceKey(like)
}
