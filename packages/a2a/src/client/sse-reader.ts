/** Server-sent events as they come in (spec a2a 2.6): one item a blank line; comments, CRLF and ids; capped. */
import { invalidAnswer } from './errors.js'

export interface SseEvent {
  /** `message` unless named. */
  readonly type: string
  readonly data: string
  readonly id: string | undefined
}

/**
 * Ends with the body. `heard` is called for every piece, comments too.
 * @throws AgentError INVALID_AGENT_RESPONSE for an event beyond `maxBytes`; whatever reading the body throws
 */
export async function* readSse(
  body: AsyncIterable<Uint8Array>,
  maxBytes: number,
  heard: () => void = () => {},
): AsyncGenerator<SseEvent, void> {
  const decoder = new TextDecoder()
  let rest = ''
  let type = ''
  let id: string | undefined
  let data: string[] = []
  let size = 0
  for await (const chunk of body) {
    heard()
    rest += decoder.decode(chunk, { stream: true })
    const lines = rest.split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    if (size + rest.length > maxBytes) throw invalidAnswer(`an event is larger than ${maxBytes} bytes`)
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0) yield { type: type === '' ? 'message' : type, data: data.join('\n'), id }
        type = ''
        id = undefined
        data = []
        size = 0
        continue
      }
      const [name, value] = fieldOf(line)
      if (name === 'data') {
        size += value.length
        if (size > maxBytes) throw invalidAnswer(`an event is larger than ${maxBytes} bytes`)
        data.push(value)
      } else if (name === 'event') type = value
      else if (name === 'id') id = value
    }
  }
}

/** A comment has an empty name. */
function fieldOf(line: string): readonly [name: string, value: string] {
  const colon = line.indexOf(':')
  if (colon < 0) return [line, '']
  const value = line.slice(colon + 1)
  return [line.slice(0, colon), value.startsWith(' ') ? value.slice(1) : value]
}
