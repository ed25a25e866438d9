/** What a reliability case is: something done to a real relay, and the figures that came of it. */

/** `full` for `npm run reliability`; `short` is the same at a size that a test may take, about 5 s. */
export type Scale = 'full' | 'short'

export interface Row {
  /** What was done, with how often. */
  readonly done: string
  /** What was measured or counted, with units. */
  readonly figure: string
  /** What the figure must be. */
  readonly must: string
  readonly isHeld: boolean
}

export interface Case {
  readonly name: string
  /** One row a figure. Leaves no process and no file behind. */
  run(scale: Scale): Promise<readonly Row[]>
}

/** What draws at random draws the same in every short run, and anew in every full one; `SEED` says otherwise. */
export function seedOf(scale: Scale): number {
  return Number(process.env.SEED ?? (scale === 'short' ? 4253346320 : Date.now() % 2 ** 31))
}
