/**
 * Stored events as lines of JSON, in rising order of seq: the same store gives the same lines. An Aether event is
 * rendered as spec 1.4 has it, a genuine Nostr event as NIP-01 has it; each is told apart by its hash, as anywhere.
 */
import { compileFilter, type Event, type Filter, writeEvent } from '@aetherkit/core'
import { NostrEvent, writeNostrEvent } from '../nostr-event.js'
import type { Store } from '../store/store.js'

export interface ExportOptions {
  /** Only what it matches; its `limit` is not looked at. */
  readonly filter?: Filter
  /** Only what was stored behind this seq: so that an export can be continued. */
  readonly after?: bigint
  /** After each page: what was written until now, and the last seq looked at. */
  onProgress?(progress: { readonly events: number; readonly seq: bigint }): void
}

const PAGE = 256

/**
 * Chunks of whole lines, one for each event. Content that is no UTF-8 is base64 (spec 1.6). The store may go on
 * meanwhile: what comes is at the end, what goes may be missing.
 * @throws StoreError `unavailable` at a damaged record.
 */
export async function* exportEvents(
  store: Pick<Store, 'since'>,
  { filter = {}, after = 0n, onProgress }: ExportOptions = {},
): AsyncGenerator<string, void, void> {
  const matches = compileFilter(filter)
  for (let [seq, events] = [after, 0]; ; ) {
    const page = store.since(seq, PAGE)
    if (page.length === 0) return
    let lines = ''
    for (const { event } of page) {
      if (!matches(event)) continue
      lines += `${write(event)}\n`
      events++
    }
    if (lines !== '') yield lines
    seq = page.at(-1)!.seq
    onProgress?.({ events, seq })
    // Others have their turn.
    await new Promise(setImmediate)
  }
}

function write(event: Event): string | undefined {
  if (NostrEvent.is(event)) return writeNostrEvent(event)
  return writeEvent(event) ?? writeEvent(event, { base64: true })
}
