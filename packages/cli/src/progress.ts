/** How far a long command is, on a terminal; nothing anywhere else. */
import { SingleBar } from 'cli-progress'
import { makeRoom } from './session.js'

export interface Progress {
  /** `value`: of `total`, or of an unknown whole. */
  update(value: number, text: string): void
  stop(): void
}

const CLEAR_LINE = '\r\u001b[2K'
export const NO_PROGRESS: Progress = { update() {}, stop() {} }

/** A bar when the whole is known, a line when it is not; on a terminal that can move its cursor. */
export function showProgress(total: number | undefined): Progress {
  if (!process.stderr.isTTY || process.env.TERM === 'dumb') return NO_PROGRESS
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
  // Whatever ends the process: lines wrap again, and the bar is gone.
  const stop = () => {
    process.off('exit', stop)
    makeRoom(undefined)
    bar.stop()
  }
  process.once('exit', stop)
  makeRoom(() => process.stderr.write(CLEAR_LINE))
  bar.start(total ?? 0, 0, { text: '' })
  return {
    update: (value, text) => bar.update(total === undefined ? 0 : Math.min(value, total), { text }),
    stop,
  }
}
