/**
 * Waiting for transactions (spec solana 7, step 4): one `getSignatureStatuses` for all outstanding ids, 50 ms apart on
 * loopback, where a new id is asked about at once, else 250 ms and after two seconds 1 s. No timer runs while nothing is
 * waited for.
 */
import { isJsonObject, type JsonValue } from '@aetherkit/core'
import { isLoopback, type Rpc, resultValue } from '../rpc.js'

/** `missing`: the node does not know it (yet). `processed` counts as missing: it can still be rolled back. */
export type Status = 'confirmed' | 'failed' | 'missing'

export interface Confirmer {
  /** Resolves on `confirmed` or `failed`, or with `missing` at the deadline. */
  wait(signature: string, timeoutMs: number): Promise<Status>
}

interface Waiting {
  readonly signature: string
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
    const statuses = await statusesOf(
      rpc,
      batch.map(({ signature }) => signature),
      false,
    ).catch(() => undefined)
    batch.forEach((entry, i) => {
      const status = statuses?.[i] ?? 'missing'
      waiting.delete(entry)
      if (status !== 'missing' || now() >= entry.deadline) entry.resolve(status)
      else waiting.add(entry) // at the end: more than a batch takes turns
    })
  }

  function interval(): number {
    if (fast) return 50
    const youngest = Math.max(...[...waiting].map(({ startedAt }) => startedAt))
    return now() - youngest < 2_000 ? 250 : 1_000
  }

  return {
    wait(signature, timeoutMs) {
      return new Promise((resolve) => {
        const startedAt = now()
        waiting.add({ signature, startedAt, deadline: startedAt + timeoutMs, resolve })
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
  signatures: readonly string[],
  searchHistory: boolean,
): Promise<readonly Status[]> {
  const options = { searchTransactionHistory: searchHistory }
  const value = resultValue(await rpc.call('getSignatureStatuses', [signatures, options]))
  return signatures.map((_, i) => (Array.isArray(value) ? readStatus(value[i]) : 'missing'))
}

function readStatus(value: JsonValue | undefined): Status {
  if (!isJsonObject(value)) return 'missing'
  if (value.confirmationStatus !== 'confirmed' && value.confirmationStatus !== 'finalized') return 'missing'
  return value.err === null || value.err === undefined ? 'confirmed' : 'failed'
}
