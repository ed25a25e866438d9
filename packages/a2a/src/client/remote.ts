/** The operations of a remote agent over its session: deadlines, retries, streams that go on, and payment. */

import { isDeepStrictEqual } from 'node:util'
import { applyUpdate } from '../engine/apply.js'
import type { AgentCard, JsonRecord, Message, SendMessageResponse, StreamResponse, Task } from '../model.js'
import type { OperationName } from '../operations.js'
import { paidTaskOf, paymentRequiredOf } from '../payment/x402.js'
import { asJson } from '../read-fields.js'
import { compact } from '../read-message.js'
import { type Calls, openCalls } from './calls.js'
import { checkList, checkPush, checkPushes, checkSendResult, checkTask } from './check.js'
import { type Deadline, orAborted } from './deadline.js'
import { AgentError, invalidAnswer } from './errors.js'
import { type FollowOptions, follow, type Start } from './follow.js'
import type { Payer } from './payment.js'
import { type MessageOptions, messageOf, type RemoteAgent, type RemoteCallOptions } from './remote-agent.js'
import { mayHaveArrived, type Repeatable, type RetryOptions, withRetries } from './retry.js'
import type { Session, Stay } from './session.js'
import { Telling } from './tell.js'

export interface Timeouts {
  /** Of a question, ms. */
  readonly call: number
  /** Of a message that waits for its result, ms. */
  readonly send: number
  /** Of a stream as a whole, ms. */
  readonly stream: number
  /** Silence after which a stream counts as broken, ms. */
  readonly idle: number
}

export interface RemoteParts {
  readonly session: Session
  readonly payer: Payer | undefined
  readonly timeouts: Timeouts
  readonly retry: RetryOptions
  readonly streams: boolean
  /** Of the interface that is spoken at that moment. */
  readonly isIdempotent: () => boolean
  /** Checks, and verifies, a card that the agent answers with. */
  readonly readCard: (card: unknown, signal: AbortSignal) => Promise<AgentCard>
}

export type RemoteOperations = Omit<
  RemoteAgent,
  'card' | 'cardUrl' | 'pays' | 'verifiedBy' | 'interface' | 'request' | 'close'
> & {
  readonly calls: Calls
}

export function remoteOperations(parts: RemoteParts): RemoteOperations {
  const { session, payer, timeouts, retry, streams, isIdempotent } = parts
  const calls = openCalls()
  const repeatable = (): Repeatable => (isIdempotent() ? 'always' : 'unsent')
  // What was paid for over one interface would be paid again over another.
  const stay: Stay | undefined = payer === undefined ? undefined : 'interface'

  const ask = (call: Deadline, operation: OperationName, params: JsonRecord): Promise<unknown> => {
    const { signal } = call
    return withRetries(always, retry, signal, () =>
      session.call(operation, params, { signal, timeoutMs: leftOf(call) }),
    )
  }
  const question = <T>(
    operation: OperationName,
    params: object,
    { signal, timeoutMs = timeouts.call }: RemoteCallOptions,
    read: (result: unknown, signal: AbortSignal) => T | Promise<T>,
  ): Promise<T> =>
    calls.run(timeoutMs, signal, operation, async (call) =>
      read(await ask(call, operation, asJson(compact(params))), call.signal),
    )

  /** A message is paid once, whatever is repeated. */
  const keyed = ({ messageId }: Message): Record<string, string> =>
    payer === undefined ? {} : { 'idempotency-key': messageId }

  const sendOnce = async (
    call: Deadline,
    message: Message,
    configuration: MessageOptions['configuration'],
    signal = call.signal,
  ): Promise<SendMessageResponse> => {
    const params = asJson(compact({ message, configuration }))
    const headers = keyed(message)
    let reach: Stay | undefined = stay
    const send = async (): Promise<unknown> => {
      try {
        const options = { signal, timeoutMs: leftOf(call), headers, stay: reach }
        return await session.call('SendMessage', params, options)
      } catch (error) {
        // The agent knows the message id again where it knows the caller again.
        if (mayHaveArrived(error)) reach ??= 'caller'
        throw error
      }
    }
    return checkSendResult(await withRetries(repeatable, retry, signal, send))
  }

  const settle = async (call: Deadline, task: Task): Promise<Task> => {
    const requirements = paymentRequiredOf(task)
    if (requirements === undefined) return task
    if (payer === undefined) throw unpaid(task, requirements)
    const paid = await payer.pay(task, session.binding.url, call.signal, async (message, cut) => {
      const result = await sendOnce(call, message, undefined, cut)
      if ('task' in result) return result.task
      throw invalidAnswer('the answer to a payment is no task')
    })
    return usedFor(call, paid)
  }
  const usedFor = async (call: Deadline, task: Task): Promise<Task> => {
    const other = paidTaskOf(task)
    return other === undefined ? task : checkTask(await ask(call, 'GetTask', { id: other }))
  }

  const following = (call: Deadline, message?: Message): FollowOptions => ({
    session,
    signal: call.signal,
    timeLeft: () => call.left(),
    // The carrier of events has its own eye on its streams.
    idleMs: () =>
      session.binding.url.startsWith('aether:') ? Math.max(timeouts.idle, timeouts.stream) : timeouts.idle,
    streams,
    isIdempotent,
    stay,
    retry,
    ...(message !== undefined && { headers: keyed(message) }),
  })

  async function* streamed(
    start: Start,
    { signal, timeoutMs = timeouts.stream }: RemoteCallOptions,
    message?: Message,
  ): AsyncGenerator<StreamResponse, void> {
    const call = calls.open(timeoutMs, signal, start.operation)
    const telling = new Telling()
    try {
      call.signal.throwIfAborted()
      let events: AsyncIterable<StreamResponse> = follow(start, following(call, message))
      while (true) {
        let held: Task | undefined
        for await (const event of events) {
          const task = taskAfter(event)
          const terms = task && paymentRequiredOf(task)
          if (task !== undefined && terms !== undefined && (payer !== undefined || message !== undefined)) {
            if (payer === undefined) throw unpaid(task, terms)
            held = task
            break
          }
          yield* telling.tell(event)
        }
        if (held === undefined || payer === undefined) return
        events = await payAndFollow(call, payer, held)
      }
    } catch (error) {
      throw call.signal.aborted ? call.signal.reason : error
    } finally {
      call.stop()
    }
  }

  /** The stream that the payment opens, from its first event. */
  const payAndFollow = async (
    call: Deadline,
    by: Payer,
    held: Task,
  ): Promise<AsyncIterable<StreamResponse>> => {
    let heard: StreamResponse[] = []
    let stream: AsyncGenerator<StreamResponse, void> | undefined
    let attempt: Deadline | undefined
    const paid = await by.pay(held, session.binding.url, call.signal, async (message, cut) => {
      attempt?.stop()
      void stream?.return().catch(() => {})
      attempt = calls.open(call.left(), call.signal, 'payment')
      stream = follow(
        { operation: 'SendStreamingMessage', params: asJson({ message }) },
        following(attempt, message),
      )
      heard = []
      let task = held
      while (true) {
        const next = await orAborted(cut ?? call.signal, stream.next())
        if (next.done === true) return task
        if ('message' in next.value) throw invalidAnswer('the answer to a payment is no task')
        heard.push(next.value)
        task = applyUpdate(task, next.value)
        // Neither the old hold nor a task that is looked at says what became of the payment.
        const isDecided =
          !isDeepStrictEqual(task.status, held.status) && task.status.state !== 'TASK_STATE_SUBMITTED'
        if (isDecided) return task
      }
    })
    const task = await usedFor(call, paid)
    const opened = { stream, attempt }
    return (async function* (): AsyncGenerator<StreamResponse, void> {
      try {
        if (task !== paid) return yield { task }
        yield* heard
        if (opened.stream !== undefined) yield* opened.stream
      } finally {
        // A reader who has seen enough in what was heard never comes to the stream itself.
        opened.attempt?.stop()
        void opened.stream?.return().catch(() => {})
      }
    })()
  }

  return {
    calls,
    send(draft, options = {}) {
      const message = messageOf(draft, options)
      return calls.run(options.timeoutMs ?? timeouts.send, options.signal, 'SendMessage', async (call) => {
        const result = await sendOnce(call, message, options.configuration)
        return 'task' in result ? { task: await settle(call, result.task) } : result
      })
    },
    stream(draft, options = {}) {
      const message = messageOf(draft, options)
      const params = asJson(compact({ message, configuration: options.configuration }))
      return streamed({ operation: 'SendStreamingMessage', params }, options, message)
    },
    get: (id, { historyLength, ...options } = {}) =>
      question('GetTask', { id, historyLength }, options, checkTask),
    list: (request = {}, options = {}) => question('ListTasks', request, options, checkList),
    cancel: (id, options = {}) => question('CancelTask', { id }, options, checkTask),
    subscribe: (id, options = {}) => streamed({ operation: 'SubscribeToTask', params: { id } }, options),
    pay: (task, { signal, timeoutMs = timeouts.send } = {}) =>
      calls.run(timeoutMs, signal, 'payment', (call) => settle(call, task)),
    push: {
      create: (config, options = {}) =>
        question('CreateTaskPushNotificationConfig', config, options, checkPush),
      get: (taskId, id, options = {}) =>
        question('GetTaskPushNotificationConfig', { taskId, id }, options, checkPush),
      list: (taskId, { pageSize, pageToken, ...options } = {}) =>
        question('ListTaskPushNotificationConfigs', { taskId, pageSize, pageToken }, options, checkPushes),
      delete: (taskId, id, options = {}) =>
        question('DeleteTaskPushNotificationConfig', { taskId, id }, options, () => undefined),
    },
    extendedCard: (options = {}) => question('GetExtendedAgentCard', {}, options, parts.readCard),
  }
}

const always = (): Repeatable => 'always'

const leftOf = (call: Deadline): number => Math.max(1, Math.ceil(call.left()))

function unpaid(task: Task, requirements: JsonRecord): AgentError {
  return new AgentError(
    'PAYMENT_REQUIRED',
    'the agent asks for payment, and this client has no budget for it',
    {
      task,
      requirements,
    },
  )
}

/** As far as an event tells it: enough to see what the task waits for. */
function taskAfter(event: StreamResponse): Task | undefined {
  if ('task' in event) return event.task
  if (!('statusUpdate' in event)) return undefined
  const { taskId: id, contextId, status } = event.statusUpdate
  return { id, contextId, status }
}
