/**
 * A log that one key writes for one reader, on any relay: JSON entries in order, sealed for the reader, live and stored at
 * once. A reader that comes late, or comes back, gets every entry from the first on and then those to come, each once.
 *
 *   kind         3079, regular (spec 2.1)
 *   l            opaque name, see sealed-name.ts
 *   expiration   ms (spec 2.6)
 *   content      sealed JSON {v: 1, n, text, end?}
 *
 * The texts of `n` 0, 1, 2 and so on, one behind the other, are the log: one JSON value a line. A line may go over several
 * events. `end` is true in the last one. Where two events have the same `n`, they are equal: a writer repeats what it
 * said and never says it differently.
 *
 * A relay learns who writes, when, how much up to the padding of the seal, and which events belong together.
 */
import { createClock, type VerifiedEvent } from '@aetherkit/core'
import type { Json } from './call-message.js'
import type { Client } from './client.js'
import { ClientError } from './errors.js'
import { sealedName } from './sealed-name.js'

export const LOG_KIND = 3079

export interface LogOptions {
  /** Public key, hex. */
  readonly reader: string
  /** 1 to 256 characters, of this log alone. */
  readonly name: string
  /** ms since 1970: the entries are gone after it. */
  readonly expiresAt: number
  /** How long entries are collected before they are sent, ms; 60 by default. */
  readonly collectMs?: number
  /** Hears why the log broke off: no relay took an entry in time, or it grew too far ahead of them. */
  readonly onError?: (error: unknown) => void
}

export interface LogWriter {
  /** In order, and at once for the caller; nothing after the end. */
  append(entry: Json): void
  /** Resolves when all of it is durable; also when the log broke off. */
  end(): Promise<void>
}

/** UTF-16 units of one event: at most three times as many bytes, six with escapes, and a relay takes those. */
const MAX_TEXT = 64 * 1024
/** UTF-16 units that wait for the relays. */
const MAX_WAITING = 16 * 1024 * 1024
const COLLECT_MS = 60
/** How often one event is tried, 10 s each. */
const ATTEMPTS = 6

export function openLog(
  client: Pick<Client, 'publicKey' | 'publish' | 'seal'>,
  options: LogOptions,
): LogWriter {
  const { reader, name, expiresAt, collectMs = COLLECT_MS, onError = () => {} } = options
  const tags = [
    ['l', sealedName('log', { writer: client.publicKey, reader, name })] as const,
    ['expiration', String(Math.ceil(expiresAt))] as const,
  ]
  const clock = createClock()
  let waiting = ''
  let n = 0
  let isEnding = false
  let isEnded = false
  let isBroken = false
  let timer: ReturnType<typeof setTimeout> | undefined
  let sending: Promise<void> | undefined

  const publish = async (text: string, end: boolean): Promise<void> => {
    const plain = new TextEncoder().encode(JSON.stringify({ v: 1, n, text, ...(end && { end }) }))
    // Made once: an event that is sent again is the same event.
    const event = { kind: LOG_KIND, content: await client.seal(plain, reader), tags, createdAt: clock() }
    n++
    for (let attempt = 1; ; attempt++) {
      try {
        await client.publish(event)
        return
      } catch (error) {
        if (attempt === ATTEMPTS || !isPassing(error)) throw error
      }
    }
  }

  const send = async (): Promise<void> => {
    try {
      while (!isBroken && !isEnded && (waiting !== '' || isEnding)) {
        const text = waiting.slice(0, MAX_TEXT)
        waiting = waiting.slice(MAX_TEXT)
        isEnded = isEnding && waiting === ''
        await publish(text, isEnded)
      }
    } catch (error) {
      isBroken = true
      onError(error)
    }
  }

  const flush = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    sending ??= send().finally(() => {
      sending = undefined
    })
    return sending
  }

  return {
    append(entry) {
      if (isEnding || isBroken) return
      waiting += `${JSON.stringify(entry)}\n`
      if (waiting.length > MAX_WAITING) {
        isBroken = true
        onError(new ClientError('QUEUE_FULL'))
      } else if (sending === undefined) timer ??= setTimeout(flush, collectMs)
    },
    async end() {
      isEnding = true
      // What is being sent may have looked for more before the end was said.
      do await flush()
      while (!isEnded && !isBroken)
    },
  }
}

function isPassing(error: unknown): boolean {
  return ClientError.is(error) && (error.code === 'TIMEOUT' || error.code === 'DISCONNECTED')
}

/** What is sealed in an event of a log; undefined for anything else. */
export async function openLogEvent(
  client: Pick<Client, 'open'>,
  event: VerifiedEvent,
): Promise<{ readonly n: number; readonly text: string; readonly end: boolean } | undefined> {
  const plain = await client.open(event)
  if (plain === undefined) return undefined
  try {
    const { v, n, text, end } = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(plain))
    if (v !== 1 || !Number.isSafeInteger(n) || n < 0 || typeof text !== 'string') return undefined
    return { n, text, end: end === true }
  } catch {
    return undefined
  }
}
