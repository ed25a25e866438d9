/**
 * The low-balance alarm of the fee payers (spec payments 8.4): a sponsor without lamports sells nothing, and says so only
 * by refusing. Looks from time to time and tells once, until the balance has been good again.
 */
import { PaymentError } from './errors.js'
import { inspectSponsors, type PreflightFault } from './preflight.js'
import { createRpc, type Fetch } from './rpc.js'

export interface SponsorAlarmOptions {
  readonly rpcUrl: string
  /** Fee payers, base58. */
  readonly sponsors: readonly string[]
  /** 10,000,000 lamports by default, about 900 payments. */
  readonly minLamports?: bigint
  /** One minute by default. */
  readonly everyMs?: number
  /** `sponsor_low`, with the command that cures it; once for each sponsor that has become low. */
  readonly onLow: (fault: PreflightFault) => void
  /** The node did not answer. */
  readonly onError?: (error: unknown) => void
  readonly fetch?: Fetch
}

export interface SponsorAlarm {
  /** Looks now. */
  look(): Promise<void>
  close(): void
}

/** Looks at once, and then from time to time; it keeps no process alive. @throws PaymentError `invalid_option` */
export function watchSponsors(options: SponsorAlarmOptions): SponsorAlarm {
  const { rpcUrl, sponsors, minLamports, everyMs = 60_000, onLow, onError = () => {}, fetch } = options
  if (!(Number.isInteger(everyMs) && everyMs >= 1 && everyMs < 2 ** 31))
    throw new PaymentError('invalid_option', `everyMs: a whole number from 1 expected, got ${everyMs}`)
  const rpc = createRpc(rpcUrl, fetch === undefined ? {} : { fetch })
  const low = new Set<string>()
  const look = async (): Promise<void> => {
    for (const sponsor of sponsors) {
      const [fault] = await inspectSponsors(rpc, [sponsor], minLamports)
      if (fault === undefined) low.delete(sponsor)
      else if (!low.has(sponsor)) {
        low.add(sponsor)
        onLow(fault)
      }
    }
  }
  const run = (): void => void look().catch(onError)
  const timer = setInterval(run, everyMs)
  timer.unref()
  run()
  return { look, close: () => clearInterval(timer) }
}
