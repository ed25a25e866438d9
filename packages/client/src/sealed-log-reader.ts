/** Reading a log (sealed-log.ts has the law): from its first entry, stored and live alike, in order, each once. */
import type { Filter, VerifiedEvent } from '@aetherkit/core'
import type { Json } from './call-message.js'
import type { Client } from './client.js'
import { deferred } from './deadline.js'
import { ClientError } from './errors.js'
import { LOG_KIND, openLogEvent } from './sealed-log.js'
import { sealedName } from './sealed-name.js'

export interface ReadLogOptions {
  /** Public key, hex. */
  readonly writer: string
  readonly name: string
  readonly signal?: AbortSignal | undefined
  /** How long the log may be silent until `quiet` is asked, ms; 10 000 by default. */
  readonly quietMs?: number
  /** Nothing has come, and nothing new is stored: whether to go on waiting. Always, unless given. */
  readonly quiet?: () => boolean | Promise<boolean>
}

export interface LogReader extends AsyncIterable<Json> {
  /** Resolves when live entries reach us from every connected relay. */
  readonly ready: Promise<void>
  /** `end`: the writer said so. `quiet`: given up. Undefined until the iteration is over. */
  readonly outcome: 'end' | 'quiet' | undefined
}

export type LogClient = Pick<Client, 'publicKey' | 'subscribe' | 'query' | 'open'>

const PAGE = 1000
const QUIET_MS = 10_000

/** Subscribes now; it is to be iterated once. The iteration throws the signal's reason, and as `Client.subscribe`. */
export function readLog(client: LogClient, options: ReadLogOptions): LogReader {
  const { writer, name, signal, quietMs = QUIET_MS, quiet = () => true } = options
  const l = sealedName('log', { writer, reader: client.publicKey, name })
  const filter: Filter = { kinds: [LOG_KIND], authors: [writer], tags: [{ key: 'l', any: [l] }] }
  const held = new Map<number, { readonly text: string; readonly end: boolean }>()
  let next = 0
  let outcome: 'end' | 'quiet' | undefined
  let woken = deferred<void>()
  let failure: { readonly error: unknown } | undefined
  let taken = 0

  const take = async (event: VerifiedEvent): Promise<void> => {
    const read = await openLogEvent(client, event)
    if (read === undefined || read.n < next || held.has(read.n)) return
    held.set(read.n, read)
    taken++
    woken.resolve()
  }
  const fail = (error: unknown): void => {
    failure ??= { error }
    woken.resolve()
  }

  /** All that is stored, a page at a time. */
  const fetchStored = async (): Promise<void> => {
    let until: bigint | undefined
    for (let last = -1; last !== taken; ) {
      last = taken
      const events = await client.query(
        { ...filter, limit: PAGE, ...(until !== undefined && { until }) },
        { signal },
      )
      for (const event of events) await take(event)
      if (events.length < PAGE) return
      until = events.at(-1)?.createdAt
    }
  }

  const live = client.subscribe(
    { ...filter, limit: PAGE },
    { signal, outdated: true, onGap: () => void fetchStored().catch(fail) },
  )
  const pump = async (): Promise<void> => {
    for await (const event of live) await take(event)
  }
  pump().then(() => fail(new ClientError('CLOSED')), fail)
  // More was stored than one page.
  const catchUp = async () => {
    await live.stored
    if (held.size > 0 && !held.has(next)) await fetchStored()
  }
  void catchUp().catch(fail)

  /** False when nothing came, nothing was stored that had not come, and nobody wants to wait longer. */
  const wait = async (): Promise<boolean> => {
    const timer = setTimeout(() => woken.resolve(), quietMs)
    await woken.promise
    clearTimeout(timer)
    woken = deferred()
    if (failure !== undefined) throw failure.error
    if (held.has(next)) return true
    await fetchStored()
    if (held.has(next) || (await quiet())) return true
    await fetchStored()
    return held.has(next)
  }

  async function* read(): AsyncGenerator<Json, void> {
    let line = ''
    try {
      for (;;) {
        for (let piece = held.get(next); piece !== undefined; piece = held.get(next)) {
          held.delete(next++)
          line += piece.text
          const lines = line.split('\n')
          line = lines.pop() ?? ''
          for (const entry of lines) yield* parsed(entry)
          if (piece.end) outcome = 'end'
        }
        if (outcome !== undefined) return
        if (!(await wait())) outcome = 'quiet'
      }
    } finally {
      live.close()
    }
  }

  return {
    ready: live.stored,
    get outcome() {
      return outcome
    },
    [Symbol.asyncIterator]: read,
  }
}

/** A line that is no JSON is none of a writer of ours. */
function parsed(line: string): readonly Json[] {
  try {
    return [JSON.parse(line)]
  } catch {
    return []
  }
}
