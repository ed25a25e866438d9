/**
 * The other end of push (spec a2a 2.11, 7.2): tells a notification that we asked for from everything else that is posted
 * to the same URL. Free of any framework: headers and body in, a verdict out.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { importJWK, jwtVerify } from 'jose'
import { checkEvent } from '../client/check.js'
import { fromLegacyEvent } from '../client/legacy.js'
import type { Json, StreamResponse } from '../model.js'
import { isRecord } from '../read-fields.js'
import { challengeIn } from './challenge.js'
import { NOTIFICATION_ID_HEADER, NOTIFICATION_TOKEN_HEADER } from './delivery.js'
import { NOTIFICATION_SIGNATURE_HEADER, toJwk } from './signature.js'

export interface PushReceiverOptions {
  /** The token that the config named. */
  readonly token?: string
  /** Whether we wait for this task. */
  readonly expects: (taskId: string) => boolean
  /** Public key, hex, whose signature is demanded; with it `url` is the audience. */
  readonly signedBy?: { readonly publicKey: string; readonly url: string }
  /** Notification ids that are remembered, 10,000 by default. */
  readonly remember?: number
  readonly maxBytes?: number
}

export type Received =
  | { readonly ok: true; readonly id: string; readonly taskId: string; readonly event: StreamResponse }
  /** Answer with `status`: 200 for a duplicate, 404 for a task that is not ours (the sender then drops the config). */
  | { readonly ok: false; readonly status: 200 | 400 | 401 | 404 | 413; readonly code: ReceiverCode }

export type ReceiverCode =
  | 'DUPLICATE'
  | 'MALFORMED'
  | 'WRONG_TOKEN'
  | 'WRONG_SIGNATURE'
  | 'UNKNOWN_TASK'
  | 'TOO_LARGE'

export interface PushReceiver {
  /** For GET, by path and query: what to answer, 200 and `text/plain`, with; undefined when it is no challenge. */
  challenge(url: string): string | undefined
  receive(header: (name: string) => string | undefined, body: string): Promise<Received>
}

export function createPushReceiver(options: PushReceiverOptions): PushReceiver {
  const { token, expects, signedBy, remember = 10_000, maxBytes = 1024 * 1024 } = options
  const seen = new Set<string>()

  return {
    challenge: challengeIn,
    async receive(header, body) {
      if (Buffer.byteLength(body) > maxBytes) return { ok: false, status: 413, code: 'TOO_LARGE' }
      if (token !== undefined && !isSame(token, header(NOTIFICATION_TOKEN_HEADER.toLowerCase()) ?? ''))
        return { ok: false, status: 401, code: 'WRONG_TOKEN' }
      const id = header(NOTIFICATION_ID_HEADER.toLowerCase()) ?? digest(body)
      const event = readNotification(body)
      if (event === undefined) return { ok: false, status: 400, code: 'MALFORMED' }
      const taskId = taskIdOf(event)
      if (signedBy !== undefined) {
        const signature = header(NOTIFICATION_SIGNATURE_HEADER.toLowerCase()) ?? ''
        const isSigned = await verifySignature(signature, signedBy, { id, taskId, body })
        if (!isSigned) return { ok: false, status: 401, code: 'WRONG_SIGNATURE' }
      }
      if (taskId === '' || !expects(taskId)) return { ok: false, status: 404, code: 'UNKNOWN_TASK' }
      if (seen.has(id)) return { ok: false, status: 200, code: 'DUPLICATE' }
      seen.add(id)
      if (seen.size > remember) for (const oldest of seen) if (seen.delete(oldest)) break
      return { ok: true, id, taskId, event }
    },
  }
}

async function verifySignature(
  signature: string,
  by: { readonly publicKey: string; readonly url: string },
  { id, taskId, body }: { readonly id: string; readonly taskId: string; readonly body: string },
): Promise<boolean> {
  try {
    const key = await importJWK(toJwk(by.publicKey), 'EdDSA')
    const { payload } = await jwtVerify(signature, key, { audience: by.url, algorithms: ['EdDSA'] })
    return payload.jti === id && payload.taskId === taskId && payload.bodySha256 === digest(body)
  } catch {
    return false
  }
}

/** As one of 1.0, whichever version its agent speaks. */
function readNotification(body: string): StreamResponse | undefined {
  try {
    const value: unknown = JSON.parse(body)
    if (!isRecord(value)) return undefined
    if (typeof value.kind === 'string') return checkEvent(fromLegacyEvent(value))
    const members = ['task', 'message', 'statusUpdate', 'artifactUpdate'].filter((name) =>
      Object.hasOwn(value, name),
    )
    const [only] = members
    if (members.length !== 1 || only === undefined) return undefined
    return isRecord(value[only]) ? (value as Json as StreamResponse & Json) : undefined
  } catch {
    return undefined
  }
}

function taskIdOf(event: StreamResponse): string {
  if ('task' in event) return String(event.task.id)
  if ('message' in event) return String(event.message.taskId ?? '')
  return String(('statusUpdate' in event ? event.statusUpdate : event.artifactUpdate).taskId)
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex')

/** In constant time, whatever the lengths. */
function isSame(a: string, b: string): boolean {
  const hash = (text: string): Buffer => createHash('sha256').update(text).digest()
  return timingSafeEqual(hash(a), hash(b))
}
