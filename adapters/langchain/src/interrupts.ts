/**
 * Interrupts of a graph as questions of an A2A task, and answers as what the graph resumes with. The gate of
 * `humanInTheLoopMiddleware` is an approval (`askApproval` of @aetherkit/a2a); any other interrupt is asked in its own words,
 * its value beside them, and takes the data of the answer, else its text. Several at once are answered by id, or all alike.
 */
import {
  type AskedApproval,
  askApproval,
  type Ending,
  type Execution,
  type Json,
  readApproval,
} from '@aetherkit/a2a'

export interface Interrupted {
  readonly id?: string
  readonly value?: unknown
}

interface Gate {
  readonly actionRequests: readonly {
    readonly name: string
    readonly args: unknown
    readonly description?: string
  }[]
}

/** What a thread waits for, from the graph's state. */
export function pendingOf(state: unknown): readonly Interrupted[] {
  const { tasks = [] } = (state ?? {}) as {
    readonly tasks?: readonly { readonly interrupts?: readonly Interrupted[] }[]
  }
  return tasks.flatMap(({ interrupts = [] }) => interrupts)
}

export function question(interrupts: readonly Interrupted[], lead?: string): Ending {
  const asked = interrupts.flatMap(approvalsOf)
  if (asked.length > 0 && interrupts.every(({ value }) => isGate(value))) return askApproval(asked, lead)
  const words = [
    ...(lead === undefined ? [] : [lead]),
    ...interrupts.map(({ value }) => wordsOf(value)),
  ].join('\n')
  const [only, ...more] = interrupts
  if (more.length === 0 && typeof only?.value === 'string') return { state: 'input-required', message: words }
  const data: Json =
    more.length === 0
      ? json(only?.value)
      : { interrupts: interrupts.map(({ id, value }) => json({ id, value })) }
  return { state: 'input-required', message: [{ text: words }, { data }] }
}

/** Undefined for a text that decides nothing where a decision is wanted. */
export function readAnswer(
  execution: Pick<Execution, 'text' | 'data'>,
  interrupts: readonly Interrupted[],
): { readonly resume: unknown } | undefined {
  const { text, data } = execution
  const decisions = readApproval(execution, interrupts.flatMap(approvalsOf))
  const answers = interrupts.map((interrupt) => {
    const { id = '', value } = interrupt
    if (!isGate(value)) return { answer: data?.[id] ?? data ?? text }
    if (Array.isArray(data?.decisions)) return { answer: data }
    const own = approvalsOf(interrupt)
    const decided = decisions?.filter((decision) => own.some((one) => one.id === decision.id))
    return decided && { answer: { decisions: decided.map(decisionOf) } }
  })
  if (answers.includes(undefined)) return undefined
  if (answers.length < 2) return { resume: answers.length === 0 ? (data ?? text) : answers[0]?.answer }
  return { resume: Object.fromEntries(answers.map((each, at) => [interrupts[at]?.id ?? '', each?.answer])) }
}

const decisionOf = ({ approved, reason }: { readonly approved: boolean; readonly reason?: string }) =>
  approved ? { type: 'approve' } : { type: 'reject', ...(reason !== undefined && { message: reason }) }

function approvalsOf({ id = '', value }: Interrupted): readonly AskedApproval[] {
  if (!isGate(value)) return []
  return value.actionRequests.map(({ name, args, description }, at) => ({
    id: `${id}:${at}`,
    tool: name,
    input: json(args),
    ...(description !== undefined && { reason: description }),
  }))
}

const isGate = (value: unknown): value is Gate =>
  typeof value === 'object' &&
  value !== null &&
  'actionRequests' in value &&
  Array.isArray(value.actionRequests)

function wordsOf(value: unknown): string {
  if (typeof value === 'string') return value
  const { question: asked, description, message } = (value ?? {}) as Record<string, unknown>
  const words = [asked, description, message].find((one) => typeof one === 'string')
  return typeof words === 'string' ? words : 'Input is required to go on.'
}

const json = (value: unknown): Json => JSON.parse(JSON.stringify(value ?? null))
