/** SendMessage and SendStreamingMessage (spec a2a 2.5, 2.6). */
import type { CallContext, Engine, Numbered } from '../engine.js'
import { A2AError } from '../errors.js'
import type { Limits } from '../limits.js'
import type { SendMessageRequest, SendMessageResponse } from '../model.js'
import type { Acceptor } from './accept.js'
import { checkSend, type Modes } from './check.js'
import type { Subscription } from './subscription.js'
import { withHistory, withHistoryEach } from './view.js'

export interface MessageOptions {
  readonly acceptor: Acceptor
  readonly limits: Limits
  readonly modes: Modes
  readonly streaming: boolean
}

export function messageOperations(options: MessageOptions): Pick<Engine, 'send' | 'stream'> {
  const { acceptor, limits, modes } = options

  async function send(request: SendMessageRequest, context: CallContext): Promise<SendMessageResponse> {
    checkSend(request, limits, modes)
    const { historyLength, returnImmediately = false } = request.configuration ?? {}
    const accepted = await acceptor.accept(request, context)
    if ('message' in accepted) return accepted
    if ('task' in accepted) return { task: withHistory(accepted.task, historyLength, limits.historyDefault) }
    const { turn } = accepted
    await orGone<unknown>(returnImmediately ? turn.shown.promise : turn.outcome.promise, context.signal)
    if (turn.reply !== undefined) return { message: turn.reply }
    const outcome = returnImmediately || context.signal?.aborted ? undefined : await turn.outcome.promise
    const task = outcome && 'task' in outcome ? outcome.task : turn.live.snapshot()
    return { task: withHistory(task, historyLength, limits.historyDefault) }
  }

  async function* stream(request: SendMessageRequest, context: CallContext): AsyncGenerator<Numbered, void> {
    if (!options.streaming) throw new A2AError('UNSUPPORTED_OPERATION', 'This agent does not stream')
    checkSend(request, limits, modes)
    const { historyLength } = request.configuration ?? {}
    let reader: Subscription | undefined
    const accepted = await acceptor.accept(request, context, (turn) => {
      reader = turn.live.subscribe(undefined, turn)
    })
    if ('message' in accepted) return yield { seq: 0, event: accepted }
    if ('task' in accepted) {
      const task = withHistory(accepted.task, historyLength, limits.historyDefault)
      return yield { seq: accepted.seq, event: { task } }
    }
    const { turn } = accepted
    reader ??= turn.live.subscribe(undefined, turn)
    try {
      await orGone(turn.shown.promise, context.signal)
      if (turn.reply !== undefined) return yield { seq: 0, event: { message: turn.reply } }
      yield* withHistoryEach(reader.read(context.signal), historyLength, limits.historyDefault)
    } finally {
      turn.live.unsubscribe(reader)
    }
  }

  return { send, stream }
}

/** A caller that is gone waits no longer; what it waited for goes on. */
async function orGone<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<void> {
  if (signal === undefined) return void (await promise)
  let leave = (): void => {}
  const gone = new Promise<void>((resolve) => {
    leave = resolve
    signal.addEventListener('abort', leave)
    if (signal.aborted) resolve()
  })
  await Promise.race([promise, gone]).finally(() => signal.removeEventListener('abort', leave))
}
