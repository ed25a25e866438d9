/** What the models of a graph say, as the one artifact of a task. */
import type { Execution } from '@aetherkit/a2a'
import { AIMessage, AIMessageChunk, type BaseMessage } from '@langchain/core/messages'

/** Each message of the model behind the one before, apart; the tools that it calls as progress. */
export function messageWriter(execution: Execution) {
  let current: string | undefined
  let hasWritten = false
  return {
    get hasWritten() {
      return hasWritten
    },
    async write(message: BaseMessage): Promise<void> {
      if (!AIMessageChunk.isInstance(message) && !AIMessage.isInstance(message)) return
      const calls = AIMessageChunk.isInstance(message)
        ? (message.tool_call_chunks ?? [])
        : (message.tool_calls ?? [])
      for (const { name } of calls) if (name) execution.progress(`Using ${name}`)
      const { id = '', text } = message
      if (text === '') return
      execution.write(hasWritten && id !== current ? `\n\n${text}` : text)
      hasWritten = true
      current = id
      await execution.drained()
    },
  }
}
