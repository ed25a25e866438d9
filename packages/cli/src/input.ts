/** Standard input and files, whole or by lines, until the signal. */
import { createReadStream } from 'node:fs'
import type { Readable } from 'node:stream'
import { usage } from './exit.js'

/** Longer ones are no event: spec 1.5 leaves room for no more; bytes. */
const MAX_LINE = 1 << 22

/** A line, or undefined for one that is too long; `end`: bytes of input up to and with it. */
export interface Line {
  readonly text: string | undefined
  readonly end: number
}

/** What an argument says, or, where there is none or `-`, standard input; undefined when that is a terminal. */
export async function argumentOrInput(
  argument: string | undefined,
  signal: AbortSignal,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  if (argument !== undefined && argument !== '-') return new TextEncoder().encode(argument)
  if (argument === undefined && process.stdin.isTTY) return undefined
  const parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of bytesOf(process.stdin, signal)) {
    length += chunk.length
    if (length > maxBytes) throw usage(`standard input has more than ${maxBytes} bytes`)
    parts.push(chunk)
  }
  return Buffer.concat(parts)
}

/** Lines of a file, or of standard input where no path is given. */
export function linesOf(path: string | undefined, signal: AbortSignal): AsyncGenerator<Line> {
  return splitLines(bytesOf(path === undefined ? process.stdin : createReadStream(path), signal))
}

/** The lines of bytes, however they come in chunks. */
export async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Line> {
  let parts: Uint8Array[] = []
  let length = 0
  let end = 0
  const keep = (part: Uint8Array) => {
    length += part.length
    if (length <= MAX_LINE) parts.push(part)
    else parts = []
  }
  const take = (): Line => {
    const text = length > MAX_LINE ? undefined : Buffer.concat(parts).toString()
    parts = []
    length = 0
    return { text, end }
  }
  for await (const chunk of chunks) {
    let at = 0
    for (let next = chunk.indexOf(10); next >= 0; next = chunk.indexOf(10, at)) {
      keep(chunk.subarray(at, next))
      end += next + 1 - at
      yield take()
      at = next + 1
    }
    keep(chunk.subarray(at))
    end += chunk.length - at
  }
  if (length > 0) yield take()
}

/** Reading what never comes ends with the signal. */
async function* bytesOf(stream: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  signal.throwIfAborted()
  const onAbort = () => stream.destroy(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  try {
    for await (const chunk of stream) yield chunk
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}
