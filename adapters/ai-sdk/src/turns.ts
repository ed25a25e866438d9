/** Turns of a conversation as messages of the AI SDK: begun, answered, finished, stopped, rebuilt. */
import {
  askApproval,
  type Ending,
  type Execution,
  type Json,
  readApproval,
  recalled,
  type Task,
  type Turn,
} from '@aetherkit/a2a'
import type { AiRun, ModelApproval, ModelMessage } from './ai-agent.js'
import { CHAT, readChatNote } from './chat-wire.js'
import { userMessage } from './message-parts.js'
import { answerOf, userMessageOf } from './ui-message.js'
import type { Written } from './write-chunks.js'

/** `id`: the caller's own name for the message. */
export function newTurn({ message, task, resumed }: Execution, id = message.messageId): Turn {
  // The question is not held any more: the answer means nothing now, and what it was about is done anew.
  const first = resumed ? task.history?.find(({ role }) => role === 'ROLE_USER') : undefined
  const { parts } = first ?? message
  return { id, taskId: task.id, messages: [json(userMessage(parts))] }
}

/** The answer to what a turn asks, for the model; or what to ask again. */
export function answeredTurn(turn: Turn, execution: Execution): { turn: Turn } | { ending: Ending } {
  const { asked = [], ...rest } = turn
  const decisions = readApproval(execution, asked)
  if (decisions === undefined) return { ending: askApproval(asked, 'That was no answer.') }
  const content = decisions.map(
    ({ id, approved, reason }): ModelApproval => ({
      type: 'tool-approval-response',
      approvalId: id,
      approved,
      ...(reason !== undefined && { reason }),
    }),
  )
  return { turn: { ...rest, messages: [...turn.messages, json({ role: 'tool', content })] } }
}

/** With what the model said, and what it asks for. */
export async function finishedTurn(
  turn: Turn,
  run: AiRun,
  { asked }: Written,
): Promise<{ turn: Turn; ending: Ending | undefined }> {
  const messages = [...turn.messages, ...(await run.messages()).map(json)]
  if (asked.length === 0) return { turn: { ...turn, messages }, ending: undefined }
  return { turn: { ...turn, messages, asked }, ending: askApproval(asked) }
}

/** A run that was cut off: what the caller said, and the words that were out by then. */
export function stoppedTurn(turn: Turn, text: string): { turn: Turn; ending: undefined } {
  const said = turn.messages.slice(0, 1)
  const words: Json[] = text === '' ? [] : [{ role: 'assistant', content: text }]
  return { turn: { ...turn, messages: [...said, ...words] }, ending: undefined }
}

/** From what the tasks tell: texts and files, no tool calls. */
export function rebuiltTurns(tasks: readonly Task[]): readonly Turn[] {
  return recalled(tasks).map(({ taskId, message, answer }) => {
    const { message: id, reply } = readChatNote(message.metadata?.[CHAT]) ?? {
      message: message.messageId,
      reply: taskId,
    }
    const words: Json[] = answer === '' ? [] : [{ role: 'assistant', content: answer }]
    const shown = [userMessageOf(id, message), ...(answer === '' ? [] : [answerOf(reply, answer)])]
    return { id, taskId, messages: [json(userMessage(message.parts)), ...words], shown }
  })
}

/** Turns that wait for an answer are left out: a call without a result is none a provider takes. */
export function promptOf(before: readonly Turn[], turn: Turn, maxTurns: number): ModelMessage[] {
  const told = before.filter(({ asked }) => asked === undefined).slice(1 - maxTurns)
  // Kept as JSON, in the form in which the SDK made them: a copy, which the SDK may change.
  return JSON.parse(JSON.stringify([...told, turn].flatMap(({ messages }) => messages)))
}

const json = (value: unknown): Json => JSON.parse(JSON.stringify(value))
