/** An A2A message as the input of a graph with `messages`. */
import type { Execution, Part } from '@aetherkit/a2a'

export function inputOf({ message }: Execution): { messages: readonly object[] } {
  const { parts } = message
  const isText = parts.every(({ raw, url }) => raw === undefined && url === undefined)
  const content = isText ? parts.map(wordsOf).join('\n') : parts.map(blockOf)
  return { messages: [{ role: 'user', content }] }
}

const wordsOf = ({ text, data }: Part): string => text ?? JSON.stringify(data ?? null)

/** A `url` is passed on, not fetched. */
function blockOf(part: Part): object {
  const { raw, url, mediaType = 'application/octet-stream', filename } = part
  if (raw === undefined && url === undefined) return { type: 'text', text: wordsOf(part) }
  const type = mediaType.startsWith('image/') ? 'image' : 'file'
  const named = filename === undefined ? {} : { metadata: { filename } }
  return { type, mimeType: mediaType, ...(raw === undefined ? { url } : { data: raw }), ...named }
}
