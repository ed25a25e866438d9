/** Messages of `useChat` and A2A parts, one as the other (chat-wire.ts). */
import type { Execution, Json, Message, Part } from '@aetherkit/a2a'
import type { UiMessage } from './ui-chunk.js'

type UiPart = UiMessage['parts'][number] & { readonly [key: string]: unknown }

/** What the user said, as the chat shows it. */
export function userMessageOf(id: string, { parts }: Pick<Message, 'parts'>): Json {
  return {
    id,
    role: 'user',
    parts: parts.map(({ text, raw, url, data, mediaType = 'application/octet-stream', filename }) => {
      const named = { mediaType, ...(filename !== undefined && { filename }) }
      if (raw !== undefined) return { type: 'file', url: `data:${mediaType};base64,${raw}`, ...named }
      if (url !== undefined) return { type: 'file', url, ...named }
      return { type: 'text', text: text ?? JSON.stringify(data ?? null) }
    }),
  }
}

/** What the agent said, as far as its text goes. */
export const answerOf = (id: string, text: string): Json => ({
  id,
  role: 'assistant',
  parts: [{ type: 'text', text, state: 'done' }],
})

/** A user's message for the agent. @throws TypeError for a part that no agent takes, or none at all */
export function partsOf(message: UiMessage): Part[] {
  const parts = (message.parts as UiPart[]).map((part): Part => {
    if (part.type === 'text') return { text: String(part.text) }
    if (part.type.startsWith('data-')) return { data: JSON.parse(JSON.stringify(part.data ?? null)) }
    if (part.type !== 'file') throw new TypeError(`a part of type ${part.type} cannot be sent`)
    const { url, mediaType, filename } = part
    const base64 = /^data:[^,]*;base64,(.*)$/s.exec(String(url))?.[1]
    const named = { mediaType: String(mediaType), ...(typeof filename === 'string' && { filename }) }
    return base64 === undefined ? { url: String(url), ...named } : { raw: base64, ...named }
  })
  if (parts.length === 0) throw new TypeError('the message is empty')
  return parts
}

/** The answers of a human in the last message, and nothing else that is new there. */
export function decisionsOf(message: UiMessage): Json[] {
  return (message.parts as UiPart[]).flatMap((part) => {
    if (part.state !== 'approval-responded') return []
    const { id, approved, reason } = part.approval as { id: string; approved: boolean; reason?: string }
    return [{ id, approved, ...(reason !== undefined && { reason }) }]
  })
}

/** The messages of a turn as the SDK goes on from them: what was asked has its answer. */
export function approved(shown: readonly Json[], { data }: Pick<Execution, 'data'>): UiMessage[] {
  const messages: UiMessage[] = JSON.parse(JSON.stringify(shown))
  const answers = Array.isArray(data?.approvals) ? (data.approvals as readonly Record<string, Json>[]) : []
  for (const part of messages.flatMap(({ parts }) => parts) as Record<string, unknown>[]) {
    if (part.state !== 'approval-requested') continue
    const asked = part.approval as Record<string, unknown>
    const answer = answers.find(({ id }) => id === asked.id)
    if (answer === undefined) continue
    part.state = 'approval-responded'
    part.approval = {
      ...asked,
      approved: answer.approved,
      ...(answer.reason !== undefined && { reason: answer.reason }),
    }
  }
  return messages
}
