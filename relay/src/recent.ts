/**
 * Recent ids (spec 2.5): what was taken in during the last minute and is not in the store (ephemeral, past retention,
 * superseded), so that a repeat costs no crypto. Stored events are found in the store.
 *
 * Two generations, rotated when the younger is old or full: an id is known for at least `ms` unless more than
 * `max` others came since, and at most `2 * max` are held.
 */
export class RecentIds {
  readonly #max: number
  readonly #ms: number
  #young = new Map<string, string>()
  #old = new Map<string, string>()
  #since = 0

  /** `ms`: how long an id is remembered at least; `max`: ids a generation. */
  constructor(ms: number, max = 50_000) {
    this.#ms = ms
    this.#max = max
  }

  /** The signature that came with this id. */
  find(id: string): string | undefined {
    return this.#young.get(id) ?? this.#old.get(id)
  }

  /** `now`: milliseconds of any steady clock. */
  add(id: string, sig: string, now: number): void {
    this.expire(now)
    if (this.#young.size >= this.#max) this.#rotate(now)
    this.#young.set(copyText(id), copyText(sig))
  }

  /** Forgets what is too old. */
  expire(now: number): void {
    if (now - this.#since >= 2 * this.#ms) this.#old = this.#young = new Map()
    if (now - this.#since >= this.#ms) this.#rotate(now)
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  #rotate(now: number): void {
    this.#old = this.#young
    this.#young = new Map()
    this.#since = now
  }
}

/** A copy of ASCII text: a slice of a received message would keep all of the message alive. */
export function copyText(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
