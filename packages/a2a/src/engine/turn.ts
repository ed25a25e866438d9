/**
 * One message on its way through a task: queued, admitted, executed, ended. A task has at most one turn that works
 * (spec a2a 6.2 no. 7); a caller that repeats the message joins the same turn (7.4).
 */
import type { CallContext } from '../engine.js'
import type { Message, SendMessageRequest, SendMessageResponse } from '../model.js'
import { deferred } from './deferred.js'
import type { LiveTask } from './live-task.js'

/** Why an execution is cut short: by its caller, its deadline, its own output, or the end of the process. */
export type Stop = 'canceled' | 'deadline' | 'overflow' | 'shutdown'

export interface TurnOptions {
  readonly live: LiveTask
  readonly request: SendMessageRequest
  readonly context: CallContext
  /** Its message made the task, and is in its history already. */
  readonly first: boolean
  /** Its execution was begun by a process that is dead: admitted then, and not asked for again. */
  readonly recovered?: boolean
  /** Key under which the message is remembered; undefined when it is not. */
  readonly onceKey?: string
  readonly release?: () => void
}

export class Turn {
  readonly live: LiveTask
  readonly request: SendMessageRequest
  readonly context: CallContext
  readonly first: boolean
  readonly recovered: boolean
  readonly onceKey: string | undefined
  readonly release: () => void
  /** The task is there for its caller and has taken the message, or queued it; rejects when it is refused. */
  readonly shown = deferred<void>()
  /** At a terminal or interrupted state. */
  readonly outcome = deferred<SendMessageResponse>()
  isOver = false
  /** The executor is asked to stop; it may take a moment. */
  readonly controller = new AbortController()
  /** It is not waited for any longer. */
  readonly stopped = deferred<Stop>()
  /** The lane of the task is free of it. */
  readonly ended = deferred<void>()
  /** The executor has it now; has or had it. */
  working = false
  executed = false
  stop: Stop | undefined
  /** Nobody waits for the executor: what it still writes has no effect. */
  isCut = false
  /** The direct reply that it ended with. */
  reply: Message | undefined

  constructor(options: TurnOptions) {
    this.live = options.live
    this.request = options.request
    this.context = options.context
    this.first = options.first
    this.recovered = options.recovered ?? false
    this.onceKey = options.onceKey
    this.release = options.release ?? (() => {})
  }

  /** Tells the executor to stop; the first reason stays. */
  abort(stop: Stop): void {
    this.stop ??= stop
    this.controller.abort(new Error(this.stop))
  }

  /** Ends the turn without waiting for the executor. */
  cut(stop: Stop): void {
    this.abort(stop)
    this.isCut = true
    this.stopped.resolve(stop)
  }

  finish(response: SendMessageResponse): void {
    if ('message' in response) this.reply = response.message
    this.isOver = true
    this.shown.resolve()
    this.outcome.resolve(response)
  }

  refuse(error: unknown): void {
    this.isOver = true
    this.shown.reject(error)
    this.outcome.reject(error)
  }
}
