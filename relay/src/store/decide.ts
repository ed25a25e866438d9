/**
 * What becomes of the events of a batch (spec 2.2, 2.3), for stores that collect their writes into one transaction.
 * Each event is judged as if those before it were already written, so the result is that of writing one by one.
 */
import { replaceKey, supersedes } from '@aetherkit/core'
import type { PutOutcome, StoredEvent } from './store.js'

/** What is stored now, before the batch. */
export interface Current {
  has(id: string): boolean
  /** The stored winner of a replace key. */
  winner(replaceKey: string): StoredEvent | undefined
}

export interface Addition {
  readonly stored: StoredEvent
  /** Undefined for kinds that are never replaced. */
  readonly replaceKey: string | undefined
}

export interface Decision {
  readonly outcomes: readonly PutOutcome[]
  /** To write. An event of the batch that a later one of it replaced is not here, though its outcome is `stored`. */
  readonly additions: readonly Addition[]
  /** To delete: stored winners that lost. */
  readonly removals: readonly StoredEvent[]
}

export function decide(batch: readonly StoredEvent[], current: Current): Decision {
  const outcomes: PutOutcome[] = []
  const additions = new Map<string, Addition>()
  const removals = new Map<string, StoredEvent>()
  const winners = new Map<string, StoredEvent>()

  for (const stored of batch) {
    const { event } = stored
    const known = additions.has(event.id) || (current.has(event.id) && !removals.has(event.id))
    if (known) {
      outcomes.push({ status: 'duplicate' })
      continue
    }
    const key = replaceKey(event)
    if (key !== undefined) {
      const winner = winners.get(key) ?? current.winner(key)
      if (winner !== undefined && !supersedes(event, winner.event)) {
        outcomes.push({ status: 'superseded' })
        continue
      }
      if (winner !== undefined && !additions.delete(winner.event.id)) removals.set(winner.event.id, winner)
      winners.set(key, stored)
    }
    additions.set(event.id, { stored, replaceKey: key })
    outcomes.push({ status: 'stored' })
  }
  return { outcomes, additions: [...additions.values()], removals: [...removals.values()] }
}
