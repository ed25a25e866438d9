/**
 * A response under watch: passed through as it is written, with a copy for whoever keeps it, or held back until the
 * payment is settled. Works by the three methods through which every Node.js response leaves.
 */
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http'

export interface Written {
  readonly status: number
  /** The content type, where there is one: what is kept with the body. */
  readonly headers: Readonly<Record<string, string>>
  /** Undefined when it was longer than `keepBytes`. */
  readonly body: Uint8Array | undefined
}

/** What leaves in place of a held response: its own, with more headers, or another. */
export type Release =
  | { readonly kind: 'send'; readonly headers: Readonly<Record<string, string>> }
  | {
      readonly kind: 'respond'
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: string | Uint8Array
    }

export interface WatchOptions {
  /** Asked once, with the status, before the first byte. */
  readonly hold: (status: number) => boolean
  readonly keepBytes: number
  /** The handler has ended its response; for a held one the answer decides what leaves. */
  readonly ended: (written: Written) => Promise<Release>
  /** The connection closed before the response ended. */
  readonly aborted: () => void
  readonly failed: (error: unknown) => void
}

export function watchResponse(response: ServerResponse, options: WatchOptions): void {
  const { write, end, writeHead, flushHeaders } = response
  const chunks: Buffer[] = []
  let size = 0
  let held: boolean | undefined
  let isOver = false
  const isHeld = () => (held ??= options.hold(response.statusCode))
  const keep = (chunk: unknown, encoding: unknown): void => {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, textEncoding(encoding)) : Buffer.from(chunk)
    size += bytes.length
    if (held === true || size <= options.keepBytes) chunks.push(bytes)
  }
  const written = (): Written => ({
    status: response.statusCode,
    headers: contentType(response),
    body: size <= options.keepBytes ? Buffer.concat(chunks) : undefined,
  })
  const release = (outcome: Release): void => {
    // Node.js writes the head through `writeHead` of the object: from here on it is its own again.
    Object.assign(response, { write, end, writeHead, flushHeaders })
    if (outcome.kind === 'respond') {
      for (const name of response.getHeaderNames()) response.removeHeader(name)
      response.statusCode = outcome.status
    }
    for (const [name, value] of Object.entries(outcome.headers)) response.setHeader(name, value)
    const body = outcome.kind === 'respond' ? outcome.body : Buffer.concat(chunks)
    response.removeHeader('transfer-encoding')
    response.end(body)
  }

  response.writeHead = (status: number, ...rest: unknown[]) => {
    response.statusCode = status
    if (!isHeld()) return Reflect.apply(writeHead, response, [status, ...rest]) as ServerResponse
    const headers = rest.at(-1)
    if (typeof headers === 'object' && headers !== null) setHeaders(response, headers as OutgoingHttpHeaders)
    return response
  }
  response.flushHeaders = () => {
    if (!isHeld()) flushHeaders.call(response)
  }
  response.write = (chunk: unknown, ...rest: unknown[]) => {
    const holds = isHeld()
    keep(chunk, rest[0])
    return holds || (Reflect.apply(write, response, [chunk, ...rest]) as boolean)
  }
  response.end = (...args: unknown[]) => {
    const holds = isHeld()
    keep(args[0], args[1])
    if (isOver) return response
    isOver = true
    const answered = options.ended(written())
    if (holds) {
      answered.then(release).catch((error: unknown) => {
        options.failed(error)
        response.destroy()
      })
    } else {
      answered.catch(options.failed)
      Reflect.apply(end, response, args)
    }
    return response
  }
  response.once('close', () => {
    if (!isOver) options.aborted()
    isOver = true
  })
}

function contentType(response: ServerResponse): Readonly<Record<string, string>> {
  const type = response.getHeader('content-type')
  return typeof type === 'string' ? { 'Content-Type': type } : {}
}

function setHeaders(response: ServerResponse, headers: OutgoingHttpHeaders): void {
  for (const [name, value] of Object.entries(headers))
    if (value !== undefined) response.setHeader(name, value)
}

function textEncoding(encoding: unknown): BufferEncoding {
  return typeof encoding === 'string' && Buffer.isEncoding(encoding) ? encoding : 'utf8'
}
