/**
 * Frames that wait for the end of a turn of the event loop, as a chain (spec 5.3, 7.3).
 *
 * A chain is a linked list from its last frame back. Connections that were given the same frames since their last
 * write hold the very same chain, so the joined buffer is made once for all of them: appending a frame to a chain
 * twice in a row gives the same object.
 */
export class Chain {
  /** All frames together. */
  readonly bytes: number
  readonly count: number
  readonly #frame: Buffer | undefined
  readonly #before: Chain | undefined
  #next: Chain | undefined
  #joined: Buffer | undefined

  private constructor(frame?: Buffer, before?: Chain) {
    this.#frame = frame
    this.#before = before
    this.bytes = (before?.bytes ?? 0) + (frame?.length ?? 0)
    this.count = (before?.count ?? 0) + (frame === undefined ? 0 : 1)
  }

  /** An empty chain: where the connections of one turn begin. */
  static start(): Chain {
    return new Chain()
  }

  append(frame: Buffer): Chain {
    const next = this.#next
    if (next !== undefined && next.#frame === frame) return next
    this.#next = new Chain(frame, this)
    return this.#next
  }

  /** The frames one after the other. The buffer is shared: nobody may write to it. */
  join(): Buffer {
    if (this.#frame !== undefined && this.count === 1) return this.#frame
    if (this.#joined === undefined) {
      this.#joined = Buffer.allocUnsafeSlow(this.bytes)
      let chain: Chain | undefined = this
      while (chain !== undefined) {
        const frame: Buffer | undefined = chain.#frame
        if (frame !== undefined) this.#joined.set(frame, chain.bytes - frame.length)
        chain = chain.#before
      }
    }
    return this.#joined
  }
}
