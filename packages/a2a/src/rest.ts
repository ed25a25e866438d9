/**
 * HTTP+JSON (spec a2a 2.1, 2.10): path, query and body become the params that JSON-RPC would have, and the same operation
 * is called; what comes back goes out bare.
 */
import { openCall, tenantOf } from './call.js'
import type { Observed } from './dispatch.js'
import type { Caller, Numbered } from './engine.js'
import { A2AError } from './errors.js'
import { invoke } from './invoke.js'
import type { DispatchOptions } from './jsonrpc.js'
import { DEFAULT_LIMITS } from './limits.js'
import type { Json, JsonRecord } from './model.js'
import { type OperationName, taskOf } from './operations.js'
import { asJson, isRecord } from './read-fields.js'
import { compact } from './read-message.js'
import { type RestShape, type Route, restShape } from './rest-routes.js'
import type { SseItem } from './sse.js'
import { negotiateVersion, type Version, versionHint } from './version.js'
import {
  errorHeaders,
  httpStatus,
  legacyErrorObject,
  type OnError,
  restError,
  toA2AError,
} from './wire-error.js'

export interface RestCall {
  readonly route: Route
  readonly operation: OperationName
  readonly query: URLSearchParams
  /** Parsed; undefined for GET and DELETE. */
  readonly body: Json | undefined
  readonly version: string | undefined
  readonly extensions: string | undefined
  readonly caller: Caller
  readonly header: (name: string) => string | undefined
  readonly signal: AbortSignal
  readonly peer?: string
  readonly after?: number
  readonly observe: (facts: Observed) => void
}

export type RestReply =
  | {
      readonly kind: 'single'
      readonly status: number
      /** Undefined: nothing. */
      readonly body: Json | undefined
      readonly headers: Readonly<Record<string, string>>
    }
  | {
      readonly kind: 'stream'
      readonly items: AsyncIterable<SseItem>
      readonly headers: Readonly<Record<string, string>>
    }

/** @throws A2AError, before the first event of a stream; `restRefusal` makes the answer of it */
export async function answerRest(call: RestCall, options: DispatchOptions): Promise<RestReply> {
  const { route, operation, observe } = call
  const { limits = DEFAULT_LIMITS, engine, card, onError } = options
  const version = versionOf(call, options.versions)
  observe({ method: operation, version })
  const shape = restShape(version)
  const body = call.body ?? {}
  if (!isRecord(body)) throw new A2AError('INVALID_REQUEST', 'Invalid request: the body must be an object')
  const given: JsonRecord = { ...queryParams(call.query), ...body }
  const params = shape.params(operation, { ...given, ...route.fixed })
  refuseMismatch(given, route.fixed)
  const tenant = tenantOf(given, route.tenant, options.tenants)
  const opened = openCall({ ...call, tenant }, 'rest', version, card(), limits.extensions)
  const outcome = await invoke(operation, params, opened, { engine, limits }, call.after)
  const seen = (result: unknown) =>
    observe(compact({ outcome: 'ok', task: taskOf(result) ?? taskOf(params) }))
  if (outcome.kind === 'stream') {
    const items = events(outcome.events, call, shape, version, opened.resume, onError, seen)
    return { kind: 'stream', headers: opened.headers(), items }
  }
  seen(outcome.result)
  const isEmpty = outcome.result === null
  const result = isEmpty ? undefined : shape.result(operation, outcome.result)
  return { kind: 'single', status: isEmpty ? 204 : 200, body: result, headers: opened.headers() }
}

/** The answer to anything that was thrown. */
export function restRefusal(
  error: unknown,
  version: Version,
  observe: ((facts: Observed) => void) | undefined,
  onError: OnError | undefined,
): RestReply {
  const known = toA2AError(error, onError)
  observe?.({ outcome: known.code })
  const body = version === '0.3' ? legacyErrorObject(known) : restError(known)
  return { kind: 'single', status: httpStatus(known), body, headers: errorHeaders(known) }
}

async function* events(
  numbered: AsyncIterable<Numbered>,
  { operation, observe }: RestCall,
  shape: RestShape,
  version: Version,
  resume: boolean,
  onError: OnError | undefined,
  seen: (event: unknown) => void,
): AsyncGenerator<SseItem> {
  try {
    for await (const { seq, event } of numbered) {
      seen(event)
      yield { data: JSON.stringify(shape.result(operation, event)), ...(resume && { id: seq }) }
    }
  } catch (error) {
    const refusal = restRefusal(error, version, observe, onError)
    if (refusal.kind === 'single') yield { data: JSON.stringify(refusal.body), error: true }
  }
}

/** The path says the version too: one of 0.3 lies below `/v1`, and no other does. */
function versionOf({ route, version }: RestCall, versions: readonly Version[]): Version {
  const asked = negotiateVersion(version, versions)
  if (asked === route.version) return asked
  const hint = versionHint(versions.includes(route.version) ? [route.version] : versions)
  throw new A2AError('VERSION_NOT_SUPPORTED', `This path is of version ${route.version}. ${hint}`, {
    metadata: { supportedVersions: versions.join(', ') },
  })
}

/** Flags as true and false; numbers stay text, which ProtoJSON allows. A name given twice is refused. */
function queryParams(query: URLSearchParams): JsonRecord {
  const names = [...query.keys()]
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined)
    throw new A2AError('INVALID_PARAMS', 'Invalid params: a query parameter is given twice', {
      violations: [{ field: twice, description: 'must be given once' }],
    })
  const entries = [...query].map(([name, text]): [string, Json] => [name, readFlag(name, text)])
  return asJson(Object.fromEntries(entries))
}

function readFlag(name: string, text: string): Json {
  if (!/^(includeArtifacts|include_artifacts)$/.test(name)) return text
  return text === 'true' ? true : text === 'false' ? false : text
}

/** A member that the path holds may be repeated in the body, but not with another value. */
function refuseMismatch(given: JsonRecord, fixed: JsonRecord): void {
  for (const [name, value] of Object.entries(fixed)) {
    const other = given[name]
    if (other === undefined || other === null || other === '' || other === value) continue
    throw new A2AError('INVALID_PARAMS', `Invalid params: ${name} must be the one of the path`, {
      violations: [{ field: name, description: 'must be the one of the path' }],
    })
  }
}
