/**
 * An AI SDK agent behind an A2A agent (spec a2a 8.2): one conversation a context, tokens into one artifact, a tool that
 * needs approval asks the caller and goes on with his answer.
 */
import {
  type ConversationStore,
  conversationKey,
  createQueue,
  type Ending,
  type Execution,
  type Executor,
  memoryConversations,
  type Task,
  type Turn,
} from '@aetherkit/a2a'
import { type AiAgent, type AiCall, type AiRun, runAgent, type UiStreamOptions } from './ai-agent.js'
import { answeredTurn, finishedTurn, newTurn, promptOf, rebuiltTurns, stoppedTurn } from './turns.js'
import type { UiChunk } from './ui-chunk.js'
import { writeChunks } from './write-chunks.js'

export interface AiSdkExecutorOptions {
  /** In this process unless given: 1000 conversations in 64 MiB. */
  readonly conversations?: ConversationStore
  /** Turns of one conversation that the model is told; 100 by default. */
  readonly maxTurns?: number
  /** At least 32 bytes, the same in all processes: approvals are signed with it (`experimental_toolApprovalSecret`). */
  readonly approvalSecret?: string | Uint8Array
  /** More for the agent's call, such as `options` of an agent with a `callOptionsSchema`. */
  readonly call?: (execution: Execution) => Readonly<Record<string, unknown>>
  /** Says which tool is at work, in status updates; true unless given. */
  readonly progress?: boolean
  /** Ended tasks of the context, oldest first, for a conversation that is not held any more. */
  readonly recall?: (execution: Execution) => Promise<readonly Task[]>
  readonly observe?: (execution: Execution) => TurnObserver | undefined
}

/** Whoever wants the UI chunks of an execution as well. */
export interface TurnObserver {
  /** The caller's own name for his message: a turn with the same name, and all behind it, is replaced. */
  readonly turnId?: string
  readonly ui: UiStreamOptions
  begin(turns: readonly Turn[]): void | Promise<void>
  chunk(chunk: UiChunk): void
  /** What the turn shows, once its chunks are over. */
  shown(turn: Turn): Turn
  end(turns: readonly Turn[]): Promise<void>
}

export function aiSdkExecutor(agent: AiAgent, options: AiSdkExecutorOptions = {}): Executor {
  const { conversations = memoryConversations(), maxTurns = 100, recall, approvalSecret: secret } = options
  const queue = createQueue()

  const take = async (execution: Execution, key: string): Promise<Ending | undefined> => {
    execution.signal.throwIfAborted()
    const held = await conversations.get(key)
    const turns = held?.turns ?? rebuiltTurns((await recall?.(execution)) ?? [])
    const observer = options.observe?.(execution)
    const asked = turns.find(({ taskId, asked }) => taskId === execution.task.id && asked !== undefined)
    const answered = asked && answeredTurn(asked, execution)
    if (answered !== undefined && 'ending' in answered) return answered.ending
    const turn = answered?.turn ?? newTurn(execution, observer?.turnId)
    const at = turns.findIndex(({ id }) => id === turn.id)
    const before =
      at < 0 ? turns : asked === undefined ? turns.slice(0, at) : turns.filter(({ id }) => id !== turn.id)
    const keep = (last: readonly Turn[]) => {
      const kept = [...before, ...last].slice(-maxTurns)
      return conversations.set(key, { turns: kept }).then(() => kept)
    }
    // An answer counts once: from here on the question is gone, whatever becomes of this run.
    if (asked !== undefined) await keep([])
    await observer?.begin([...before, turn])
    const call: AiCall = {
      ...options.call?.(execution),
      messages: promptOf(before, turn, maxTurns),
      abortSignal: execution.signal,
      ...(secret !== undefined && { experimental_toolApprovalSecret: secret }),
    }
    let last: readonly Turn[] = []
    try {
      const failure: { error?: unknown } = {}
      const ui = { ...observer?.ui, onError: (error: unknown) => scrub(error, failure) }
      const run: AiRun = await runAgent(agent, call, ui)
      const wrote = await writeChunks(run.chunks, execution, {
        progress: options.progress !== false,
        observer,
      })
      if (wrote.failed && !wrote.aborted)
        throw failure.error ?? new Error('the agent failed without an error')
      const done = wrote.aborted ? stoppedTurn(turn, wrote.text) : await finishedTurn(turn, run, wrote)
      last = [observer?.shown(done.turn) ?? done.turn]
      const output = wrote.aborted ? undefined : await run.output()
      if (output !== undefined)
        execution.artifact({ id: 'data', parts: [{ data: JSON.parse(JSON.stringify(output)) }] })
      return done.ending
    } finally {
      // A turn that failed was never said.
      const kept = await keep(last)
      await observer?.end(kept)
    }
  }

  return {
    execute(execution) {
      const key = conversationKey(execution)
      return queue(key, () => take(execution, key))
    },
  }
}

const SCRUBBED = 'An error occurred.'

/** The error is for the agent's owner; the caller reads this, and the SDK may report it again as an error of its own. */
function scrub(error: unknown, failure: { error?: unknown }): string {
  if (!(error instanceof Error && error.message === SCRUBBED)) failure.error = error
  return SCRUBBED
}
