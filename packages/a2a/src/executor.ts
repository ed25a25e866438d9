/**
 * The seam to whatever does the work (spec a2a 1, layer 5): a LangGraph graph, an AI SDK agent, a set of tools, a
 * function. It gets one execution and writes to it; the engine numbers, coalesces, stores and sends what was written.
 */
import type { CallContext } from './engine.js'
import type { JsonRecord, Message, Part, SendMessageRequest, Task } from './model.js'

export interface Execution {
  /** As it is when the work begins: `status` is WORKING, `history` ends with the message that came in. */
  readonly task: Task
  /** What to work on: the message that came in or, where that one lifts a hold (`Admission`), the one that was held. */
  readonly message: Message
  readonly request: SendMessageRequest
  readonly context: Omit<CallContext, 'activate' | 'signal' | 'header'>
  /** The task was in INPUT_REQUIRED or AUTH_REQUIRED and this message answers. */
  readonly resumed: boolean
  /** Cancelled, over its deadline, or the agent shuts down. */
  readonly signal: AbortSignal
  /** Text parts of the message, joined by newlines. */
  readonly text: string
  /** The first data part. */
  readonly data: JsonRecord | undefined
  /** Appends text to an artifact that is streamed: `result` unless named. Coalesced, at most 50 ms or 8 KiB late. */
  write(
    text: string,
    artifact?: { readonly id: string; readonly name?: string; readonly mediaType?: string },
  ): void
  /** A whole artifact; the same id again replaces it. */
  artifact(artifact: {
    readonly id?: string
    readonly name?: string
    readonly description?: string
    readonly parts: readonly Part[]
    readonly metadata?: JsonRecord
  }): void
  /** WORKING with a message for the human who waits. */
  progress(text: string, metadata?: JsonRecord): void
  /** Resolves when the store keeps up with what was written, and readers have had a moment to: for producers of much. */
  drained(): Promise<void>
}

/** How an execution ended; undefined is `completed`. */
export type Ending =
  | {
      readonly state: 'completed'
      readonly message?: string | readonly Part[]
      readonly metadata?: JsonRecord
    }
  | {
      readonly state: 'input-required' | 'auth-required'
      readonly message: string | readonly Part[]
      readonly metadata?: JsonRecord
    }
  /** `message` goes to the caller: it is not an exception's text. */
  | { readonly state: 'failed' | 'rejected'; readonly message: string; readonly metadata?: JsonRecord }
  /**
   * No task at all: a direct reply. Needs `directReply`, and nothing written; otherwise, and for a caller that asked to
   * return immediately, it is `completed` with these parts as its message.
   */
  | { readonly state: 'message'; readonly parts: readonly Part[]; readonly metadata?: JsonRecord }

export interface Executor {
  /** An exception fails the task with a generic text; its own text goes to `onError`. */
  // biome-ignore lint/suspicious/noConfusingVoidType: an executor that returns nothing at its end is a plain function
  execute(execution: Execution): Promise<Ending | undefined | void>
  /** `false` when the work cannot be stopped: cancel is then refused with TASK_NOT_CANCELABLE. */
  readonly cancelable?: boolean
  /** It may end with `message`. Callers then see the task at the first write or at the end, not at the start. */
  readonly directReply?: boolean
  /** After a restart: `true` runs `execute` again for this task, `false` (default) fails it as interrupted. */
  recover?(task: Task): boolean | Promise<boolean>
}
