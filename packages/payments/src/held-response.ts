/**
 * A response under watch: passed through as it is written, with a copy for whoever keeps it, or held back until the
 * payment is settled. A client that leaves does not end the handler: what it finishes later is kept for the payment when
 * it comes again (spec payments 10). Works by the methods through which every Node.js response leaves.
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
  /**
   * Most bytes that are held back, 4 MiB by default. A response that grows longer is decided there and then, as if it
   * had ended, and what follows is streamed; it is not kept.
   */
  readonly holdBytes?: number
  /** How long the handler may still finish after the client has left, ms; 30,000 by default, 0 not at all. */
  readonly finishMs?: number
  /** How long the handler may take to its first byte, or to its end where it is held back, ms; no limit by default. */
  readonly timeoutMs?: number
  /**
   * The handler has ended its response, also for a client that has left; for a held one the answer decides what leaves.
   * A result that is too long to be kept is `aborted` when nobody is there to get it.
   */
  readonly ended: (written: Written) => Promise<Release>
  /** Nobody got the response and nobody will: the client left and the handler did not finish, or it gave up. */
  readonly aborted: () => void
  /** What leaves in place of a response that took too long. */
  readonly timedOut?: () => Promise<Release>
  readonly failed: (error: unknown) => void
}

const DEFAULT_HOLD_BYTES = 4 * 1024 * 1024
const DEFAULT_FINISH_MS = 30_000

/** `left`: the client is gone and the handler at work. `over`: the outcome is told, and nothing more is. */
type State = 'running' | 'left' | 'over'

export function watchResponse(response: ServerResponse, options: WatchOptions): void {
  const { write, end, writeHead, flushHeaders, destroy } = response
  const { keepBytes, holdBytes = DEFAULT_HOLD_BYTES, finishMs = DEFAULT_FINISH_MS, timeoutMs } = options
  const own = { write, end, writeHead, flushHeaders, destroy }
  let chunks: Buffer[] = []
  let size = 0
  let held: boolean | undefined
  let state: State = 'running'
  let timer: NodeJS.Timeout | undefined
  /** A held response has grown too long and is being decided. */
  let isSpilling = false
  let isEnded = false
  /** The handler destroyed the response, or ends it because the connection closes under it. */
  let isGivenUp = false

  const isHeld = () => (held ??= options.hold(response.statusCode))
  const isKept = () => size <= keepBytes
  const keep = (chunk: unknown, encoding: unknown): void => {
    if (typeof chunk !== 'string' && !(chunk instanceof Uint8Array)) return
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk, textEncoding(encoding)) : Buffer.from(chunk)
    size += bytes.length
    if (isKept() || isSpilling || (held === true && state === 'running')) chunks.push(bytes)
    else chunks = []
  }
  const written = (): Written => ({
    status: response.statusCode,
    headers: contentType(response),
    body: isKept() && !isSpilling ? Buffer.concat(chunks) : undefined,
  })
  const finish = (): void => {
    clearTimeout(timer)
    state = 'over'
  }
  const abort = (): void => {
    if (state === 'over') return
    finish()
    options.aborted()
  }
  const fault = (error: unknown): void => {
    options.failed(error)
    response.destroy()
  }
  /** From here on the response is its own again; a handler that is still at work writes into nothing. */
  const replace = ({ status, headers, body }: Extract<Release, { kind: 'respond' }>): void => {
    Object.assign(response, own)
    for (const name of response.getHeaderNames()) response.removeHeader(name)
    response.statusCode = status
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    response.end(body)
    const same = () => response
    Object.assign(response, { write: () => true, end: same, writeHead: same, setHeader: same })
  }
  const release = (outcome: Release): void => {
    if (outcome.kind === 'respond') {
      replace(outcome)
      return
    }
    // Node.js writes the head through `writeHead` of the object.
    Object.assign(response, own)
    for (const [name, value] of Object.entries(outcome.headers)) response.setHeader(name, value)
    const body = Buffer.concat(chunks)
    chunks = []
    if (isEnded) {
      response.removeHeader('transfer-encoding')
      response.end(body)
    } else if (response.write(body)) response.emit('drain')
  }
  const spill = (): void => {
    isSpilling = true
    const answered = options.ended(written())
    finish()
    answered.then(release).catch(fault)
  }

  response.writeHead = (status: number, ...rest: unknown[]) => {
    response.statusCode = status
    if (!isHeld() && state !== 'left')
      return Reflect.apply(writeHead, response, [status, ...rest]) as ServerResponse
    const headers = rest.at(-1)
    if (typeof headers === 'object' && headers !== null) setHeaders(response, headers as OutgoingHttpHeaders)
    return response
  }
  response.flushHeaders = () => {
    if (!isHeld() && state !== 'left') flushHeaders.call(response)
  }
  response.write = (chunk: unknown, ...rest: unknown[]) => {
    const holds = isHeld()
    keep(chunk, rest[0])
    // Nobody is there to wait for: a handler that heeds the pressure goes on.
    if (state === 'left' || response.destroyed) return true
    if (holds && size > holdBytes && state === 'running') spill()
    return isSpilling ? false : holds || (Reflect.apply(write, response, [chunk, ...rest]) as boolean)
  }
  response.end = (...args: unknown[]) => {
    const holds = isHeld()
    keep(args[0], args[1])
    if (isEnded) return response
    isEnded = true
    if (state === 'over') return response
    const wasLeft = state === 'left'
    const isReaction = isGivenUp || (!wasLeft && response.socket?.destroyed === true)
    // After the client has left, only what can be kept is a result.
    if (isReaction || (wasLeft && !isKept())) {
      abort()
      return response
    }
    finish()
    const answered = options.ended(written())
    if (wasLeft) answered.catch(options.failed)
    else if (holds) answered.then(release).catch(fault)
    else {
      answered.catch(options.failed)
      Reflect.apply(end, response, args)
    }
    return response
  }
  response.destroy = (...args: unknown[]) => {
    isGivenUp = true
    if (state === 'left') abort()
    return Reflect.apply(destroy, response, args) as ServerResponse
  }
  response.once('close', () => {
    if (state !== 'running') return
    clearTimeout(timer)
    state = 'left'
    if (isGivenUp || finishMs <= 0) return abort()
    if (!isKept()) chunks = []
    timer = setTimeout(abort, finishMs)
    timer.unref()
    // An end in the same turn is the handler's answer to the close, and no result.
    isGivenUp = true
    setImmediate(() => {
      isGivenUp = false
    })
  })
  if (timeoutMs === undefined || options.timedOut === undefined) return
  const { timedOut } = options
  timer = setTimeout(() => {
    if (state !== 'running' || response.headersSent) return
    finish()
    held = true
    timedOut().then(release).catch(fault)
  }, timeoutMs)
  timer.unref()
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
