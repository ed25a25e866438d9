/**
 * The bytes of a body before any parser (spec payments 9): read, hashed by the gate, and put back, so that
 * `express.json()` behind the paywall finds them.
 */
import type { PaidRequest } from './middleware.js'

/**
 * Sets `request.rawBody`. `too_large` above `limit` bytes, `consumed` when a parser was first and kept nothing,
 * `aborted` when the client left.
 */
export async function readRawBody(
  request: PaidRequest,
  limit: number,
): Promise<'ok' | 'too_large' | 'consumed' | 'aborted'> {
  if (request.rawBody !== undefined) return 'ok'
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers
  if (length === '0' && encoding === undefined) {
    request.rawBody = new Uint8Array()
    return 'ok'
  }
  if (request.readableEnded || request.readableDidRead) return 'consumed'
  if (Number(length) > limit) return 'too_large'
  const body = await collect(request, limit)
  if (typeof body === 'string') return body
  request.rawBody = body
  return 'ok'
}

/** `end` is not let out before the bytes are back: a stream that ended takes nothing back. */
function collect(request: PaidRequest, limit: number): Promise<Buffer | 'too_large' | 'aborted'> {
  const chunks: Buffer[] = []
  let size = 0
  return new Promise((resolve) => {
    const finish = (outcome: Buffer | 'too_large' | 'aborted') => {
      request.off('readable', read).off('end', ended).off('close', abort).off('error', abort)
      resolve(outcome)
    }
    const abort = () => finish('aborted')
    const ended = () => {
      // An empty body in chunks: a parser that looks for one would wait for ever.
      delete request.headers['transfer-encoding']
      finish(Buffer.alloc(0))
    }
    const read = () => {
      for (let chunk = take(request); chunk !== null; chunk = take(request)) {
        chunks.push(chunk)
        size += chunk.length
        if (size > limit) return finish('too_large')
      }
      if (!request.complete || size === 0) return
      const body = Buffer.concat(chunks)
      request.unshift(body)
      finish(body)
    }
    request.on('readable', read).on('end', ended).on('close', abort).on('error', abort)
  })
}

function take(request: PaidRequest): Buffer | null {
  return request.readableLength === 0 ? null : request.read()
}
