/**
 * What is run: an agent of `ai` 6 or 7 (`agent-v1`), or a function around `streamText`; either way one stream of UI chunks
 * and the messages that the model made.
 */
import { generatedAsStream } from './generated.js'
import type { UiChunk, UiMessage } from './ui-chunk.js'

/** A message to the model, in the form that both majors take. What a model said earlier is kept in its own form. */
export type ModelMessage =
  | { role: 'user'; content: ({ type: 'text'; text: string } | ModelFile)[] }
  | { role: 'assistant'; content: string }
  | { role: 'tool'; content: ModelApproval[] }

export interface ModelFile {
  type: 'file'
  /** Base64, or an http URL. */
  data: string
  mediaType: string
  filename?: string
}

export interface ModelApproval {
  type: 'tool-approval-response'
  approvalId: string
  approved: boolean
  reason?: string
}

export interface AiCall {
  messages: ModelMessage[]
  abortSignal: AbortSignal
  /** Signs what is asked, and checks the signature of what is answered. */
  experimental_toolApprovalSecret?: string | Uint8Array
}

export interface UiStreamOptions {
  originalMessages?: UiMessage[]
  generateMessageId?: () => string
  onError?: (error: unknown) => string
  onFinish?: (event: { responseMessage: UiMessage }) => void
}

interface Answered {
  readonly response: unknown
  /** In `ai` 7, whose `response` is that of the last step. */
  readonly responseMessages?: unknown
  readonly output?: unknown
}
/** What `streamText` and `agent.stream` give. */
export interface Streamed extends Answered {
  toUIMessageStream(options?: unknown): AsyncIterable<unknown>
}
/** What `generateText` and `agent.generate` give. */
export interface Generated extends Answered {
  readonly text: string
  readonly content: readonly unknown[]
}

/** `ToolLoopAgent` and everything with its methods; `tools` makes the skills of the card. */
interface AiAgentObject {
  readonly tools?: Readonly<Record<string, unknown>> | undefined
  stream?(call: unknown): Streamed | PromiseLike<Streamed>
  generate?(call: unknown): Generated | PromiseLike<Generated>
}
export type AiAgent = AiAgentObject | ((call: AiCall) => Streamed | PromiseLike<Streamed>)

export interface AiRun {
  readonly chunks: AsyncIterable<UiChunk>
  /** Once the chunks are over, without an error or an abort among them. */
  messages(): Promise<readonly unknown[]>
  /** The structured output; undefined when the agent has none. */
  output(): Promise<unknown>
}

/** @throws TypeError for an agent that can do neither; whatever the agent throws */
export async function runAgent(agent: AiAgent, call: AiCall, ui: UiStreamOptions): Promise<AiRun> {
  const result = await start(agent, call)
  return {
    chunks: result.toUIMessageStream(ui) as AsyncIterable<UiChunk>,
    async messages() {
      const all = (await result.responseMessages) as readonly unknown[] | undefined
      return all ?? ((await result.response) as { readonly messages: readonly unknown[] }).messages
    },
    async output() {
      try {
        const output = await result.output
        return typeof output === 'object' && output !== null ? output : undefined
      } catch {
        // Both majors throw for an agent without an output specification.
        return undefined
      }
    },
  }
}

function start(agent: AiAgent, call: AiCall): Streamed | PromiseLike<Streamed> {
  if (typeof agent === 'function') return agent(call)
  if (agent.stream !== undefined) return agent.stream(call)
  if (agent.generate !== undefined) return generatedAsStream(agent.generate(call))
  throw new TypeError('agent: expected stream, generate, or a function')
}
