/** An answer that was made at once, as the stream that it would have been. */
import type { Generated, Streamed } from './ai-agent.js'
import type { UiChunk } from './ui-chunk.js'

export async function generatedAsStream(answer: Generated | PromiseLike<Generated>): Promise<Streamed> {
  const result = await answer
  return {
    response: result.response,
    responseMessages: result.responseMessages,
    // Throws where the agent has no output specification.
    get output() {
      return result.output
    },
    toUIMessageStream: () => chunksOf(result),
  }
}

async function* chunksOf({ text, content }: Generated): AsyncGenerator<UiChunk> {
  yield { type: 'start' }
  if (text !== '') {
    yield { type: 'text-start', id: '0' }
    yield { type: 'text-delta', id: '0', delta: text }
    yield { type: 'text-end', id: '0' }
  }
  for (const part of content as readonly { readonly type: string; readonly [key: string]: unknown }[]) {
    if (part.type === 'file') {
      const { base64, mediaType } = part.file as { readonly base64: string; readonly mediaType: string }
      yield { type: 'file', url: `data:${mediaType};base64,${base64}`, mediaType }
    }
    if (part.type !== 'tool-approval-request') continue
    const call = part.toolCall as {
      readonly toolCallId: string
      readonly toolName: string
      readonly input: unknown
    }
    const { toolCallId, toolName, input } = call
    yield { type: 'tool-input-available', toolCallId, toolName, input }
    yield { type: 'tool-approval-request', approvalId: String(part.approvalId), toolCallId }
  }
  yield { type: 'finish' }
}
