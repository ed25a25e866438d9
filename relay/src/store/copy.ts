/**
 * The backup of a store that has no better way: its events, read by seq a page at a time while it goes on. What is
 * replaced or deleted meanwhile may still be in the copy's past, but what replaced or deleted it comes later and is
 * copied too, so the copy ends up as the store was at the last page.
 */
import { existsSync, rmSync } from 'node:fs'
import { hasRightId } from '../nostr-event.js'
import { type Amount, type Store, StoreError } from './store.js'
import { sumOf } from './usage.js'

const PAGE = 256

/** As {@link Store.backup}. */
export async function copyEvents(
  source: Store,
  path: string,
  open: (path: string) => Store,
): Promise<Amount> {
  if (existsSync(path)) throw new StoreError('not_writable', `${path} exists: choose another path`)
  const copy = open(path)
  try {
    for (let from = 0n; ; ) {
      const page = source.since(from, PAGE)
      if (page.length === 0) break
      for (const { seq, event } of page)
        if (!hasRightId(event))
          throw new StoreError(
            'unavailable',
            `the event of seq ${seq} is not what its id says: see verify-store`,
          )
      await copy.put(page)
      from = page.at(-1)!.seq
      // Others have their turn.
      await new Promise(setImmediate)
    }
    return sumOf(copy.usage())
  } catch (error) {
    await copy.close()
    for (const file of [path, `${path}-wal`, `${path}-shm`, `${path}-journal`]) rmSync(file, { force: true })
    throw error
  } finally {
    await copy.close()
  }
}
