/**
 * A prompt as one A2A message. The agent has the conversation, so only what comes after its last answer is sent; which
 * conversation that is, is told by `providerOptions.aether.conversationId`, or recognised by the history itself.
 */
import { createHash } from 'node:crypto'
import type { Part } from '@aetherkit/a2a'
import type { ModelCall, PromptMessage, PromptPart, Warning } from './model-types.js'

/** What goes on. */
export interface Place {
  readonly contextId: string
  /** It asked, and waits for the answer. */
  readonly taskId?: string
}

export interface Draft {
  readonly parts: readonly Part[]
  readonly place: Place | undefined
  readonly warnings: Warning[]
  /** Names the conversation as it will be after this answer. */
  after(answer: string): string
}

/** The last to be used. */
const MAX_PLACES = 1000

export class Places {
  readonly #places = new Map<string, Place>()

  find(key: string): Place | undefined {
    return this.#places.get(key)
  }

  keep(key: string, place: Place): void {
    this.#places.delete(key)
    this.#places.set(key, place)
    const [oldest] = this.#places.keys()
    if (this.#places.size > MAX_PLACES && oldest !== undefined) this.#places.delete(oldest)
  }
}

const UNHEARD = ['temperature', 'topP', 'topK', 'maxOutputTokens', 'stopSequences', 'seed'] as const

export function readPrompt(call: ModelCall, places: Places): Draft {
  const told = call.prompt.filter(({ role }) => role === 'user' || role === 'assistant')
  const at = told.findLastIndex(({ role }) => role === 'assistant') + 1
  const [before, fresh] = [told.slice(0, at), told.slice(at)]
  const named = call.providerOptions?.aether?.conversationId
  const keyOf = (messages: readonly unknown[]): string =>
    typeof named === 'string'
      ? `id:${named}`
      : createHash('sha256').update(JSON.stringify(messages)).digest('hex')
  const history = before.map(outline)
  const place = before.length > 0 || typeof named === 'string' ? places.find(keyOf(history)) : undefined
  const warnings = warningsOf(call)
  const retold = place === undefined && before.length > 0
  if (retold)
    warnings.push({
      type: 'other',
      message: 'the agent does not know this conversation: it was told its text',
    })
  return {
    parts: [...(retold ? [{ text: transcript(before) }] : []), ...fresh.flatMap(partsOf)],
    place,
    warnings,
    after: (answer) => keyOf([...told.map(outline), ['assistant', answer, 0]]),
  }
}

function warningsOf(call: ModelCall): Warning[] {
  const unheard = UNHEARD.filter((name) => call[name] !== undefined)
  const warn = (feature: string, details: string): Warning => ({ type: 'unsupported', feature, details })
  return [
    ...unheard.map((feature) => warn(feature, 'the agent has its own settings')),
    ...(call.tools?.length ? [warn('tools', 'the agent has its own: no tool call passes through')] : []),
    ...(call.responseFormat?.type === 'json'
      ? [warn('responseFormat', 'the agent answers in its own form')]
      : []),
    ...(call.prompt.some(({ role }) => role === 'system')
      ? [warn('system messages', 'not sent: the agent has its own instructions')]
      : []),
  ]
}

const outline = ({ role, content }: PromptMessage) =>
  [role, textOf(content), filesOf(content).length] as const

const transcript = (messages: readonly PromptMessage[]): string =>
  ['The conversation so far:', ...messages.map(({ role, content }) => `${role}: ${textOf(content)}`)].join(
    '\n\n',
  )

const textOf = (content: PromptMessage['content']): string =>
  typeof content === 'string' ? content : content.map(({ text = '' }) => text).join('')

const filesOf = (content: PromptMessage['content']): readonly PromptPart[] =>
  typeof content === 'string' ? [] : content.filter(({ type }) => type === 'file')

function partsOf({ content }: PromptMessage): readonly Part[] {
  if (typeof content === 'string') return [{ text: content }]
  return content.flatMap((part): Part[] => {
    if (part.type === 'text') return [{ text: part.text ?? '' }]
    if (part.type !== 'file') return []
    const { mediaType = 'application/octet-stream', filename } = part
    return [{ ...dataOf(part.data), mediaType, ...(filename !== undefined && { filename }) }]
  })
}

/** Bytes, base64, a URL; `ai` 7 puts each into an object. */
function dataOf(data: unknown): Part {
  if (data instanceof Uint8Array) return { raw: Buffer.from(data).toString('base64') }
  if (data instanceof URL) return { url: data.href }
  if (typeof data === 'object' && data !== null)
    return dataOf('data' in data ? data.data : Reflect.get(data, 'url'))
  const text = String(data)
  return /^https?:/i.test(text) ? { url: text } : { raw: text.replace(/^data:[^,]*,/, '') }
}
