/**
 * A LangGraph graph behind an A2A agent (spec a2a 8.2): a context is a thread, tokens stream into one artifact, an
 * interrupt asks the caller for input and his answer resumes the graph. Threads and interrupts need a graph with a
 * checkpointer, such as `AetherSaver`.
 */
import { conversationKey, type Ending, type Execution, type Executor } from '@aetherkit/a2a'
import { AIMessage, type BaseMessage } from '@langchain/core/messages'
import { Command } from '@langchain/langgraph'
import { inputOf } from './graph-input.js'
import { type Interrupted, pendingOf, question, readAnswer } from './interrupts.js'
import { messageWriter } from './message-writer.js'

/** What `createAgent` and every compiled graph have. */
export interface StreamableGraph {
  stream(input: unknown, config?: unknown): Promise<AsyncIterable<unknown>>
  /** Without it, an answer goes to the one interrupt that there is. */
  getState?(config: unknown): Promise<unknown>
}

export interface LangGraphExecutorOptions {
  /** The graph's input for a message; `{ messages: [a user's message] }`, with files as content blocks, by default. */
  readonly input?: (execution: Execution) => unknown
  /** What an answered interrupt returns in the graph; its decisions for a `humanInTheLoopMiddleware`, else the data, else the text. */
  readonly resume?: (execution: Execution) => unknown
  /** The result when no message streams, from the last state; the text of the last AI message by default. */
  readonly output?: (state: unknown) => string | undefined
  /** The thread; by default a hash of tenant, owner and context, so that nobody reaches another's by its context id. */
  readonly threadId?: (execution: Execution) => string
  /** More for `configurable`, beside `thread_id`. */
  readonly configurable?: (execution: Execution) => Readonly<Record<string, unknown>>
  /** Steps of one run, 25 by default as in LangGraph. */
  readonly recursionLimit?: number
}

interface State {
  readonly messages?: readonly BaseMessage[]
  readonly structuredResponse?: unknown
}

export function langgraphExecutor(graph: StreamableGraph, options: LangGraphExecutorOptions = {}): Executor {
  const { input = inputOf, output = lastText, threadId = conversationKey, recursionLimit } = options

  const start = async (
    execution: Execution,
    configurable: object,
  ): Promise<{ input: unknown } | { ending: Ending }> => {
    const pending = execution.resumed ? pendingOf(await graph.getState?.({ configurable })) : []
    // Nothing is held that could be resumed, after a restart without a durable checkpointer: the task begins anew.
    if (!execution.resumed || (graph.getState !== undefined && pending.length === 0))
      return { input: input(execution.resumed ? beginning(execution) : execution) }
    if (options.resume !== undefined) return { input: new Command({ resume: options.resume(execution) }) }
    const answer = readAnswer(execution, pending)
    if (answer === undefined) return { ending: question(pending, 'That was no answer.') }
    return { input: new Command({ resume: answer.resume }) }
  }

  return {
    async execute(execution): Promise<Ending | undefined> {
      const configurable = { ...options.configurable?.(execution), thread_id: threadId(execution) }
      const started = await start(execution, configurable)
      if ('ending' in started) return started.ending
      const stream = await graph.stream(started.input, {
        configurable,
        streamMode: ['messages', 'updates', 'values'],
        signal: execution.signal,
        ...(recursionLimit !== undefined && { recursionLimit }),
      })
      const writer = messageWriter(execution)
      let state: State = {}
      let interrupts: readonly Interrupted[] = []
      for await (const chunk of stream as AsyncIterable<readonly [string, unknown]>) {
        const [mode, value] = chunk
        if (mode === 'values') state = value as State
        if (mode === 'messages') await writer.write((value as readonly [BaseMessage])[0])
        const found =
          mode === 'updates' && (value as { readonly __interrupt__?: readonly Interrupted[] }).__interrupt__
        if (found) interrupts = [...interrupts, ...found]
      }
      if (interrupts.length > 0) return question(interrupts)
      const text = writer.hasWritten ? undefined : output(state)
      if (text !== undefined) execution.write(text)
      const { structuredResponse } = state
      if (structuredResponse !== undefined)
        execution.artifact({ id: 'data', parts: [{ data: JSON.parse(JSON.stringify(structuredResponse)) }] })
      return undefined
    },
  }
}

/** The task as it was first asked for. */
function beginning(execution: Execution): Execution {
  const message = execution.task.history?.find(({ role }) => role === 'ROLE_USER') ?? execution.message
  const text = message.parts.flatMap((part) => part.text ?? []).join('\n')
  return { ...execution, message, text, data: undefined, resumed: false }
}

const lastText = (state: unknown): string | undefined =>
  (state as State).messages?.findLast((message) => AIMessage.isInstance(message))?.text
