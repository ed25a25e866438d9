/** Who waits for the next item of an iteration, and how it ends: an error is thrown once, after it all is done. */
import { type Deferred, deferred } from './deadline.js'

export class Readers<T> {
  #waiting: Deferred<IteratorResult<T, undefined>>[] = []
  #ended: { readonly error?: unknown } | undefined

  get waiting(): boolean {
    return this.#waiting.length > 0
  }

  /** Settles with an item that is given, or with the end. */
  next(): Promise<IteratorResult<T, undefined>> {
    const reader = deferred<IteratorResult<T, undefined>>()
    this.#waiting.push(reader)
    if (this.#ended !== undefined) this.end(this.#ended)
    return reader.promise
  }

  /** To whoever has waited longest. */
  give(value: T): void {
    this.#waiting.shift()?.resolve({ done: false, value })
  }

  end(ended: { readonly error?: unknown }): void {
    this.#ended = ended
    const [first, ...others] = this.#waiting.splice(0)
    if (first === undefined) return
    this.#ended = {}
    if ('error' in ended) first.reject(ended.error)
    else first.resolve({ done: true, value: undefined })
    for (const reader of others) reader.resolve({ done: true, value: undefined })
  }
}
