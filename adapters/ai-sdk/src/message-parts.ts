/** A2A parts as content for a model, and a model's files as A2A parts (spec a2a 8.2). */
import type { Part } from '@aetherkit/a2a'
import type { ModelFile, ModelMessage } from './ai-agent.js'

const BINARY = 'application/octet-stream'

/** Structured data becomes its JSON text; a `url` is passed on, not fetched. */
export function userMessage(parts: readonly Part[]): ModelMessage {
  return { role: 'user', content: parts.map(contentOf) }
}

function contentOf(part: Part): { type: 'text'; text: string } | ModelFile {
  const { text, raw, url, data, mediaType = BINARY, filename } = part
  const named = { mediaType, ...(filename !== undefined && { filename }) }
  if (raw !== undefined) return { type: 'file', data: raw, ...named }
  if (url !== undefined) return { type: 'file', data: url, ...named }
  return { type: 'text', text: text ?? JSON.stringify(data ?? null) }
}

/** `url`: a data URL as `ai` makes it, or any other. */
export function filePart({ url, mediaType }: { readonly url: string; readonly mediaType: string }): Part {
  const base64 = /^data:[^,]*;base64,(.*)$/s.exec(url)?.[1]
  return base64 === undefined ? { url, mediaType } : { raw: base64, mediaType }
}
