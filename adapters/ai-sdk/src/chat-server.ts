/** The agent's side of a chat (chat-wire.ts has the law): the run's chunks into its log, the turns into the head. */
import type { Agent, Execution, Json, Turn } from '@aetherkit/a2a'
import { CallError, type Client, MAX_NOTE_BYTES, openLog, putNote, type Served } from '@aetherkit/client'
import { CHAT, CHAT_ACTION, type ChatHead, headName, readChatNote, runName } from './chat-wire.js'
import type { TurnObserver } from './executor.js'
import type { UiChunk, UiMessage } from './ui-chunk.js'
import { approved, userMessageOf } from './ui-message.js'

export interface ChatOptions {
  /** How long the chunks of an answer can be read again, ms; an hour by default. */
  readonly runMs?: number
  /** How long a chat can be read again after its last turn, ms; a week by default. */
  readonly chatMs?: number
  /** Hears of relays that do not keep a chat; the answer itself goes on. */
  readonly onError?: (error: unknown) => void
}

const HOUR_MS = 3_600_000
const WEEK_MS = 7 * 24 * HOUR_MS
/** A2A messages of one task: an answer, and one more for each time that approval was asked. */
const MAX_RUNS = 32

/** A2A envelopes that come as calls. */
export function serveEnvelopes(agent: Pick<Agent, 'dispatch'>, client: Client): Served {
  return client.serve(CHAT_ACTION, async (payload, { from, signal }) => {
    const reply = await agent.dispatch({
      body: JSON.stringify(payload),
      version: '1.0',
      extensions: undefined,
      caller: { owner: `aether:${from}`, anonymous: false },
      tenant: '',
      carrier: 'events',
      peer: from,
      signal,
    })
    if (reply.kind === 'single') return JSON.parse(JSON.stringify(reply.envelope))
    throw new CallError('UNSUPPORTED', 'streams are read from the log of the run')
  })
}

/** For `aiSdkExecutor`: undefined for an execution that is no turn of a chat. */
export function observeChat(
  client: Client,
  execution: Execution,
  options: ChatOptions,
): TurnObserver | undefined {
  const { context, message, task, request } = execution
  const reader = context.caller.owner.startsWith('aether:')
    ? context.caller.owner.slice('aether:'.length)
    : undefined
  const note = readChatNote(message.metadata?.[CHAT])
  if (reader === undefined || note === undefined) return undefined
  const { runMs = HOUR_MS, chatMs = WEEK_MS, onError = () => {} } = options
  const { messageId } = request.message
  const log = openLog(client, { reader, name: runName(messageId), expiresAt: Date.now() + runMs, onError })
  const earlier = task.history?.filter(({ metadata }) => readChatNote(metadata?.[CHAT]) !== undefined) ?? []
  const runs = [...new Set([...earlier.map((one) => one.messageId), messageId])].slice(-MAX_RUNS)
  const state: { before: Json[]; reply: UiMessage | undefined } = { before: [], reply: undefined }

  const put = async (shown: readonly (readonly Json[])[], open: boolean): Promise<void> => {
    let turns = shown
    const headOf = (): Json => {
      const head: ChatHead = { messages: turns.flat(), runs, taskId: task.id, reply: note.reply, open }
      return JSON.parse(JSON.stringify({ v: 1, ...head }))
    }
    // The oldest turns go when it is more than a note takes.
    while (
      turns.length > 1 &&
      new TextEncoder().encode(JSON.stringify(headOf())).length > MAX_NOTE_BYTES - 64
    )
      turns = turns.slice(1)
    try {
      await putNote(client, headOf(), {
        reader,
        name: headName(task.contextId),
        expiresAt: Date.now() + chatMs,
      })
    } catch (error) {
      onError(error)
    }
  }

  return {
    turnId: note.message,
    ui: {
      get originalMessages() {
        return approved(state.before, execution)
      },
      generateMessageId: () => note.reply,
      onFinish: ({ responseMessage }) => {
        state.reply = responseMessage
      },
    },
    begin(turns) {
      const turn = turns.at(-1)
      state.before = [...(turn?.shown ?? [userMessageOf(note.message, message)])]
      return put([...turns.slice(0, -1).map(shownOf), state.before.slice(0, 1)], true)
    },
    chunk: (chunk: UiChunk) =>
      log.append(JSON.parse(JSON.stringify(isCutOff(chunk, execution) ? CUT_OFF : chunk))),
    shown(turn: Turn) {
      const reply: Json[] = state.reply === undefined ? [] : [JSON.parse(JSON.stringify(state.reply))]
      return { ...turn, shown: [...state.before.slice(0, 1), ...reply] }
    },
    async end(turns) {
      // Whoever has read the log to its end finds the answer in the head.
      await put(turns.map(shownOf), false)
      await log.end()
    },
  }
}

/** Not the user's doing: the agent shuts down, or its time is over. */
const isCutOff = ({ type }: UiChunk, { signal }: Execution): boolean =>
  type === 'abort' && !(signal.reason instanceof Error && signal.reason.message === 'canceled')

const CUT_OFF: UiChunk = { type: 'error', errorText: 'The agent stopped before the end of its answer.' }

const shownOf = ({ shown = [] }: Turn): readonly Json[] => shown
