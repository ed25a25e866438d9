/** One message to an A2A agent, or a look at one of its tasks, until the task rests; how that ends the command. */
import type { Message, Part, RemoteAgent, StreamResponse, Task, TaskState } from '@aetherkit/a2a/client'
import { agentFailure, paymentLine } from './agent-failure.js'
import { type AgentOutput, jsonOutput, textOf, textOutput } from './agent-output.js'
import { CommandError, type ExitName } from './exit.js'
import type { Session } from './session.js'

export interface TalkOptions {
  /** Empty: the task is only looked at. */
  readonly parts: readonly Part[]
  readonly task?: string | undefined
  readonly context?: string | undefined
  readonly messageId?: string | undefined
  /** Folder for files of the agent. */
  readonly save?: string | undefined
  /** ms */
  readonly timeoutMs: number
  /** As a shell would call it again, up to the flags. */
  readonly again: string
}

const ENDS: Partial<Record<TaskState, string>> = {
  TASK_STATE_FAILED: 'the task failed',
  TASK_STATE_REJECTED: 'the agent rejected the task',
  TASK_STATE_CANCELED: 'the task was cancelled',
}

type TaskEvent = Exclude<StreamResponse, { message: Message }>

/** @throws CommandError; the signal's reason */
export async function talk(session: Session, agent: RemoteAgent, options: TalkOptions): Promise<ExitName> {
  const output = (session.json ? jsonOutput : textOutput)(session, options.save)
  const { applyUpdate, isInterrupted, isTerminal } = await import('@aetherkit/a2a/client')
  let task: Task | undefined
  let last: StreamResponse | undefined
  try {
    for await (const event of eventsOf(session, agent, options)) {
      last = event
      if (!('message' in event)) {
        const known = task
        task = applyUpdate(task ?? startOf(event), event)
        if (known === undefined && options.task !== task.id)
          await output.note(`task ${task.id}, context ${task.contextId}`)
        await noteProgress(output, event)
      }
      await output.event(event)
    }
  } catch (error) {
    await output.end()
    const isOpen = task !== undefined && !isTerminal(task.status.state) && !isInterrupted(task.status.state)
    if (isOpen) session.note(`the task goes on: ${options.again} --task ${task?.id} (--cancel ends it)`)
    throw await agentFailure(error)
  }
  if (session.json && task !== undefined && !(last !== undefined && 'task' in last))
    await output.event({ task })
  if (task === undefined) {
    await output.end()
    if (last === undefined) throw new CommandError('peer', 'the agent answered nothing')
    return 'ok'
  }
  return endOf(output, task, options)
}

export async function cancelTask(
  session: Session,
  agent: RemoteAgent,
  id: string,
  timeoutMs: number,
): Promise<ExitName> {
  try {
    const task = await agent.cancel(id, { signal: session.signal, timeoutMs })
    await session.print(
      () => ({ task }),
      () => `task ${task.id} is ${stateName(task.status.state)}`,
    )
    return 'ok'
  } catch (error) {
    throw await agentFailure(error)
  }
}

/** `input-required` of `TASK_STATE_INPUT_REQUIRED`. */
function stateName(state: TaskState): string {
  return state
    .replace(/^TASK_STATE_/, '')
    .replaceAll('_', '-')
    .toLowerCase()
}

function eventsOf(
  { signal }: Session,
  agent: RemoteAgent,
  { parts, task, context, messageId, timeoutMs }: TalkOptions,
): AsyncIterable<StreamResponse> {
  if (parts.length === 0 && task !== undefined) return agent.subscribe(task, { signal, timeoutMs })
  return agent.stream(parts, { signal, timeoutMs, taskId: task, contextId: context, messageId })
}

/** Agents of 0.3 may begin with an update. */
function startOf(event: TaskEvent): Task {
  if ('task' in event) return event.task
  const { taskId: id, contextId } = 'statusUpdate' in event ? event.statusUpdate : event.artifactUpdate
  return { id, contextId, status: { state: 'TASK_STATE_SUBMITTED' } }
}

async function noteProgress(output: AgentOutput, event: TaskEvent): Promise<void> {
  const status =
    'statusUpdate' in event ? event.statusUpdate.status : 'task' in event ? event.task.status : undefined
  if (status?.state !== 'TASK_STATE_WORKING' || status.message === undefined) return
  const text = saidIn(status.message)
  if (text !== '') await output.note(`working: ${text}`)
}

/** What the task rests in, as an exit code. */
async function endOf(output: AgentOutput, task: Task, { again }: TalkOptions): Promise<ExitName> {
  const { state, message } = task.status
  const text = saidIn(message)
  const more = text === '' ? '' : `: ${text}`
  switch (state) {
    case 'TASK_STATE_COMPLETED':
      // An agent that made nothing has said what it has to say.
      if (output.isEmpty && message !== undefined) await output.parts(message.parts)
      else if (text !== '') await output.note(`completed: ${text}`)
      await output.end()
      return 'ok'
    case 'TASK_STATE_INPUT_REQUIRED': {
      await output.end()
      const terms = message?.metadata?.['x402.payment.required']
      if (isRecord(terms)) throw new CommandError('payment', await paymentLine(terms))
      await output.note(`the agent asks${more}`)
      await output.note(`answer with: ${again} --task ${task.id} <text>`)
      return 'input'
    }
    case 'TASK_STATE_AUTH_REQUIRED':
      await output.end()
      await output.note(`the agent asks for authorisation${more}`)
      return 'input'
    default:
      await output.end()
      throw new CommandError('peer', `${ENDS[state] ?? `the task is left ${stateName(state)}`}${more}`)
  }
}

function saidIn(message: Message | undefined): string {
  return textOf(message?.parts ?? []).trim()
}

function isRecord(value: unknown): value is Record<string, never> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
