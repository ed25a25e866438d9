/**
 * Waiting for transactions (spec solana 7, step 4): one `getSignatureStatuses` for all outstanding ids, 50 ms apart on
 * loopback, where a new id is asked about at once, else 250 ms and after two seconds 1 s. No timer runs while nothing is
 * waited for.
 */
import { isJsonObject, type JsonValue } from '@aetherkit/core'
import { type Confirmation, hasReached, isConfirmation } from '../confirmation.js'
import { isLoopback, type Rpc, resultValue } from '../rpc.js'

/**
 * `confirmed`: landed without an error, at the level that was asked for. `early`: landed, and below it, so that it can
 * still be rolled back. `missing`: the node does not know it (yet).
 */
type Status = 'confirmed' | 'failed' | 'early' | 'missing'

export interface Asked {
  /** The transaction id, base58. */
  readonly signature: string
  /** `confirmed` by default. */
  readonly confirmation?: Confirmation | undefined
}

export interface Confirmer {
  /** Resolves on `confirmed` or `failed`, or with what it is at the deadline. */
  wait(asked: Asked, timeoutMs: number): Promise<Status>
}

interface Waiting extends Asked {
  readonly startedAt: number
  readonly deadline: number
  readonly resolve: (status: Status) => void
}

/** At most so many ids in one request: the node's limit. */
const BATCH = 256

export function createConfirmer(rpc: Rpc, now: () => number = Date.now): Confirmer {
  const waiting = new Set<Waiting>()
  const fast = isLoopback(rpc.url)
  let running = false
  let isFresh = false
  let wake = (): void => {}

  async function run(): Promise<void> {
    while (waiting.size > 0) {
      isFresh = false
      await poll([...waiting].slice(0, BATCH))
      if (waiting.size > 0 && !isFresh) await pause()
    }
    running = false
  }

  function pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, interval())
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  async function poll(batch: readonly Waiting[]): Promise<void> {
    const statuses = await statusesOf(rpc, batch, false).catch(() => undefined)
    batch.forEach((entry, i) => {
      const status = statuses?.[i] ?? 'missing'
      waiting.delete(entry)
      const isDecided = status === 'confirmed' || status === 'failed'
      if (isDecided || now() >= entry.deadline) entry.resolve(status)
      else waiting.add(entry) // at the end: more than a batch takes turns
    })
  }

  function interval(): number {
    if (fast) return 50
    const youngest = Math.max(...[...waiting].map(({ startedAt }) => startedAt))
    return now() - youngest < 2_000 ? 250 : 1_000
  }

  return {
    wait(asked, timeoutMs) {
      return new Promise((resolve) => {
        const startedAt = now()
        waiting.add({ ...asked, startedAt, deadline: startedAt + timeoutMs, resolve })
        if (fast) {
          isFresh = true
          wake()
        }
        if (running) return
        running = true
        void run()
      })
    },
  }
}

/**
 * The status of each id.
 * @throws PaymentError `rpc_failed`
 */
export async function statusesOf(
  rpc: Rpc,
  asked: readonly Asked[],
  searchHistory: boolean,
): Promise<readonly Status[]> {
  const options = { searchTransactionHistory: searchHistory }
  const signatures = asked.map(({ signature }) => signature)
  const value = resultValue(await rpc.call('getSignatureStatuses', [signatures, options]))
  return asked.map(({ confirmation }, i) =>
    Array.isArray(value) ? readStatus(value[i], confirmation) : 'missing',
  )
}

function readStatus(value: JsonValue | undefined, level: Confirmation = 'confirmed'): Status {
  if (!isJsonObject(value) || !isConfirmation(value.confirmationStatus)) return 'missing'
  const isGood = value.err === null || value.err === undefined
  // A failure frees the payment for another try, which what is only processed never does.
  const needed = !isGood && level === 'processed' ? 'confirmed' : level
  if (!hasReached(value.confirmationStatus, needed)) return 'early'
  return isGood ? 'confirmed' : 'failed'
}
