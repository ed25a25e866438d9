/**
 * What becomes of the events of a batch (spec 2.2, 2.3), for stores that collect their writes into one transaction.
 * Each event is judged as if those before it were already written, so the result is that of writing one by one.
 */
import { type Event, replaceKey, supersedes } from '@aetherkit/core'
import { DELETION, Deletions, isTarget, targetsOf } from './deletion.js'
import type { PutOutcome, PutStatus, StoredEvent } from './store.js'

/** What is stored now, before the batch. */
export interface Current {
  has(id: string): boolean
  get(id: string): StoredEvent | undefined
  /** The stored winner of a replace key. */
  winner(replaceKey: string): StoredEvent | undefined
  /** Whether a stored deletion deletes the event. */
  isDeleted(event: Event, replaceKey: string | undefined): boolean
}

export interface Addition {
  readonly stored: StoredEvent
  /** Undefined for kinds that are never replaced. */
  readonly replaceKey: string | undefined
}

export interface Decision {
  readonly outcomes: readonly PutOutcome[]
  /** To write. An event of the batch that a later one of it replaced or deleted is not here, its outcome is `stored`. */
  readonly additions: readonly Addition[]
  /** To delete: stored winners that lost, and what was deleted. */
  readonly removals: readonly StoredEvent[]
  /**
   * Replaced what was stored, and was then deleted by the same batch. A log that is judged again has to have them: the
   * deletion names them, and says nothing of what they had replaced.
   */
  readonly passing: readonly StoredEvent[]
}

export function decide(batch: readonly StoredEvent[], current: Current): Decision {
  const draft = new Draft(current)
  const outcomes = batch.map((stored) => ({ status: draft.put(stored) }))
  const [additions, removals] = [[...draft.additions.values()], [...draft.removals.values()]]
  return { outcomes, additions, removals, passing: draft.passing }
}

class Draft {
  readonly additions = new Map<string, Addition>()
  readonly removals = new Map<string, StoredEvent>()
  readonly passing: StoredEvent[] = []
  readonly #current: Current
  readonly #winners = new Map<string, StoredEvent>()
  readonly #deletions = new Deletions()

  constructor(current: Current) {
    this.#current = current
  }

  put(stored: StoredEvent): PutStatus {
    const { event } = stored
    if (this.additions.has(event.id) || (this.#current.has(event.id) && !this.removals.has(event.id)))
      return 'duplicate'
    const key = replaceKey(event)
    if (this.#current.isDeleted(event, key) || this.#deletions.has(event, key)) return 'deleted'
    if (key !== undefined) {
      const winner = this.#winner(key)
      if (winner !== undefined && !supersedes(event, winner.event)) return 'superseded'
      if (winner !== undefined) this.#remove(winner)
      this.#winners.set(key, stored)
    }
    this.additions.set(event.id, { stored, replaceKey: key })
    if (event.kind === DELETION) this.#delete(event)
    return 'stored'
  }

  #delete(deletion: Event): void {
    this.#deletions.add(deletion)
    const { ids, replaceKeys } = targetsOf(deletion)
    for (const id of ids) {
      const named = this.additions.get(id)?.stored ?? this.#current.get(id)
      if (named !== undefined && isTarget(deletion, named.event, 'ids')) this.#erase(named)
    }
    for (const key of replaceKeys) {
      const named = this.#winner(key)
      if (named !== undefined && isTarget(deletion, named.event, 'replaceKeys')) this.#remove(named)
    }
  }

  #winner(key: string): StoredEvent | undefined {
    const own = this.#winners.get(key)
    if (own !== undefined && this.additions.has(own.event.id)) return own
    const winner = this.#current.winner(key)
    return winner === undefined || this.removals.has(winner.event.id) ? undefined : winner
  }

  /** Removes what a deletion names. */
  #erase(named: StoredEvent): void {
    const key = replaceKey(named.event)
    const replaced = key === undefined ? undefined : this.#current.winner(key)
    if (this.additions.has(named.event.id) && replaced !== undefined && this.removals.has(replaced.event.id))
      this.passing.push(named)
    this.#remove(named)
  }

  #remove(stored: StoredEvent): void {
    if (!this.additions.delete(stored.event.id)) this.removals.set(stored.event.id, stored)
  }
}
