/**
 * A stream that goes on (spec a2a 7.7): after a loss it subscribes again with jittered backoff, behind the last number
 * where updates are numbered, else from a snapshot; where there is nothing to subscribe to it asks for the task. It ends
 * with a message, or where the task rests.
 */
import { applyUpdate } from '../engine/apply.js'
import { isInterrupted, isTerminal, type JsonRecord, type StreamResponse, type Task } from '../model.js'
import { isRecord } from '../read-fields.js'
import { checkSendResult, checkTask } from './check.js'
import { orAborted, sleep, startDeadline } from './deadline.js'
import { AgentError } from './errors.js'
import { backoff, mayHaveArrived, pauseAfter, type RetryOptions } from './retry.js'
import type { Session, Stay } from './session.js'
import { startOf } from './tell.js'

export interface FollowOptions {
  readonly session: Session
  /** Of the whole. */
  readonly signal: AbortSignal
  readonly timeLeft: () => number
  /** Silence after which a stream counts as broken, ms. */
  readonly idleMs: () => number
  /** The agent streams; else it is asked again and again. */
  readonly streams: boolean
  /** The agent answers a message id once: a message may be sent again after a loss. */
  readonly isIdempotent: () => boolean
  readonly retry: RetryOptions
  readonly headers?: Readonly<Record<string, string>>
  /** How far a message may go from the interface that is spoken. */
  readonly stay: Stay | undefined
}

export type Start =
  | { readonly operation: 'SendStreamingMessage'; readonly params: JsonRecord }
  | {
      readonly operation: 'SubscribeToTask'
      readonly params: { readonly id: string }
      readonly after?: number
    }

/** Losses in a row until a task that runs is given up, without an event between them. */
const MAX_LOSSES = 8
const POLL_MS = { firstMs: 250, longestMs: 5_000 }

/** @throws AgentError; the signal's reason */
export async function* follow(start: Start, options: FollowOptions): AsyncGenerator<StreamResponse, void> {
  const { signal, retry } = options
  let task: Task | undefined
  let seq = start.operation === 'SubscribeToTask' ? start.after : undefined
  let isResumed = false
  let losses = 0
  let stay = options.stay
  let request: Start = start
  if (!options.streams) return yield* poll(start, undefined, options)
  while (true) {
    let failure: unknown
    try {
      for await (const incoming of connection(request, seq, { ...options, stay })) {
        losses = 0
        const { event } = incoming
        const isSnapshot = 'task' in event
        if (!isSnapshot && incoming.seq !== undefined && seq !== undefined && incoming.seq <= seq) continue
        seq = incoming.seq ?? seq
        if ('message' in event) return yield event
        const isFirst = task === undefined
        task = applyUpdate(task ?? ('task' in event ? event.task : startOf(event)), event)
        const { state } = task.status
        // The first is as the task was: what a message answers, or what a subscriber finds.
        const isOver = isTerminal(state) || (isInterrupted(state) && !isFirst)
        // Without numbers nobody knows what the agent sent between its snapshot and the stream behind it.
        if (isOver && isResumed && incoming.seq === undefined && !isSnapshot)
          yield { task: await get(task.id, options) }
        else yield event
        if (isOver) return
      }
    } catch (error) {
      signal.throwIfAborted()
      failure = error
      if (mayHaveArrived(error)) stay ??= 'caller'
    }
    if (task !== undefined && failure === undefined && isInterrupted(task.status.state)) return
    const subscribing: boolean = request.operation === 'SubscribeToTask'
    if (subscribing && AgentError.is(failure, 'UNSUPPORTED_OPERATION')) {
      const id = task?.id ?? String(request.params.id)
      return yield* poll({ operation: 'SubscribeToTask', params: { id } }, task, options)
    }
    const mayAsk = task !== undefined || subscribing ? 'always' : options.isIdempotent() ? 'always' : 'unsent'
    const pause = pauseOf(failure, mayAsk, losses, retry)
    losses += 1
    const most = task === undefined ? (retry.attempts ?? 3) : MAX_LOSSES
    if (pause === undefined || losses > most) throw failure ?? brokenOff()
    if (task !== undefined) {
      request = { operation: 'SubscribeToTask', params: { id: task.id } }
      isResumed = true
    }
    await sleep(pause, signal)
  }
}

const brokenOff = (): AgentError => new AgentError('UNREACHABLE', 'the stream ended before the task did')

function pauseOf(
  failure: unknown,
  repeatable: 'always' | 'unsent',
  losses: number,
  retry: RetryOptions,
): number | undefined {
  // An end without an end is a loss; the request had been taken.
  if (failure === undefined) return repeatable === 'always' ? backoff(losses, retry) : undefined
  if (repeatable === 'always' && AgentError.is(failure, 'TIMEOUT')) return backoff(losses, retry)
  return pauseAfter(failure, repeatable, losses, retry)
}

/** One connection; silence breaks it. */
async function* connection(request: Start, seq: number | undefined, options: FollowOptions) {
  const { session, signal, timeLeft, headers, stay } = options
  const idleMs = options.idleMs()
  const idle = startDeadline(idleMs, signal, 'silence of the stream')
  try {
    const events = session.stream(request.operation, request.params, {
      signal: idle.signal,
      timeoutMs: Math.max(1, Math.ceil(Math.min(timeLeft(), idleMs))),
      after: request.operation === 'SubscribeToTask' ? seq : undefined,
      heard: () => idle.extend(),
      stay,
      ...(headers !== undefined && { headers }),
    })
    const iterator = events[Symbol.asyncIterator]()
    try {
      while (true) {
        const next = await orAborted(idle.signal, iterator.next())
        if (next.done === true) return
        // A reader may take its time: that is no silence of the agent.
        idle.extend()
        yield next.value
        idle.extend()
      }
    } finally {
      void Promise.resolve(iterator.return?.()).catch(() => {})
    }
  } finally {
    idle.stop()
  }
}

/** Without streams: the task again and again, as it is. */
async function* poll(
  start: Start,
  known: Task | undefined,
  options: FollowOptions,
): AsyncGenerator<StreamResponse, void> {
  const { session, signal, timeLeft, headers, stay } = options
  let id: string
  let task = known
  if (start.operation === 'SubscribeToTask') id = start.params.id
  else {
    const { configuration, message } = start.params
    // What answers a task is waited for: the task at once is the one that asked.
    const returnImmediately = !isRecord(message) || message.taskId === undefined
    const params = { ...start.params, configuration: { ...(configuration as JsonRecord), returnImmediately } }
    const call = { signal, timeoutMs: Math.ceil(timeLeft()), stay, ...(headers !== undefined && { headers }) }
    const result = checkSendResult(await session.call('SendMessage', params, call))
    yield result
    if ('message' in result || isAtRest(result.task)) return
    task = result.task
    id = task.id
  }
  for (let round = 0; ; round += 1) {
    if (round > 0 || start.operation !== 'SubscribeToTask') await sleep(backoff(round, POLL_MS), signal)
    task = await get(id, options)
    yield { task }
    if (isAtRest(task)) return
  }
}

const isAtRest = ({ status: { state } }: Task): boolean => isTerminal(state) || isInterrupted(state)

async function get(id: string, { session, signal, timeLeft }: FollowOptions): Promise<Task> {
  const timeoutMs = Math.max(1, Math.ceil(timeLeft()))
  return checkTask(await session.call('GetTask', { id }, { signal, timeoutMs }))
}
