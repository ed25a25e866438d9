/** JSON-RPC (spec a2a 2.1, 2.12), 1.0 and 0.3, over anything that carries envelopes: HTTP, or Aether events. */
import type { JsonRecord } from '../model.js'
import { isRecord } from '../read-fields.js'
import type { Version } from '../version.js'
import { type Binding, type CallOptions, unnumber } from './binding.js'
import { checkEvent } from './check.js'
import { invalidAnswer } from './errors.js'
import { legacyCall } from './legacy.js'
import { type Head, readRpcError } from './read-error.js'

export interface Envelope {
  readonly envelope: unknown
  /** Of SSE. */
  readonly id?: string | undefined
  readonly head?: Head
}

export interface Wire {
  /** @throws AgentError */
  call(envelope: JsonRecord, options: CallOptions): Promise<Envelope>
  stream(envelope: JsonRecord, options: CallOptions): AsyncIterable<Envelope>
  close(): void
}

export function rpcBinding(
  wire: Wire,
  {
    url,
    name,
    version,
    tenant,
  }: Pick<Binding, 'url' | 'name' | 'version'> & { readonly tenant: string | undefined },
): Binding {
  const envelopeOf = (method: string, params: JsonRecord): JsonRecord => ({
    jsonrpc: '2.0',
    id: crypto.randomUUID(),
    method,
    params: tenant === undefined ? params : { ...params, tenant },
  })
  return {
    url,
    name,
    version,
    async call(operation, params, options) {
      const { method, params: toWire, result } = translation(operation, version)
      const request = envelopeOf(method, toWire(params))
      const { envelope, head } = await wire.call(request, options)
      return result(resultOf(envelope, request, head))
    },
    async *stream(operation, params, options) {
      const { method, params: toWire, result } = translation(operation, version)
      const request = envelopeOf(method, toWire(params))
      for await (const { envelope, id, head } of wire.stream(request, options))
        yield unnumber(checkEvent(result(resultOf(envelope, request, head))), id)
    },
    close: () => wire.close(),
  }
}

function translation(
  operation: Parameters<Binding['call']>[0],
  version: Version,
): ReturnType<typeof legacyCall> {
  if (version === '0.3') return legacyCall(operation)
  return { method: operation, params: (params) => params, result: (result) => result }
}

function resultOf(envelope: unknown, request: JsonRecord, head: Head | undefined): unknown {
  if (!isRecord(envelope)) throw invalidAnswer('the answer is no JSON-RPC object', head?.status)
  if (isRecord(envelope.error)) throw readRpcError(envelope.error, head)
  if (envelope.jsonrpc !== '2.0' || envelope.result === undefined)
    throw invalidAnswer('the answer has neither a result nor an error', head?.status)
  if (envelope.id !== request.id) throw invalidAnswer('the answer is of another request', head?.status)
  return envelope.result
}
