/** How far a long command is, on a terminal; nothing anywhere else. */
import { SingleBar } from 'cli-progress'

export interface Progress {
  /** `value`: of `total`, or of an unknown whole. */
  update(value: number, text: string): void
  stop(): void
}

const NONE: Progress = { update() {}, stop() {} }

/** A bar when the whole is known, a line when it is not. */
export function showProgress(total: number | undefined): Progress {
  if (!process.stderr.isTTY) return NONE
  const format =
    total === undefined ? '{text}  {duration_formatted}' : '{bar} {percentage}%  {text}  {duration_formatted}'
  const bar = new SingleBar({
    format,
    stream: process.stderr,
    hideCursor: null,
    clearOnComplete: true,
    barCompleteChar: '#',
    barIncompleteChar: '.',
    barsize: 30,
  })
  bar.start(total ?? 0, 0, { text: '' })
  return {
    update: (value, text) => bar.update(total === undefined ? 0 : Math.min(value, total), { text }),
    stop: () => bar.stop(),
  }
}
