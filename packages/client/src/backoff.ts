/** How long to wait before the next attempt to connect (spec 12): exponential, jittered, at most a minute. */

export interface BackoffOptions {
  /** Milliseconds before the second attempt at most. Default 500. */
  readonly minMs?: number
  /** Milliseconds between two attempts at most. Default 60 000. */
  readonly maxMs?: number
}

/** `failures`: sessions in a row that were no good, 1 or more. `random`: uniform in [0, 1). */
export function backoffMs(
  failures: number,
  options: BackoffOptions = {},
  random: () => number = Math.random,
): number {
  const { minMs = 500, maxMs = 60_000 } = options
  const full = Math.min(maxMs, minMs * 2 ** Math.min(failures - 1, 30))
  return full * (0.5 + random() / 2)
}
