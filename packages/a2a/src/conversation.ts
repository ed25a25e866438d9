/**
 * What a model was told in one A2A context, for executors whose framework keeps no threads itself (spec a2a 8.2). It is
 * kept outside of the tasks: with tool calls, results and open questions, in the framework's own JSON.
 *
 * A store in memory forgets with the process. Then the texts of the context's tasks are what is left, where the tasks are
 * durable (`recalled`): who said what, without tool calls, and without the questions that were open.
 */
import { createHash } from 'node:crypto'
import type { State } from '@aetherkit/client'
import type { AskedApproval } from './approval.js'
import type { Execution } from './executor.js'
import type { Json, Message, Task } from './model.js'

/** A message of the caller and what came of it. */
export interface Turn {
  /** Of the message. */
  readonly id: string
  readonly taskId: string
  /** The framework's messages, from the caller's on. */
  readonly messages: readonly Json[]
  /** What waits for an answer: until then the turn is not told to the model again. */
  readonly asked?: readonly AskedApproval[]
  /** The same for a reader's eyes, in the framework's own form. */
  readonly shown?: readonly Json[]
}

export interface Conversation {
  /** In the order they were finished. */
  readonly turns: readonly Turn[]
}

/** Where conversations are kept. The key is 64 characters of hex and of one owner and context alone. */
export interface ConversationStore {
  get(key: string): Promise<Conversation | undefined>
  set(key: string, conversation: Conversation): Promise<void>
}

const MIB = 1024 * 1024

/** In this process: the `max` conversations used last, in `maxBytes` of JSON. */
export function memoryConversations({ max = 1000, maxBytes = 64 * MIB } = {}): ConversationStore {
  const texts = new Map<string, string>()
  let size = 0
  const drop = (key: string): void => {
    size -= texts.get(key)?.length ?? 0
    texts.delete(key)
  }
  const keep = (key: string, text: string): void => {
    drop(key)
    texts.set(key, text)
    size += text.length
    for (const oldest of texts.keys()) {
      if (texts.size <= max && size <= maxBytes) return
      drop(oldest)
    }
  }
  return {
    async get(key) {
      const text = texts.get(key)
      if (text === undefined) return undefined
      keep(key, text)
      return JSON.parse(text)
    },
    async set(key, conversation) {
      keep(key, JSON.stringify(conversation))
    },
  }
}

/** Owners and tenants are apart: a context id of one is nothing to another. */
export function conversationKey({ context, task }: Pick<Execution, 'context' | 'task'>): string {
  const place = [context.tenant, context.caller.owner, task.contextId]
  return createHash('sha256').update(JSON.stringify(place)).digest('hex')
}

/** One execution of a conversation at a time, in the order they came. */
export function createQueue(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>()
  return async (key, work) => {
    const before = last.get(key)
    const turn = (async () => {
      await before?.catch(() => {})
      return work()
    })()
    last.set(key, turn)
    try {
      return await turn
    } finally {
      if (last.get(key) === turn) last.delete(key)
    }
  }
}

/** What is left of a context in its tasks, in their order: what the caller said, and the text of the artifacts. */
export function recalled(
  tasks: readonly Task[],
): readonly { readonly taskId: string; readonly message: Message; readonly answer: string }[] {
  return tasks
    .filter(({ status }) => status.state === 'TASK_STATE_COMPLETED')
    .flatMap(({ id: taskId, history = [], artifacts = [] }) => {
      const message = history.find(({ role }) => role === 'ROLE_USER')
      const answer = artifacts.flatMap(({ parts }) => parts.flatMap(({ text }) => text ?? [])).join('\n')
      return message === undefined ? [] : [{ taskId, message, answer }]
    })
}

/** Conversations as sealed state at relays (`openState` of @aetherkit/client): kept until `state.clear(['conversation'])`. */
export function stateConversations(state: Pick<State, 'get' | 'put'>): ConversationStore {
  const pathOf = (key: string) => ['conversation', key]
  return {
    async get(key) {
      const value = await (await state.get(pathOf(key)))?.read()
      return value && JSON.parse(new TextDecoder().decode(value))
    },
    set: (key, conversation) =>
      state.put(pathOf(key), new TextEncoder().encode(JSON.stringify(conversation))),
  }
}
