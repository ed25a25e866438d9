/**
 * What an agent's refusal means (spec a2a 2.10): by ErrorInfo first, then by JSON-RPC code, problem type or HTTP status;
 * the statuses of 1.0.0 are understood as well.
 */
import { A2A_ERRORS, type A2AErrorCode, type FieldViolation } from '../errors.js'
import type { JsonRecord } from '../model.js'
import type { OperationName } from '../operations.js'
import { isRecord } from '../read-fields.js'
import { AgentError, type AgentErrorCode, type AgentErrorFacts } from './errors.js'

/** The head of an HTTP answer, as far as errors need it. */
export interface Head {
  readonly status: number
  header(name: string): string | undefined
}

const MAX_TEXT = 2_000
const ERROR_INFO = 'google.rpc.ErrorInfo'
const BAD_REQUEST = 'google.rpc.BadRequest'

const BY_CODE: ReadonlyMap<number, A2AErrorCode> = new Map(
  Object.entries(A2A_ERRORS).flatMap(([name, { code }]) =>
    // -32000 and -32600 are shared: the plain one is meant unless a status or a reason says otherwise.
    name === 'RATE_LIMITED' || name === 'UNAUTHENTICATED' || name === 'TOO_LARGE'
      ? []
      : [[code, name as A2AErrorCode] as const],
  ),
)

const BY_STATUS: Readonly<Record<number, AgentErrorCode>> = {
  400: 'INVALID_REQUEST',
  401: 'UNAUTHENTICATED',
  402: 'PAYMENT_REQUIRED',
  403: 'FORBIDDEN',
  404: 'TASK_NOT_FOUND',
  408: 'TIMEOUT',
  // 1.0.0: TaskNotCancelable, ContentTypeNotSupported; 501 was UnsupportedOperation and its kin, 502 an invalid answer.
  409: 'TASK_NOT_CANCELABLE',
  413: 'TOO_LARGE',
  415: 'CONTENT_TYPE_NOT_SUPPORTED',
  429: 'RATE_LIMITED',
  501: 'UNSUPPORTED_OPERATION',
  502: 'UNREACHABLE',
  503: 'UNREACHABLE',
  504: 'TIMEOUT',
}

/** Statuses that mean the same whatever the body says. */
const FIRM = [401, 402, 403, 413, 429]

/** `error` of a JSON-RPC envelope; `head` where it came over HTTP. */
export function readRpcError(error: JsonRecord, head?: Head): AgentError {
  const { code, message, data } = error
  const details = readDetails(data)
  const number = Number(code)
  const known =
    firmCode(head) ??
    reasonOf(details) ??
    BY_CODE.get(number) ??
    (number === -32000 ? 'RATE_LIMITED' : undefined)
  // -32000 is free for servers: without a reason or a status it says nothing.
  const name =
    number === -32000 && firmCode(head) === undefined && reasonOf(details) === undefined ? 'INTERNAL' : known
  return made(name ?? 'INTERNAL', message, {
    ...factsOf(details, head),
    ...(BY_CODE.has(number) ? {} : { rpcCode: number }),
  })
}

/** Body and head of an HTTP answer that is no success; `operation` decides what a bare status is about. */
export function readHttpError(body: unknown, head: Head, operation?: OperationName): AgentError {
  if (isRecord(body) && body.jsonrpc === '2.0' && isRecord(body.error)) return readRpcError(body.error, head)
  // The error object of JSON-RPC, bare: REST of 0.3.
  if (isRecord(body) && Number(body.code) < 0 && firmCode(head) === undefined) return readRpcError(body, head)
  const error = isRecord(body) && isRecord(body.error) ? body.error : undefined
  const details = readDetails(error?.details)
  const message = error?.message ?? (isRecord(body) ? (body.detail ?? body.title) : undefined)
  const name =
    firmCode(head) ??
    reasonOf(details) ??
    problemOf(body) ??
    byStatus(head.status, error, operation) ??
    'INTERNAL'
  const requirements = name === 'PAYMENT_REQUIRED' ? requirementsOf(body, head) : undefined
  return made(name, message, { ...factsOf(details, head), requirements })
}

/** Seconds of `Retry-After`, as a number or as a date. */
function retryAfterOf(head: Head, now = Date.now()): number | undefined {
  const text = head.header('retry-after')?.trim()
  if (text === undefined) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text)
  const time = Date.parse(text)
  return Number.isNaN(time) ? undefined : Math.max(0, Math.ceil((time - now) / 1000))
}

function made(code: AgentErrorCode, message: unknown, facts: AgentErrorFacts): AgentError {
  const fallback =
    code in A2A_ERRORS ? A2A_ERRORS[code as A2AErrorCode].text : `HTTP ${facts.status ?? 'error'}`
  const text = typeof message === 'string' && message !== '' ? message.slice(0, MAX_TEXT) : fallback
  return new AgentError(code, text, { source: 'agent', ...facts })
}

interface Details {
  readonly reason?: string
  readonly metadata?: Readonly<Record<string, string>>
  readonly violations?: readonly FieldViolation[]
}

/** `data` of 1.0 is an array of Any; that of 0.3 and of the dialect an object. */
function readDetails(data: unknown): Details {
  const items = Array.isArray(data) ? data.filter(isRecord) : isRecord(data) ? [data] : []
  const typed = (name: string) => items.find((item) => String(item['@type'] ?? '').endsWith(name))
  const info = typed(ERROR_INFO)
  const fields =
    typed(BAD_REQUEST)?.fieldViolations ?? (Array.isArray(data) ? undefined : items[0]?.fieldViolations)
  return {
    ...(typeof info?.reason === 'string' && { reason: info.reason }),
    ...(isRecord(info?.metadata) && { metadata: textsOf(info.metadata) }),
    ...(Array.isArray(fields) && {
      violations: fields.filter(isRecord).map(({ field, description }) => ({
        field: String(field ?? '').slice(0, 256),
        description: String(description ?? '').slice(0, MAX_TEXT),
      })),
    }),
  }
}

function textsOf(record: JsonRecord): Record<string, string> {
  const texts = Object.entries(record).filter(([, value]) => typeof value === 'string')
  return Object.fromEntries(texts) as Record<string, string>
}

function reasonOf({ reason }: Details): A2AErrorCode | undefined {
  if (reason === undefined) return undefined
  const name = reason === 'INTERNAL_ERROR' ? 'INTERNAL' : reason.replace(/_ERROR$/, '')
  return Object.hasOwn(A2A_ERRORS, name) ? (name as A2AErrorCode) : undefined
}

/** Problem details of 1.0.0: `https://a2a-protocol.org/errors/task-not-found`. */
function problemOf(body: unknown): A2AErrorCode | undefined {
  const type = isRecord(body) && typeof body.type === 'string' ? body.type : ''
  const name = type.split('/').at(-1)?.replaceAll('-', '_').toUpperCase() ?? ''
  return Object.hasOwn(A2A_ERRORS, name) ? (name as A2AErrorCode) : undefined
}

const firmCode = (head: Head | undefined): AgentErrorCode | undefined =>
  head !== undefined && FIRM.includes(head.status) ? BY_STATUS[head.status] : undefined

function byStatus(
  status: number,
  error: JsonRecord | undefined,
  operation?: OperationName,
): AgentErrorCode | undefined {
  const isPush = operation?.includes('PushNotification') === true
  if (status === 404 && error?.status !== 'NOT_FOUND') return 'METHOD_NOT_FOUND'
  if (status === 501 && isPush) return 'PUSH_NOTIFICATION_NOT_SUPPORTED'
  // An A2A error body came from the agent, not from what stands before it.
  if (status === 502 && error !== undefined) return 'INVALID_AGENT_RESPONSE'
  return BY_STATUS[status]
}

function factsOf({ metadata, violations }: Details, head: Head | undefined): AgentErrorFacts {
  return {
    metadata,
    violations,
    ...(head !== undefined && {
      status: head.status,
      retryAfterSeconds: retryAfterOf(head),
      challenge: head.header('www-authenticate')?.slice(0, MAX_TEXT),
    }),
  }
}

function requirementsOf(body: unknown, head: Head): JsonRecord | undefined {
  const header = head.header('payment-required')
  if (header !== undefined) {
    try {
      const value: unknown = JSON.parse(Buffer.from(header, 'base64').toString('utf8'))
      if (isRecord(value)) return value
    } catch {
      // The body may hold what the header does not.
    }
  }
  return isRecord(body) ? body : undefined
}
