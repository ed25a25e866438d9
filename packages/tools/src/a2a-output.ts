/**
 * What an agent answered, as a tool result (spec a2a 8.1, frameworks 4): its words in labelled fields and cut, artifacts
 * beside them for the application, files within bounds, and nothing fetched from where it points to.
 */
import type { Artifact, Message, Part, Task } from '@aetherkit/a2a/client'
import { z } from 'zod'
import { approvalsIn, type OpenTask } from './a2a-context.js'
import type { Json } from './json.js'
import type { ModelPart } from './tool-definition.js'
import { shortText, showText, untrustedText } from './untrusted-text.js'

const MAX_ARTIFACTS = 32
const MAX_FILES = 16
/** Bytes of base64 that one result keeps, and that a model is shown. */
const MAX_KEPT = 8 * 1024 * 1024
const MAX_SHOWN = 1024 * 1024
const SHOWN_TYPES = ['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'application/pdf']
/** Characters of the JSON of data parts. */
const MAX_DATA = 256 * 1024

const file = z.object({
  untrusted_name: z.string(),
  media_type: z.string(),
  base64: z.string().optional().describe('Left out where there is a url, or too much of it'),
  untrusted_url: z.string().optional().describe('Where the agent says it is; it was not fetched'),
})

export const answerOutput = z.object({
  agent: z.string(),
  state: z.enum(['completed', 'input-required', 'auth-required', 'working', 'message']),
  answer_id: z.string().describe('For reading on'),
  ...untrustedText,
  needs: z
    .enum(['input', 'authorization'])
    .optional()
    .describe('The agent waits: call again with the answer'),
  needs_consent: z.boolean().optional().describe('A human must decide this'),
  artifacts: z.array(
    z.object({ artifact_id: z.string(), untrusted_name: z.string(), data: z.array(z.json()) }),
  ),
  files: z.array(file),
  left_out: z.number().optional().describe('Artifacts, files or data that were too many or too large'),
  paid: z.string().optional().describe('What was paid for it, such as 0.10 USDC'),
  task_id: z.string().optional(),
  context_id: z.string().optional(),
})
export type AgentAnswer = z.output<typeof answerOutput>

export interface Told {
  readonly agent: string
  readonly state: AgentAnswer['state']
  readonly message: Message | undefined
  readonly artifacts: readonly Artifact[]
  readonly task: Pick<Task, 'id' | 'contextId'> | undefined
}

/** The result of a rested task or a direct message; long text is kept for `a2a_read_more`. */
export function viewAnswer(reader: object, { agent, state, message, artifacts, task }: Told): AgentAnswer {
  const shown = artifacts.slice(0, MAX_ARTIFACTS)
  const said = message === undefined || isBare(message) ? [] : message.parts
  const parts = [
    ...shown.flatMap((artifact) => artifact.parts),
    ...(shown.length > 0 ? said : (message?.parts ?? [])),
  ]
  const text = textOf(
    state === 'input-required' || state === 'auth-required' ? reversed(message, shown) : parts,
  )
  const answerId = `${agent} ${crypto.randomUUID()}`
  const { files, dropped } = filesIn(parts)
  let room = MAX_DATA
  let leftOut = dropped + artifacts.length - shown.length
  const listed = shown.map(({ artifactId, name = '', parts: own }) => ({
    artifact_id: shortText(artifactId),
    untrusted_name: shortText(name),
    data: own.flatMap(({ data }) => {
      if (data === undefined) return []
      room -= JSON.stringify(data).length
      if (room >= 0) return [data as Json as z.core.util.JSONType]
      leftOut += 1
      return []
    }),
  }))
  const needs = state === 'input-required' ? 'input' : state === 'auth-required' ? 'authorization' : undefined
  return {
    agent,
    state,
    answer_id: answerId,
    ...showText(reader, answerId, text),
    ...(needs !== undefined && { needs }),
    ...(consentIn(message) !== undefined && { needs_consent: true }),
    artifacts: listed,
    files,
    ...(leftOut > 0 && { left_out: leftOut }),
    ...(task !== undefined && { task_id: task.id, context_id: task.contextId }),
  }
}

/** What waits for an answer, if anything does. */
export function openTaskOf({ state, message, task }: Told): OpenTask | undefined {
  if (task === undefined || (state !== 'input-required' && state !== 'auth-required')) return undefined
  const needs = state === 'input-required' ? 'input' : 'authorization'
  const consent =
    consentIn(message) ?? (needs === 'authorization' ? textOf(message?.parts ?? []).slice(0, 500) : undefined)
  return { taskId: task.id, needs, ...(consent !== undefined && { consent }) }
}

/** Pure: what a model reads. Ids only where the application wants them seen. */
export function showAnswer(exposeIds: boolean): (output: AgentAnswer) => readonly ModelPart[] {
  return (output) => {
    const { artifacts: _artifacts, files, task_id, context_id, answer_id, truncated, ...rest } = output
    const listed = files.map(({ base64: _base64, ...each }) => each)
    const text = JSON.stringify({
      ...rest,
      truncated,
      ...(truncated && { answer_id }),
      ...(exposeIds && { task_id, context_id }),
      ...(listed.length > 0 && { files: listed }),
      note: noteOf(output),
    })
    let room = MAX_SHOWN
    const shown = files.flatMap(({ base64, media_type }): ModelPart[] => {
      if (base64 === undefined || !SHOWN_TYPES.includes(media_type) || base64.length > room) return []
      room -= base64.length
      return [{ type: 'file', mediaType: media_type, base64 }]
    })
    return [{ type: 'text', text }, ...shown]
  }
}

/** What a human is asked on the spot, and how the tool goes on with what was said: a text, or JSON. */
export const questioning = {
  question: ({ agent, needs, untrusted_text }: AgentAnswer): Json | undefined =>
    needs === undefined ? undefined : { type: 'agent-question', agent, needs, untrusted_text },
  answer: <I extends object>(input: I, answer: Json): I => ({
    ...input,
    message: typeof answer === 'string' ? answer : JSON.stringify(answer),
    data: typeof answer === 'object' && answer !== null && !Array.isArray(answer) ? answer : undefined,
    payload: undefined,
    files: undefined,
    start_over: undefined,
    task_id: undefined,
  }),
}

function noteOf({ needs, needs_consent }: AgentAnswer): string | undefined {
  if (needs_consent === true)
    return 'the agent needs the decision of a human: ask the user, do not decide it yourself'
  if (needs === 'authorization')
    return 'the agent needs an authorisation that only the user can give: ask the user'
  if (needs === 'input') return 'the agent is not done: call this tool again with the answer to its question'
  return undefined
}

/** Text as it stands, data as JSON. */
export function textOf(parts: readonly Part[]): string {
  const texts = parts.flatMap(({ text, data }) =>
    text !== undefined ? [text] : data !== undefined ? [JSON.stringify(data)] : [],
  )
  return texts.join('\n')
}

/** The word that metadata rides on where an agent has nothing more to say. */
const isBare = ({ parts: [first, ...more] }: Message): boolean =>
  more.length === 0 && first?.text?.toLowerCase() === 'completed'

/** The question first: it is what is to be read. */
const reversed = (message: Message | undefined, artifacts: readonly Artifact[]): readonly Part[] => [
  ...(message?.parts ?? []),
  ...artifacts.flatMap(({ parts }) => parts),
]

function consentIn(message: Message | undefined): string | undefined {
  for (const { data } of message?.parts ?? []) {
    const found = approvalsIn(data as Json | undefined)
    if (found !== undefined) return found
  }
  return undefined
}

function filesIn(parts: readonly Part[]): { files: AgentAnswer['files']; dropped: number } {
  const all = parts.filter(({ raw, url }) => raw !== undefined || url !== undefined)
  let room = MAX_KEPT
  let dropped = Math.max(0, all.length - MAX_FILES)
  const files = all
    .slice(0, MAX_FILES)
    .map(({ raw, url, filename = '', mediaType = 'application/octet-stream' }) => {
      const isKept = raw !== undefined && raw.length <= room
      if (isKept) room -= raw.length
      else if (raw !== undefined) dropped += 1
      return {
        untrusted_name: shortText(filename),
        media_type: shortText(mediaType, 100),
        ...(isKept && { base64: raw }),
        ...(url !== undefined && { untrusted_url: shortText(url, 2_048) }),
      }
    })
  return { files, dropped }
}
