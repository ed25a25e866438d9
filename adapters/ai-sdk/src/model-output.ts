/** Tool outputs as the AI SDK hands them to a model (spec frameworks 2.4): text, or content with binary parts. */
import type { ModelPart } from '@aetherkit/tools'

/** The major of `ai` whose binary parts are made. */
export type FileParts = 'v6' | 'v7'

interface FilePartV6 {
  type: 'image-data' | 'file-data'
  data: string
  mediaType: string
  filename?: string
}
interface FilePartV7 {
  type: 'file'
  data: { type: 'data'; data: string }
  mediaType: string
  filename?: string
}
type FilePart<F> = F extends 'v7' ? FilePartV7 : FilePartV6
export type ModelOutput<F> =
  | { type: 'text'; value: string }
  | { type: 'content'; value: ({ type: 'text'; text: string } | FilePart<F>)[] }

/** Majors before 6 pass the output itself. */
export function outputOf<O>(options: { output: O }): O {
  const wrapped = 'toolCallId' in options && 'output' in options
  return wrapped ? options.output : (options as O)
}

export function toModelOutput(
  parts: readonly ModelPart[],
  fileParts: FileParts = 'v6',
): ModelOutput<FileParts> {
  const [first] = parts
  if (parts.length === 1 && first?.type === 'text') return { type: 'text', value: first.text }
  const value = parts.map((part) => {
    if (part.type === 'text') return { type: part.type, text: part.text }
    const { mediaType, base64: data, filename } = part
    const named = { mediaType, ...(filename === undefined ? {} : { filename }) }
    if (fileParts === 'v7') return { type: 'file' as const, data: { type: 'data' as const, data }, ...named }
    const type = mediaType.startsWith('image/') ? ('image-data' as const) : ('file-data' as const)
    return { type, data, ...named }
  })
  return { type: 'content', value }
}
