/**
 * What a peer sees of the relay: stored events, recent ones and live ones (spec 7.1, 9.3). Every surface reads through
 * a view, so what a peer may not see it sees nowhere: not live, not stored, not in a count.
 */
import type { Event } from '@aetherkit/core'
import type { Access } from './access.js'
import type { Limits } from './limits.js'
import type { Peer } from './policy.js'
import { bothIndexes, bothRings, bothStores, type IndexView, type Realms } from './realm.js'
import type { History } from './replay.js'

export interface View {
  readonly history: History
  readonly index: IndexView
}

/** Who looks. */
export interface Reader {
  /** As it is now: a peer may prove its keys later. Absent: nobody that is known. */
  readonly peer?: Peer
}

export interface ViewOptions {
  readonly realms: Realms
  readonly limits: Limits
  readonly access: Access
  /** Expired, or past retention. */
  isOver(event: Event): boolean
  oldest(): bigint | undefined
}

export class Views {
  readonly #access: Access
  readonly #isOver: (event: Event) => boolean
  readonly #aether: View
  readonly #both: View

  constructor({ realms, limits, access, isOver, oldest }: ViewOptions) {
    this.#access = access
    this.#isOver = isOver
    const { aether, nostr } = realms
    const isHidden = this.#isHiddenFrom({})
    const rest = { limits, isHidden, oldest }
    this.#aether = { index: aether.index, history: { ...rest, store: aether.store, ring: aether.ring } }
    this.#both =
      nostr === undefined
        ? this.#aether
        : {
            index: bothIndexes(aether.index, nostr.index),
            history: {
              ...rest,
              store: bothStores(aether.store, nostr.store),
              ring: bothRings(aether.ring, nostr.ring),
            },
          }
  }

  /** `nostr`: with the genuine Nostr events. */
  of(reader: Reader, nostr: boolean): View {
    const view = nostr ? this.#both : this.#aether
    if (this.#access.isOpen) return view
    return { index: view.index, history: { ...view.history, isHidden: this.#isHiddenFrom(reader) } }
  }

  #isHiddenFrom(reader: Reader): (event: Event) => boolean {
    return (event) => this.#isOver(event) || !this.#access.mayRead(event, reader.peer)
  }
}
