/** Fault switches for tests (spec solana 10.1): what a network or a node can do to a sender. */

export interface FaultOptions {
  /** So many of the next `sendTransaction` calls answer with a signature and throw the transaction away. */
  readonly dropSends: number
  /** So many of the next `sendTransaction` calls take the transaction and answer with an internal error. */
  readonly failSends: number
  /** Answers come that many milliseconds late. */
  readonly delayMs: number
  /** The methods that are late; all but the cheat codes when empty. */
  readonly delayMethods: readonly string[]
}

export const FAULT_DEFAULTS: FaultOptions = { dropSends: 0, failSends: 0, delayMs: 0, delayMethods: [] }

export interface Faults {
  readonly options: FaultOptions
  setOptions(options: Partial<FaultOptions>): void
  delay(method: string): Promise<void>
  /** What happens to this send. */
  takeSend(): 'ok' | 'drop' | 'fail'
}

export function createFaults(): Faults {
  let options = FAULT_DEFAULTS
  const isLate = (method: string) =>
    options.delayMethods.length === 0
      ? !/^(?:devnet|surfnet)_/.test(method)
      : options.delayMethods.includes(method)
  return {
    get options() {
      return options
    },
    setOptions(change) {
      options = { ...options, ...change }
    },
    async delay(method) {
      const { delayMs } = options
      if (delayMs === 0 || !isLate(method)) return
      // the server keeps the process alive, an answer that is due does not
      await new Promise((resolve) => setTimeout(resolve, delayMs).unref())
    },
    takeSend() {
      if (options.dropSends > 0) {
        options = { ...options, dropSends: options.dropSends - 1 }
        return 'drop'
      }
      if (options.failSends > 0) {
        options = { ...options, failSends: options.failSends - 1 }
        return 'fail'
      }
      return 'ok'
    },
  }
}
