/**
 * A human's yes or no over A2A (spec a2a 8.2): what an executor may not do on its own becomes INPUT_REQUIRED, and the next
 * message of the task decides it.
 *
 *   question   text, and a data part {approvals: [{id, tool, input?, reason?}]}
 *   answer     a data part {approvals: [{id, approved, reason?}]} that decides each, or {approved, reason?} for all; or
 *              text: `approve` or `yes` alone, `deny` or `no` with a reason behind it if there is one
 *
 * Only what was asked can be decided, and anything else is no answer: it is asked again and nothing is done.
 */
import type { Ending } from './executor.js'
import type { Json, JsonRecord } from './model.js'
import { isRecord } from './read-fields.js'

export interface AskedApproval {
  readonly id: string
  readonly tool: string
  /** As the model wrote it. */
  readonly input?: Json
  /** For the human. */
  readonly reason?: string
}

export interface ApprovalDecision {
  readonly id: string
  readonly approved: boolean
  readonly reason?: string
}

const MAX_REASON = 2_000
const YES = /^(?:approved?|yes|y|ok|okay|allow|confirm)[.!]?$/i
const NO = /^(?:den(?:y|ied)|no|n|reject(?:ed)?|declined?|refuse)(?:[\s,.:;!-]+(.*))?$/is

/** The question that an execution ends with. */
export function askApproval(asked: readonly AskedApproval[], lead?: string): Ending {
  const lines = asked.map(
    ({ tool, input, reason }) => reason ?? `Allow ${tool} with ${JSON.stringify(input ?? {})}?`,
  )
  const text = [...(lead === undefined ? [] : [lead]), ...lines, 'Answer "approve" or "deny".'].join('\n')
  const approvals = asked.map(({ id, tool, input, reason }) => ({
    id,
    tool,
    ...(input !== undefined && { input }),
    ...(reason !== undefined && { reason }),
  }))
  return { state: 'input-required', message: [{ text }, { data: { approvals } }] }
}

/** What the answer decides, one for each that was asked; undefined when it does not. */
export function readApproval(
  { text, data }: { readonly text: string; readonly data: JsonRecord | undefined },
  asked: readonly AskedApproval[],
): readonly ApprovalDecision[] | undefined {
  const list = data?.approvals
  if (Array.isArray(list)) return readList(list, asked)
  const all = typeof data?.approved === 'boolean' ? data : readText(text.trim())
  if (all === undefined || typeof all.approved !== 'boolean') return undefined
  return asked.map(({ id }) => decisionOf(id, all.approved === true, all.reason))
}

function readList(
  list: readonly Json[],
  asked: readonly AskedApproval[],
): readonly ApprovalDecision[] | undefined {
  const decisions = new Map<string, ApprovalDecision>()
  for (const item of list) {
    if (!isRecord(item) || typeof item.approved !== 'boolean') return undefined
    const { id, approved, reason } = item
    if (typeof id !== 'string' || decisions.has(id) || !asked.some((one) => one.id === id)) return undefined
    decisions.set(id, decisionOf(id, approved, reason))
  }
  return decisions.size === asked.length ? asked.flatMap(({ id }) => decisions.get(id) ?? []) : undefined
}

function readText(text: string): JsonRecord | undefined {
  if (YES.test(text)) return { approved: true }
  const no = NO.exec(text)
  return no === null ? undefined : { approved: false, ...(no[1] && { reason: no[1].trim() }) }
}

function decisionOf(id: string, approved: boolean, reason: Json | undefined): ApprovalDecision {
  const said = typeof reason === 'string' && reason !== '' ? reason.slice(0, MAX_REASON) : undefined
  return { id, approved, ...(said !== undefined && { reason: said }) }
}
