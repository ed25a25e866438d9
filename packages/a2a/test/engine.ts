/** An engine, callers, and messages for it. */
import { afterEach } from 'vitest'
import { createEngine, type EngineOptions } from '../src/engine/create.js'
import type { CallContext, Engine, Numbered } from '../src/engine.js'
import type { Executor } from '../src/executor.js'
import type { Message, SendMessageRequest, SendMessageResponse, Task } from '../src/model.js'

const opened: Engine[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((engine) => engine.close()))
})

/** Closed after the test. What went wrong inside is in `errors`. */
export function engineOf(
  execute: Executor['execute'] | Executor,
  options: Omit<EngineOptions, 'executor'> = {},
): Engine & { readonly errors: unknown[] } {
  const errors: unknown[] = []
  const executor = typeof execute === 'function' ? { execute } : execute
  const engine = createEngine({ executor, onError: (error) => errors.push(error), ...options })
  opened.push(engine)
  return Object.assign(engine, { errors })
}

export const as = (owner: string, more: Partial<CallContext> = {}): CallContext => ({
  caller: { owner, anonymous: owner === 'anonymous' },
  tenant: '',
  version: '1.0',
  carrier: 'jsonrpc',
  extensions: new Set(),
  activate() {},
  ...more,
})

export const alice = as('bearer:alice')
export const bob = as('bearer:bob')
export const nobody = as('anonymous')

let messages = 0
export const say = (
  text: string,
  message: Partial<Message> = {},
  configuration?: SendMessageRequest['configuration'],
): SendMessageRequest => ({
  message: { messageId: `m${++messages}`, role: 'ROLE_USER', parts: [{ text }], ...message },
  ...(configuration && { configuration }),
})

export const now = { returnImmediately: true } as const

export function taskOf(response: SendMessageResponse): Task {
  if ('task' in response) return response.task
  throw new Error('a message, not a task')
}

export async function collect(stream: AsyncIterable<Numbered>): Promise<Numbered[]> {
  const items: Numbered[] = []
  for await (const item of stream) items.push(item)
  return items
}

/** What is in an event, in a word: `SUBMITTED` of a snapshot, `+text` of a chunk, `message`. */
export function brief({ event }: Numbered): string {
  if ('message' in event) return 'message'
  if ('task' in event) return `task ${event.task.status.state.replace('TASK_STATE_', '')}`
  if ('statusUpdate' in event) return event.statusUpdate.status.state.replace('TASK_STATE_', '')
  const { artifact, append } = event.artifactUpdate
  return `${append === true ? '+' : '='}${artifact.parts.map(({ text }) => text ?? '?').join('')}`
}

export const stateOf = (task: Task): string => task.status.state.replace('TASK_STATE_', '')

export const textOf = (task: Task, artifact = 0): string =>
  (task.artifacts?.[artifact]?.parts ?? []).map(({ text }) => text ?? '').join('')

export const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'no error',
    (error: { code: string }) => error.code,
  )

/** The first item, by which the call is accepted or refused; the stream goes on. */
export async function begun(
  stream: AsyncIterable<Numbered>,
): Promise<{ first: Numbered; rest: Promise<Numbered[]> }> {
  const iterator = stream[Symbol.asyncIterator]()
  const { value, done } = await iterator.next()
  if (done === true) throw new Error('an empty stream')
  return { first: value, rest: collect({ [Symbol.asyncIterator]: () => iterator }) }
}

export interface Gate {
  readonly opened: Promise<void>
  open(): void
}

export function gate(): Gate {
  let open = (): void => {}
  const promise = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened: promise, open }
}

/** What an executor does that stops when it is told to. */
export const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    const stop = (): void => reject(new Error('aborted'))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
