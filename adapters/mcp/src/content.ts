/** Model parts as MCP content: text, image, audio, and every other file as an embedded resource. */
import type { ModelPart } from '@aetherkit/tools'
import type { ContentBlock } from '@modelcontextprotocol/server'

export function toContent(parts: readonly ModelPart[]): ContentBlock[] {
  return parts.map((part, at): ContentBlock => {
    if (part.type === 'text') return { type: 'text', text: part.text }
    const { mediaType: mimeType, base64: data, filename = `${at}` } = part
    if (mimeType.startsWith('image/')) return { type: 'image', mimeType, data }
    if (mimeType.startsWith('audio/')) return { type: 'audio', mimeType, data }
    const uri = `attachment:///${encodeURIComponent(filename)}`
    return { type: 'resource', resource: { uri, mimeType, blob: data } }
  })
}
