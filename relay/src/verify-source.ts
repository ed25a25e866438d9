/**
 * Where claims come from, and whether that is in doubt: who brought bad ids and signatures waits behind those who did
 * not, so that checking forgeries takes no honest publisher's place (spec 3.1).
 */
import type { Verdict } from './verify-batch.js'

/** What a bad claim adds and a good one takes away: below one bad claim in five nobody comes into doubt. */
const BAD = 4
const DOUBTFUL = 32
/** So that a client that was mended is out of doubt after as many good claims. */
const MOST = 256

export class VerifySource {
  #doubt = 0
  /** Claims without a verdict that were submitted in good faith, and in doubt. */
  #trusted = 0
  #doubtful = 0

  /** While claims wait in doubt those that follow do too: they stay in their order. */
  get isDoubtful(): boolean {
    return this.#doubtful > 0 || this.#doubt >= DOUBTFUL
  }

  /** Nothing has to be remembered of it. */
  get isBlank(): boolean {
    return this.#doubt === 0 && !this.isBusy
  }

  get isBusy(): boolean {
    return this.#trusted > 0 || this.#doubtful > 0
  }

  /** Whether claims from before it came into doubt still wait. */
  get isTrusting(): boolean {
    return this.#trusted > 0
  }

  submitted(inDoubt: boolean): void {
    if (inDoubt) this.#doubtful++
    else this.#trusted++
  }

  settled(inDoubt: boolean, verdict: Verdict | 'failed'): void {
    if (inDoubt) this.#doubtful--
    else this.#trusted--
    if (verdict === 'failed') return
    const isBad = verdict === 'id_mismatch' || verdict === 'invalid_signature'
    this.#doubt = isBad ? Math.min(MOST, this.#doubt + BAD) : Math.max(0, this.#doubt - 1)
  }
}

/** The sources of peers by their ids: so many at most that nothing waits of. */
export class VerifySources {
  readonly #max: number
  readonly #byPeer = new Map<number, VerifySource>()

  constructor(max = 4096) {
    this.#max = max
  }

  get size(): number {
    return this.#byPeer.size
  }

  of(peer: number): VerifySource {
    const known = this.#byPeer.get(peer)
    if (known !== undefined) return known
    const made = new VerifySource()
    this.#byPeer.set(peer, made)
    if (this.#byPeer.size > this.#max) this.#forgetOldest()
    return made
  }

  /** After a verdict. */
  forgetIfBlank(peer: number): void {
    if (this.#byPeer.get(peer)?.isBlank === true) this.#byPeer.delete(peer)
  }

  /** Two steps for each new one: the busy ones go to the end, and the number comes down when they are done. */
  #forgetOldest(): void {
    let steps = 2
    for (const [peer, source] of this.#byPeer) {
      if (steps-- === 0) return
      this.#byPeer.delete(peer)
      if (source.isBusy) this.#byPeer.set(peer, source)
    }
  }
}
