/**
 * One call of another agent (spec a2a 8.1): in its conversation, on the task that waits for an answer if one does, with
 * progress, and cancelled there when it is aborted here. The message id comes from the call id: a replay is the same
 * message, which an agent answers without doing the work twice.
 */
import {
  type Artifact,
  applyUpdate,
  type Draft,
  type Message,
  type Part,
  type RemoteAgent,
  STREAM_RESUME,
  type StreamResponse,
  type Task,
} from '@aetherkit/a2a/client'
import { blake3, toHex } from '@aetherkit/core'
import { type A2AContext, type AgentConversation, conversationKey, type OpenTask } from './a2a-context.js'
import { fromAgent } from './a2a-error.js'
import { type AgentAnswer, openTaskOf, type Told, textOf, viewAnswer } from './a2a-output.js'
import { orAbort } from './deadline.js'
import type { Json } from './json.js'
import type { RunOptions } from './tool-definition.js'
import { ToolError } from './tool-error.js'
import { shortText } from './untrusted-text.js'

export interface Peer {
  /** As the application calls it. */
  readonly name: string
  readonly agent: RemoteAgent
}

export interface AgentOrder {
  readonly parts: readonly Part[]
  /** Id of the skill that is meant. */
  readonly skill?: string | undefined
  /** Leaves the task that waits. */
  readonly startOver: boolean
  /** Of the application's own keeping, where it shows ids to the model. */
  readonly contextId?: string | undefined
  readonly taskId?: string | undefined
}

const MAX_CALLS = 32
const PROGRESS_MS = 250
/** How long an aborted call waits to learn which task it is to cancel, and for the cancel, ms. */
const LEARN_MS = 2_000
const CANCEL_MS = 5_000

/** @throws ToolError; the reason of the signal; PaymentError as the agent's policy */
export function callAgent(
  ctx: A2AContext,
  peer: Peer,
  order: AgentOrder,
  options: RunOptions,
): Promise<AgentAnswer> {
  const key = conversationKey(ctx.threadId, peer.name)
  const work = ctx.inTurn(key, () => {
    options.signal?.throwIfAborted()
    return converse(ctx, key, peer, order, options)
  })
  return orAbort(options.signal, work)
}

async function converse(
  ctx: A2AContext,
  key: string,
  { name, agent }: Peer,
  order: AgentOrder,
  options: RunOptions,
): Promise<AgentAnswer> {
  const { callId } = options
  const known = (await ctx.conversations.get(key)) ?? {}
  const open = order.startOver ? undefined : known.open
  const replayed = callId === undefined ? undefined : known.calls?.[callId]
  if (replayed === undefined) refuseUnasked(ctx, key, open)
  const place = replayed ?? {
    contextId: order.contextId ?? known.contextId,
    taskId: order.taskId ?? open?.taskId,
  }
  const calls = callId === undefined ? known.calls : withCall(known.calls, callId, place)
  const remember = async (change: Pick<AgentConversation, 'contextId' | 'open'>): Promise<void> => {
    if (change.open === undefined) ctx.pending.delete(key)
    else ctx.pending.set(key, change.open)
    await ctx.conversations.set(key, { ...change, ...(calls && { calls }) })
  }
  await ctx.conversations.set(key, { ...known, ...(calls && { calls }) })

  const draft: Draft = {
    messageId: messageIdOf(ctx.threadId, name, callId),
    parts: order.parts,
    ...(place.contextId !== undefined && { contextId: place.contextId }),
    ...(place.taskId !== undefined && { taskId: place.taskId }),
    ...(order.skill !== undefined && { metadata: { skill: order.skill } }),
  }
  try {
    const told = await follow(name, agent, draft, options)
    const next = openTaskOf(told)
    const { contextId } = told.task ?? {}
    const kept = contextId !== undefined && contextId !== '' ? { contextId } : withContext(known)
    await remember({ ...kept, ...(next !== undefined && { open: next }) })
    return viewAnswer(ctx.conversations, told)
  } catch (error) {
    const failure = fromAgent(error)
    // What the task waited for is over, one way or the other.
    const isOver =
      options.signal?.aborted === true || (ToolError.is(failure) && failure.code !== 'PEER_TIMEOUT')
    if (isOver && place.taskId !== undefined) await remember(withContext(known))
    throw failure
  }
}

const withContext = ({ contextId }: AgentConversation): Pick<AgentConversation, 'contextId'> =>
  contextId === undefined ? {} : { contextId }

/** After a restart no gate knew of the question: it is told now, and the next call is asked about. */
function refuseUnasked(ctx: A2AContext, key: string, open: OpenTask | undefined): void {
  if (open?.consent === undefined || ctx.pending.has(key)) return
  ctx.pending.set(key, open)
  throw new ToolError({
    code: 'NEEDS_APPROVAL',
    message: 'the agent waits for the decision of a human: ask the user, then call again with the answer',
    retryable: true,
  })
}

/** The task until it rests, or the direct message. */
async function follow(name: string, agent: RemoteAgent, draft: Draft, options: RunOptions): Promise<Told> {
  const { signal, onProgress } = options
  const leave = new AbortController()
  let task: Task | undefined
  let message: Message | undefined
  let toldAt = 0
  const progress = (state: string, more: { [key: string]: Json } = {}): void => {
    onProgress?.({ agent: name, state, ...more })
  }
  const cancel = (id: string): void => {
    leave.abort(signal?.reason)
    agent.cancel(id, { timeoutMs: CANCEL_MS }).catch(() => {})
  }
  const answered = typeof draft === 'object' && 'taskId' in draft ? draft.taskId : undefined
  let learning: ReturnType<typeof setTimeout> | undefined
  const abort = (): void => {
    const id = task?.id ?? answered
    if (id !== undefined) cancel(id)
    else learning = setTimeout(() => leave.abort(signal?.reason), LEARN_MS)
  }
  signal?.addEventListener('abort', abort, { once: true })
  if (signal?.aborted === true) abort()
  try {
    for await (const event of answersOf(agent, draft, leave.signal)) {
      if ('message' in event) message = event.message
      else task = applyUpdate(task ?? blankTask(event), event)
      if (signal?.aborted === true) {
        if (task !== undefined) cancel(task.id)
        throw signal.reason
      }
      if ('statusUpdate' in event) {
        const said = event.statusUpdate.status.message
        const words = said === undefined ? {} : { untrusted_text: shortText(textOf(said.parts), 500) }
        progress(stateName(event.statusUpdate.status.state), words)
      } else if ('artifactUpdate' in event && Date.now() - toldAt >= PROGRESS_MS) {
        toldAt = Date.now()
        progress('streaming', { characters: lengthOf(task?.artifacts ?? []) })
      }
    }
  } finally {
    clearTimeout(learning)
    signal?.removeEventListener('abort', abort)
  }
  return toldBy(name, task, message)
}

/**
 * Servers of the reference SDK refuse to stream the answer to a task unless its executor announces the task again, which
 * most do not: other agents than those of this kit are waited for.
 */
async function* answersOf(
  agent: RemoteAgent,
  draft: Draft,
  signal: AbortSignal,
): AsyncGenerator<StreamResponse, void> {
  const isAnswer = typeof draft === 'object' && 'taskId' in draft && draft.taskId !== undefined
  const isOurs = agent.card.capabilities.extensions?.some(({ uri }) => uri === STREAM_RESUME) === true
  if (isAnswer && !isOurs) yield await agent.send(draft, { signal })
  else yield* agent.stream(draft, { signal })
}

function toldBy(agent: string, task: Task | undefined, message: Message | undefined): Told {
  if (message !== undefined) {
    const { contextId } = message
    const at = contextId === undefined || task !== undefined ? task : undefined
    return { agent, state: 'message', message, artifacts: [], task: at }
  }
  if (task === undefined)
    throw new ToolError({ code: 'REJECTED', message: 'the agent answered with nothing' })
  const { status, artifacts = [] } = task
  switch (status.state) {
    case 'TASK_STATE_COMPLETED':
      return { agent, state: 'completed', message: status.message, artifacts, task }
    case 'TASK_STATE_INPUT_REQUIRED':
      return { agent, state: 'input-required', message: status.message, artifacts, task }
    case 'TASK_STATE_AUTH_REQUIRED':
      return { agent, state: 'auth-required', message: status.message, artifacts, task }
    default: {
      const said = textOf(status.message?.parts ?? [])
      throw new ToolError({
        code: 'REJECTED',
        message: `the task is ${stateName(status.state)}`,
        ...(said !== '' && { untrusted_text: shortText(said, 1_000) }),
      })
    }
  }
}

function blankTask(event: Parameters<typeof applyUpdate>[1]): Task {
  if ('task' in event) return event.task
  const at =
    'statusUpdate' in event
      ? event.statusUpdate
      : 'artifactUpdate' in event
        ? event.artifactUpdate
        : undefined
  return { id: at?.taskId ?? '', contextId: at?.contextId ?? '', status: { state: 'TASK_STATE_SUBMITTED' } }
}

const stateName = (state: string): string => state.replace('TASK_STATE_', '').toLowerCase().replace('_', '-')

const lengthOf = (artifacts: readonly Artifact[]): number =>
  artifacts.reduce((sum, { parts }) => sum + parts.reduce((own, { text = '' }) => own + text.length, 0), 0)

function messageIdOf(threadId: string, agent: string, callId: string | undefined): string {
  if (callId === undefined) return crypto.randomUUID()
  return `call-${toHex(blake3(new TextEncoder().encode(JSON.stringify([threadId, agent, callId])))).slice(0, 40)}`
}

function withCall(
  calls: AgentConversation['calls'] = {},
  callId: string,
  { contextId, taskId }: { readonly contextId?: string | undefined; readonly taskId?: string | undefined },
): NonNullable<AgentConversation['calls']> {
  const others = Object.entries(calls).filter(([id]) => id !== callId)
  const own = { ...(contextId !== undefined && { contextId }), ...(taskId !== undefined && { taskId }) }
  return Object.fromEntries([...others.slice(1 - MAX_CALLS), [callId, own]])
}
