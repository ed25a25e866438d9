/** What of a chat's messages is new to the agent: it has the conversation. */
import type { Part } from '@aetherkit/a2a'
import type { UiMessage } from './ui-chunk.js'
import { decisionsOf, partsOf } from './ui-message.js'

export interface ChatDraft {
  readonly parts: readonly Part[]
  /** Of the user's message that is answered. */
  readonly userId: string
  /** Of the answer to come. */
  readonly reply: string
  /** To what a tool asked, in a task that waits. */
  readonly isAnswer: boolean
}

/**
 * The last message; with the id of an answer, the approvals in it.
 * @throws TypeError for nothing to send, a part that no agent takes, and an answer that goes on without an approval
 */
export function draftOf(messages: readonly UiMessage[], messageId: string | undefined): ChatDraft {
  const meant = messages.find(({ id, role }) => id === messageId && role === 'assistant') ?? messages.at(-1)
  const user = messages.findLast(({ role }) => role === 'user')
  if (meant === undefined || user === undefined) throw new TypeError('there is no message to send')
  if (meant.role !== 'assistant')
    return { parts: partsOf(user), userId: user.id, reply: crypto.randomUUID(), isAnswer: false }
  const approvals = decisionsOf(meant)
  if (approvals.length === 0)
    throw new TypeError('an answer goes on after an approval only: tools run at the agent')
  return { parts: [{ data: { approvals } }], userId: user.id, reply: meant.id, isAnswer: true }
}
