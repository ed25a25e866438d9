/** The body of an answer that was paid for: whole up to 256 KiB, never waited for without end, and text only if it is. */
import { z } from 'zod'
import { showText, untrustedText } from './untrusted-text.js'

export const answerFields = {
  answer_id: z.string().describe('Handle of this answer for paid_read_more'),
  content_type: z.string(),
  complete: z.boolean().describe('False: the body broke off, took too long or was longer than is kept'),
  ...untrustedText,
  binary_bytes: z.number().optional().describe('Length of a body that is not text'),
  base64: z.string().optional().describe('A body that is not text'),
}

export type AnswerView = z.output<z.ZodObject<typeof answerFields>>

/** Bytes of a body that are read; the rest is left with the seller. */
const MAX_BYTES = 262_144
const BODY_MS = 30_000
const MEDIA_TYPE = /^[\w.+-]+\/[\w.+-]+/

/** Reads the body; what does not fit into one result is kept for `reader`. Never rejects. */
export async function viewAnswer(reader: object, response: Response): Promise<AnswerView> {
  const { bytes, complete } = await readBytes(response)
  const text = textOf(bytes, complete)
  const answer_id = crypto.randomUUID()
  const [content_type = ''] = MEDIA_TYPE.exec(response.headers.get('content-type') ?? '') ?? []
  return {
    answer_id,
    content_type,
    complete,
    ...showText(reader, answer_id, text ?? ''),
    ...(text === undefined ? { binary_bytes: bytes.length, base64: toBase64(bytes) } : {}),
  }
}

async function readBytes({ body }: Response): Promise<{ bytes: Uint8Array; complete: boolean }> {
  if (body === null) return { bytes: new Uint8Array(), complete: true }
  const reader: ReadableStreamDefaultReader<Uint8Array> = body.getReader()
  const parts: Uint8Array[] = []
  let length = 0
  let complete = false
  let isLate = false
  const timer = setTimeout(() => {
    isLate = true
    void reader.cancel().catch(() => {})
  }, BODY_MS)
  try {
    while (length <= MAX_BYTES) {
      const { done, value } = await reader.read()
      complete = done && !isLate
      if (done) break
      parts.push(value.subarray(0, Math.max(0, MAX_BYTES - length)))
      length += value.length
    }
    if (!complete) void reader.cancel().catch(() => {})
  } catch {
    complete = false
  } finally {
    clearTimeout(timer)
  }
  return { bytes: joined(parts), complete }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** Undefined for bytes that are no UTF-8 text; a character that was cut at the end does not count. */
function textOf(bytes: Uint8Array, complete: boolean): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: !complete })
    return text.includes('\0') ? undefined : text
  } catch {
    return undefined
  }
}

function toBase64(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}
