/**
 * One message at a time on a task (spec a2a 6.2 no. 7): while one is worked on, the next ones wait in the order they
 * came. A task that asks for something is answered by the next of them; one that has ended refuses them.
 */
import { A2AError } from '../errors.js'
import type { LiveTask } from './live-task.js'
import type { LiveTasks } from './live-tasks.js'
import type { Turn } from './turn.js'
import { within } from './within.js'

export interface LanesOptions {
  readonly tasks: LiveTasks
  /** Admission, execution, ending. A rejection refuses the turn. */
  readonly run: (turn: Turn) => Promise<void>
  readonly report: (error: unknown) => void
}

export class Lanes {
  readonly #options: LanesOptions
  readonly #running = new Set<Promise<unknown>>()
  #closing = false

  constructor(options: LanesOptions) {
    this.#options = options
  }

  /** Takes the lane of its task, or waits in it. */
  start(turn: Turn): void {
    const { live } = turn
    if (live.busy) {
      live.waiting.push(turn)
      turn.shown.resolve()
    } else this.#take(turn)
  }

  /** The lane is free for the next one in it. */
  next(live: LiveTask): void {
    live.busy = false
    live.turn = undefined
    const turn = live.waiting.shift()
    if (turn) this.#take(turn)
  }

  /** Tells every execution to stop, and waits so long for those that have something to say. */
  async close(graceMs: number): Promise<void> {
    this.#closing = true
    const tasks = this.#options.tasks.all()
    for (const { turn } of tasks) turn?.abort('shutdown')
    await within(Promise.allSettled(this.#running), graceMs).catch(() => {})
    for (const { turn } of tasks) turn?.cut('shutdown')
    await within(Promise.allSettled(this.#running), graceMs).catch(() => {})
  }

  #take(turn: Turn): void {
    turn.live.busy = true
    turn.live.turn = turn
    const running = this.#turn(turn).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  async #turn(turn: Turn): Promise<void> {
    try {
      if (this.#closing) throw shuttingDown()
      if (turn.live.terminal) throw taskEnded()
      await this.#options.run(turn)
    } catch (error) {
      this.#refuse(turn, error)
    } finally {
      if (!turn.executed) turn.release()
      this.next(turn.live)
      turn.ended.resolve()
    }
  }

  /** A task that its first message did not get into the store never was. */
  #refuse(turn: Turn, error: unknown): void {
    if (!turn.live.isStored) {
      turn.live.endStreams()
      this.#options.tasks.drop(turn.live)
    }
    const told = A2AError.is(error)
    if (!told) this.#options.report(error)
    turn.refuse(told ? error : new A2AError('INTERNAL'))
  }
}

export const shuttingDown = (): A2AError => new A2AError('INTERNAL', 'The agent is shutting down: ask again')

export const taskEnded = (): A2AError =>
  new A2AError('UNSUPPORTED_OPERATION', 'The task has ended and takes nothing more')
