/** JSON-RPC envelopes over Aether events (spec a2a 5): the transport of `events/`, with its failures as AgentErrors. */

import { A2AError } from '../errors.js'
import type { EventTransport } from '../events/transport.js'
import type { Version } from '../version.js'
import { AgentError } from './errors.js'
import type { Wire } from './rpc-binding.js'

/** @param extensions URIs */
export function aetherWire(transport: EventTransport, version: Version, extensions: readonly string[]): Wire {
  const shared = { version, extensions }
  return {
    async call(envelope, { signal, timeoutMs }) {
      try {
        return { envelope: await transport.call(envelope, { ...shared, signal, timeoutMs }) }
      } catch (error) {
        signal.throwIfAborted()
        throw wireError(error)
      }
    },
    async *stream(envelope, { signal, timeoutMs, after, heard }) {
      try {
        for await (const item of transport.stream(envelope, { ...shared, signal, timeoutMs, after })) {
          heard?.()
          yield { envelope: item }
        }
      } catch (error) {
        signal.throwIfAborted()
        throw wireError(error)
      }
    },
    close: () => transport.close(),
  }
}

function wireError(error: unknown): unknown {
  if (A2AError.is(error)) return new AgentError(error.code, error.message, { isUnsent: true, cause: error })
  if (!(error instanceof Error) || error.name !== 'ClientError' || !('code' in error)) return error
  switch (error.code) {
    case 'TIMEOUT':
      return new AgentError('TIMEOUT', error.message, { cause: error })
    case 'PEER_ERROR':
      return new AgentError('INVALID_AGENT_RESPONSE', error.message, { cause: error })
    case 'CLOSED':
      return new AgentError('CLOSED', error.message, { cause: error })
    default:
      return new AgentError('UNREACHABLE', error.message, { cause: error })
  }
}
