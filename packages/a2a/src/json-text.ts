/**
 * A request body as text (spec a2a 2.10, 7.6): JSON in UTF-8, no member named twice, no `__proto__`, at most 64 levels.
 * What is checked here is the very value that is executed.
 */
import { A2AError } from './errors.js'
import type { Json } from './model.js'

/** Levels of objects and arrays in one body. */
const MAX_DEPTH = 64

interface Frame {
  /** Names seen, in an object. */
  readonly names: Set<string> | undefined
  expectsName: boolean
}

/** @throws A2AError PARSE_ERROR for no JSON, INVALID_REQUEST for JSON that two readers could take differently */
export function parseBody(body: string | Uint8Array): Json {
  const text = typeof body === 'string' ? body : decodeText(body)
  let value: Json
  try {
    value = JSON.parse(text)
  } catch {
    throw new A2AError('PARSE_ERROR')
  }
  const fault = findFault(text)
  if (fault !== undefined) throw new A2AError('INVALID_REQUEST', `Invalid request: ${fault}`)
  return value
}

/** @throws A2AError PARSE_ERROR for what is no UTF-8 */
export function decodeText(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    throw new A2AError('PARSE_ERROR', 'Parse error: the body is not UTF-8')
  }
}

/** One pass over text that is known to be JSON; a stack of its own, so that depth costs no calls. */
function findFault(text: string): string | undefined {
  const stack: Frame[] = []
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at]
    const frame = stack.at(-1)
    if (sign === '"') {
      const end = endOfString(text, at)
      if (frame?.names !== undefined && frame.expectsName) {
        const raw = text.slice(at, end + 1)
        const name: string = raw.includes('\\') ? JSON.parse(raw) : raw.slice(1, -1)
        if (name === '__proto__') return 'a member is named __proto__'
        if (frame.names.has(name)) return `the member ${JSON.stringify(name.slice(0, 64))} is there twice`
        frame.names.add(name)
        frame.expectsName = false
      }
      at = end
    } else if (sign === '{' || sign === '[') {
      if (stack.length === MAX_DEPTH) return `nested beyond ${MAX_DEPTH} levels`
      stack.push({ names: sign === '{' ? new Set() : undefined, expectsName: true })
    } else if (sign === '}' || sign === ']') {
      stack.pop()
    } else if (sign === ',' && frame !== undefined) {
      frame.expectsName = true
    }
  }
  return undefined
}

function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}
