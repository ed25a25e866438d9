/**
 * A chat of `useChat` as A2A over Aether events: what is said, what is kept at the relays, and under which names. Both
 * sides are addressed by public key; relays see sealed events.
 *
 *   call      a JSON-RPC envelope of A2A 1.0, the payload of the action `a2a` (a call of @aetherkit/client): the same
 *             dispatch, tasks and owner (`aether:<author>`) as over every other carrier. A turn is SendMessage with
 *             `returnImmediately`, stop is CancelTask, a look at a silent agent is GetTask.
 *   message   contextId = chat id; metadata[CHAT] = {message, reply}: the ids of the user's message in the chat and of the
 *             answer to come. An id that the chat has already replaces that turn and all behind it (edit, regenerate).
 *             Answers to approvals go to the task that asks, as in A2A.
 *   run       the UI chunks of one answer: a sealed log (`openLog` of @aetherkit/client) for the user, named
 *             `run:<messageId>` after the A2A message. Stored while it is written: one way for live and for reload.
 *   head      a sealed note (`putNote`) named `chat:<chat id>`: {v: 1, messages, runs, taskId, reply, open}: the finished
 *             messages, and the runs that make the answer after them, in order. `open`: it is still being written.
 *
 * Runs expire an hour after their beginning, heads a week after the last turn, unless the agent says otherwise. A reader
 * replays the runs of the head and goes on live; entries are numbered, so that nothing is lost or doubled.
 */
import type { Json, JsonRecord } from '@aetherkit/client'

export const CHAT = 'https://aetherkit.dev/ext/ui-chat/v1'
export const CHAT_ACTION = 'a2a'

export const runName = (messageId: string): string => `run:${messageId}`
export const headName = (chatId: string): string => `chat:${chatId}`

/** In the metadata of a message. */
export interface ChatNote {
  readonly message: string
  readonly reply: string
}

export interface ChatHead {
  /** As `useChat` has them, oldest first. */
  readonly messages: readonly Json[]
  /** A2A message ids. */
  readonly runs: readonly string[]
  readonly taskId: string
  readonly reply: string
  readonly open: boolean
}

const MAX_ID = 128

export function readChatNote(value: unknown): ChatNote | undefined {
  if (!isRecord(value)) return undefined
  const { message, reply } = value
  return isId(message) && isId(reply) ? { message, reply } : undefined
}

export function readHead(value: Json | undefined): ChatHead | undefined {
  if (!isRecord(value) || value.v !== 1) return undefined
  const { messages, runs, taskId, reply, open } = value
  if (!Array.isArray(messages) || !Array.isArray(runs) || !runs.every(isId)) return undefined
  if (!isId(taskId) || !isId(reply)) return undefined
  return { messages, runs, taskId, reply, open: open === true }
}

const isId = (value: unknown): value is string =>
  typeof value === 'string' && value.length >= 1 && value.length <= MAX_ID

export const isRecord = (value: unknown): value is JsonRecord =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
