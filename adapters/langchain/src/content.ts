/** Model parts as the content of a ToolMessage: text, or LangChain content blocks. */
import type { ModelPart } from '@aetherkit/tools'

export function toContent(parts: readonly ModelPart[]) {
  const [first] = parts
  if (parts.length === 1 && first?.type === 'text') return first.text
  return parts.map((part) => {
    if (part.type === 'text') return { type: 'text', text: part.text }
    const type = part.mediaType.startsWith('image/') ? 'image' : 'file'
    return {
      type,
      mimeType: part.mediaType,
      data: part.base64,
      ...(part.filename && { metadata: { filename: part.filename } }),
    }
  })
}
