/** A stream whose first item is known: what is refused before it is an error of the call (spec a2a 2.6). */

/** Rejects with what the first item threw. Leaving the result leaves `items`. */
export async function peek<T>(items: AsyncIterable<T>): Promise<AsyncIterable<T>> {
  const iterator = items[Symbol.asyncIterator]()
  const first = await iterator.next()
  return (async function* () {
    try {
      for (let next = first; next.done !== true; next = await iterator.next()) yield next.value
    } finally {
      await iterator.return?.()
    }
  })()
}
