/**
 * The execution itself (spec a2a 6.2 no. 5, 8 and 10; 7.6; 7.8): the executor with its signal, its deadline and its
 * writer, until it ends or is not waited for any longer. What it does after that has no effect.
 */
import type { Ending, Executor } from '../executor.js'
import type { Limits } from '../limits.js'
import type { JsonRecord, Message } from '../model.js'
import { createExecution } from './execution.js'
import type { LiveTask } from './live-task.js'
import type { LiveTasks } from './live-tasks.js'
import { mergeMetadata, type Stamp, statusOf } from './status.js'
import type { Stop, Turn } from './turn.js'
import { within } from './within.js'
import { type Sink, Writer } from './writer.js'

export type Ended =
  | { readonly ending: Ending | undefined }
  | { readonly error: unknown }
  | { readonly stop: Stop }

export interface PerformOptions extends Stamp {
  readonly executor: Executor
  readonly limits: Limits
  readonly tasks: LiveTasks
  readonly report: (error: unknown) => void
}

export interface Work {
  readonly turn: Turn
  readonly message: Message
  readonly resumed: boolean
  /** On every status. */
  readonly metadata: JsonRecord | undefined
}

/** The longest timer there is. */
const MAX_TIMER_MS = 2 ** 31 - 1
/** Bytes, at least half of all, that wait for the store before a producer that asks waits with them. */
const MAX_UNSAVED = 1024 * 1024
/** It waits for readers that are behind each time so much of their bound was published, and not for long. */
const WAIT_EVERY = 1 / 16
const WAIT_MS = 250

export async function perform(work: Work, options: PerformOptions): Promise<Ended> {
  const { turn, message, resumed } = work
  const { executor, limits } = options
  const { live } = turn
  const writer = new Writer(sinkOf(work, options), limits, turn.recovered)
  const execution = createExecution({
    turn,
    task: live.snapshot(),
    message,
    request: { ...turn.request, message },
    resumed,
    writer,
    keptUp: pacing(live, options),
  })
  turn.working = true
  turn.executed = true
  const deadline = setTimeout(() => turn.cut('deadline'), Math.min(limits.executionMs, MAX_TIMER_MS))
  const ended = await Promise.race([
    Promise.resolve()
      .then(() => executor.execute(execution))
      .finally(turn.release)
      .then(
        (ending) => ({ ending: ending ?? undefined }),
        (error: unknown) => ({ error }),
      ),
    turn.stopped.promise.then((stop) => ({ stop })),
  ])
  clearTimeout(deadline)
  if (!('stop' in ended)) await Promise.race([writer.flush(), turn.stopped.promise])
  writer.close()
  turn.working = false
  return ended
}

/**
 * A producer that asks waits for the store, and a moment for its readers: one that keeps up is not cut, one that does
 * not cannot hold the task up.
 */
function pacing(live: LiveTask, { tasks, limits }: PerformOptions): () => Promise<void> {
  let waited = live.publishedBytes
  return async () => {
    const unsaved = Math.max(MAX_UNSAVED, live.publishedBytes / 2)
    if (live.unsavedBytes > unsaved && live.isStored) await tasks.save(live)
    if (live.publishedBytes - waited < limits.streamBytes * WAIT_EVERY) return
    waited = live.publishedBytes
    const relieved = Promise.all(Array.from(live.subscriptions, (reader) => reader.relieved()))
    await within(relieved, WAIT_MS).catch(() => {})
  }
}

/** Said so by the executor itself: one that was asked to stop and returns nothing has stopped. */
export const hasFinished = (ended: Ended): boolean => 'ending' in ended && ended.ending?.state === 'completed'

function sinkOf({ turn, metadata }: Work, options: PerformOptions): Sink {
  const { live } = turn
  let showing = false
  const publish = (change: () => void): void => {
    change()
    if (live.isStored || showing) return
    showing = true
    void show(turn, options)
  }
  return {
    hasArtifact: (id) => live.hasArtifact(id),
    artifact: (update) => {
      if (turn.isCut) return
      if (live.wouldOverflow(update)) turn.cut('overflow')
      else publish(() => live.putArtifact(update))
    },
    progress: (text, own) => {
      if (turn.isCut) return
      const said = mergeMetadata(metadata, own)
      const outcome = { state: 'TASK_STATE_WORKING', message: text, ...(said && { metadata: said }) } as const
      publish(() => live.progress(statusOf(live, outcome, options)))
    },
  }
}

/** A task that was hidden because it might have become a direct reply. */
async function show(turn: Turn, { tasks, report }: PerformOptions): Promise<void> {
  try {
    if (await tasks.save(turn.live)) turn.shown.resolve()
  } catch (error) {
    report(error)
  }
}
