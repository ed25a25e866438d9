/** A2A 1.0 envelopes to an agent on the relays, as calls of a client (chat-wire.ts): works in a browser. */
import type { Client, Json, JsonRecord } from '@aetherkit/client'
import { CHAT_ACTION, isRecord } from './chat-wire.js'

export interface TaskState {
  readonly id: string
  readonly state: string
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number | undefined
}

/** Calls are repeated until they are answered, under one id, so that a message is taken once. */
export class ChatCalls {
  readonly #client: Pick<Client, 'request'>
  readonly #agent: string

  constructor(client: Pick<Client, 'request'>, agent: string) {
    this.#client = client
    this.#agent = agent
  }

  /** Resolves when the agent has taken the message. */
  async send(message: JsonRecord, options?: CallOptions): Promise<TaskState> {
    const configuration = { returnImmediately: true, historyLength: 0 }
    return taskIn(await this.#call('SendMessage', { message, configuration }, options))
  }

  async get(id: string, options?: CallOptions): Promise<TaskState> {
    return taskIn(await this.#call('GetTask', { id, historyLength: 0 }, options))
  }

  async cancel(id: string, options?: CallOptions): Promise<void> {
    await this.#call('CancelTask', { id }, options)
  }

  async #call(
    method: string,
    params: JsonRecord,
    { signal, timeoutMs }: CallOptions = {},
  ): Promise<JsonRecord> {
    const envelope = { jsonrpc: '2.0', id: crypto.randomUUID(), method, params }
    const answer = await this.#client.request(this.#agent, CHAT_ACTION, envelope, { signal, timeoutMs })
    if (!isRecord(answer)) throw new Error('the agent gave no answer')
    if (isRecord(answer.error)) throw new Error(`the agent refused: ${String(answer.error.message)}`)
    if (!isRecord(answer.result)) throw new Error('the agent gave no result')
    return answer.result
  }
}

/** Of a result that is a task or has one. */
function taskIn(result: JsonRecord): TaskState {
  const task = result.task ?? result
  const { id, status } = isRecord(task) ? task : {}
  const state: Json | undefined = isRecord(status) ? status.state : undefined
  if (typeof id !== 'string' || typeof state !== 'string') throw new Error('the agent gave no task')
  return { id, state }
}

/** An agent that does not answer may come back; after so many looks it is given up. */
const MAX_UNANSWERED = 6

/** For a log that is silent: whether the agent is still at its task. */
export function lookout(
  calls: ChatCalls,
  task: { readonly id?: string },
  options: CallOptions,
): () => Promise<boolean> {
  let unanswered = 0
  return async () => {
    if (task.id === undefined) return true
    try {
      const { state } = await calls.get(task.id, options)
      unanswered = 0
      return !isResting(state)
    } catch {
      return ++unanswered < MAX_UNANSWERED
    }
  }
}

/** Nothing more comes by itself. */
const isResting = (state: string): boolean =>
  state !== 'TASK_STATE_SUBMITTED' && state !== 'TASK_STATE_WORKING'
