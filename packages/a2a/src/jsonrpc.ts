/**
 * JSON-RPC (spec a2a 2.1, 2.10, 2.12): the envelope, then the protocol. A method of an extension goes to it before
 * anything else; the version decides between 1.0 and 0.3, not the method.
 */
import { openCall, type Tenants, tenantOf } from './call.js'
import type { Dispatch, DispatchReply, DispatchRequest, MethodExtension } from './dispatch.js'
import type { Engine, Numbered } from './engine.js'
import { A2AError } from './errors.js'
import { invoke } from './invoke.js'
import { parseBody } from './json-text.js'
import { findLegacyMethod, type RpcMethod } from './legacy.js'
import { DEFAULT_LIMITS, type Limits } from './limits.js'
import type { AgentCard, Json, JsonRecord } from './model.js'
import { isOperationName, taskOf } from './operations.js'
import { asJson, isRecord } from './read-fields.js'
import { compact } from './read-message.js'
import { negotiateVersion, type Version, versionHint } from './version.js'
import {
  errorHeaders,
  errorObject,
  legacyErrorObject,
  type OnError,
  rpcStatus,
  toA2AError,
} from './wire-error.js'

export interface DispatchOptions {
  readonly engine: Engine
  /** The agent's own 1.0 card: its capabilities and extensions hold for every call. */
  readonly card: () => AgentCard
  readonly versions: readonly Version[]
  readonly extensions?: readonly MethodExtension[]
  readonly limits?: Limits
  readonly tenants?: Tenants
  readonly onError?: OnError
}

type Id = string | number | null

interface Envelope {
  readonly id: Id
  readonly method: string
  readonly params: Json
}

/** Never rejects: every failure is a reply. */
export function createDispatch(options: DispatchOptions): Dispatch {
  const { versions, onError } = options
  const extensions = new Map(
    options.extensions?.flatMap((extension) =>
      extension.methods.map((method) => [method, extension] as const),
    ),
  )
  return async (request) => {
    let id: Id = null
    let version: Version = '1.0'
    try {
      const value = parseBody(request.body)
      if (!isRecord(value)) throw new A2AError('INVALID_REQUEST', noObject(value))
      const extension = typeof value.method === 'string' ? extensions.get(value.method) : undefined
      if (extension !== undefined && (request.unauthenticated !== true || extension.authenticates === true))
        return observeExtension(await extension.handle(value, request), value, request)
      if (request.unauthenticated === true) throw new A2AError('UNAUTHENTICATED')
      const envelope = readEnvelope(value)
      id = envelope.id
      request.observe?.({ method: envelope.method })
      version = negotiateVersion(request.version, versions)
      request.observe?.({ version })
      return await answer(envelope, version, request, options)
    } catch (error) {
      const known = toA2AError(error, onError)
      request.observe?.({ outcome: known.code })
      const envelope = { jsonrpc: '2.0', id, error: errorOf(known, version) }
      return { kind: 'single', status: rpcStatus(known), envelope, headers: errorHeaders(known) }
    }
  }
}

async function answer(
  { id, method, params }: Envelope,
  version: Version,
  request: DispatchRequest,
  { engine, card, limits = DEFAULT_LIMITS, tenants, versions, onError }: DispatchOptions,
): Promise<DispatchReply> {
  const target = version === '1.0' ? modernMethod(method) : findLegacyMethod(method)
  if (target === undefined) throw unknownMethod(method, version, versions)
  if (!isRecord(params)) throw new A2AError('INVALID_PARAMS', 'Invalid params: params must be an object')
  const tenant = tenantOf(params, request.tenant, tenants)
  const call = openCall({ ...request, tenant }, request.carrier, version, card(), limits.extensions)
  const outcome = await invoke(
    target.operation,
    target.params(params),
    call,
    { engine, limits },
    request.after,
  )
  const observe = (result: unknown) =>
    request.observe?.(compact({ outcome: 'ok', task: taskOf(result) ?? taskOf(params) }))
  if (outcome.kind === 'unary') {
    observe(outcome.result)
    const envelope = { jsonrpc: '2.0', id, result: target.result(outcome.result) }
    return { kind: 'single', status: 200, envelope, headers: call.headers() }
  }
  const events = envelopes(outcome.events, id, target, version, request, onError, observe)
  return { kind: 'stream', headers: call.headers(), events, ...(call.resume && { numbered: true }) }
}

/** Never throws: an error after the first event is the last envelope. */
async function* envelopes(
  events: AsyncIterable<Numbered>,
  id: Id,
  target: RpcMethod,
  version: Version,
  request: DispatchRequest,
  onError: OnError | undefined,
  observe: (event: unknown) => void,
) {
  try {
    for await (const { seq, gap, event } of events) {
      observe(event)
      const envelope = { jsonrpc: '2.0', id, result: target.result(event) }
      yield { seq, envelope, ...(gap === true && { gap }) }
    }
  } catch (error) {
    const known = toA2AError(error, onError)
    request.observe?.({ outcome: known.code })
    yield { seq: 0, envelope: { jsonrpc: '2.0', id, error: errorOf(known, version) } }
  }
}

const errorOf = (error: A2AError, version: Version): JsonRecord =>
  version === '0.3' ? legacyErrorObject(error) : errorObject(error)

function modernMethod(method: string): RpcMethod | undefined {
  if (!isOperationName(method)) return undefined
  return { operation: method, params: (params) => params, result: asJson }
}

/** What is no request at all is answered with a null id (spec a2a 2.10). */
function readEnvelope(value: JsonRecord): Envelope {
  const { jsonrpc, method, id = null, params } = value
  if (jsonrpc !== '2.0') throw new A2AError('INVALID_REQUEST', 'Invalid request: jsonrpc must be "2.0"')
  if (typeof method !== 'string' || method === '')
    throw new A2AError('INVALID_REQUEST', 'Invalid request: method must be a string')
  if (id !== null && typeof id !== 'string' && !(typeof id === 'number' && Number.isSafeInteger(id)))
    throw new A2AError('INVALID_REQUEST', 'Invalid request: id must be a string, a whole number or null')
  return { id, method, params: params ?? {} }
}

const noObject = (value: Json): string =>
  Array.isArray(value) ? 'Invalid request: batches are not supported' : 'Invalid request: not an object'

/** A method of the other version gets told so (spec a2a 2.12). */
function unknownMethod(method: string, version: Version, versions: readonly Version[]): A2AError {
  const name = JSON.stringify(method.slice(0, 64))
  const other = isOperationName(method) ? '1.0' : findLegacyMethod(method) === undefined ? undefined : '0.3'
  if (other === undefined || other === version)
    return new A2AError('METHOD_NOT_FOUND', `Method ${name} not found`)
  const hint = versionHint(versions.includes(other) ? [other] : versions)
  return new A2AError('METHOD_NOT_FOUND', `Method ${name} is of version ${other}. ${hint}`)
}

function observeExtension(reply: DispatchReply, value: JsonRecord, request: DispatchRequest): DispatchReply {
  const error = reply.kind === 'single' ? reply.envelope.error : undefined
  const outcome = isRecord(error) ? String(error.code) : 'ok'
  request.observe?.({ method: String(value.method), outcome })
  return reply
}
