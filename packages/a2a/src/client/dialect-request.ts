/** `agent.request` to an agent whose card declares it (spec a2a 3, 4.2), over HTTP or over events. */
import { AGENT_REQUEST_EXTENSION } from '../dialect/card.js'
import { A2AError } from '../errors.js'
import type { EventTransport } from '../events/transport.js'
import type { AgentCard, JsonRecord } from '../model.js'
import { isRecord } from '../read-fields.js'
import type { Choice } from './choose-interface.js'
import type { Deadline } from './deadline.js'
import { AgentError } from './errors.js'
import { type Auth, credentials, type Fetch, fetchError } from './http-link.js'
import type { Payer } from './payment.js'
import { isUnconnected } from './session.js'

export interface DialectPeer {
  readonly card: AgentCard
  readonly choices: readonly Choice[]
  readonly fetch: Fetch
  readonly payer: Payer | undefined
  /** By public key. */
  readonly transports: ReadonlyMap<string, EventTransport>
  readonly auth?: Auth
}

export interface DialectCall {
  readonly action: string
  readonly payload: JsonRecord
  readonly key: Uint8Array | undefined
  readonly call: Deadline
  readonly idempotencyKey: string | undefined
}

/** @throws AgentError; PaymentError of the policy; TypeError without a key */
export async function dialectRequest(peer: DialectPeer, asked: DialectCall): Promise<JsonRecord> {
  const { card, choices, payer, transports } = peer
  const declared = card.capabilities.extensions?.find(({ uri }) => uri === AGENT_REQUEST_EXTENSION)
  const choice = choices.find(({ binding }) => binding !== 'HTTP+JSON')
  const to = declared?.params?.address
  if (choice === undefined || typeof to !== 'string')
    throw new AgentError('UNSUPPORTED_OPERATION', 'the card of this agent does not declare agent.request', {
      isUnsent: true,
    })
  const { action, payload, key, call, idempotencyKey } = asked
  if (key === undefined) throw new TypeError('agent.request needs `key`, the seed that signs it')
  const { url } = choice
  const transport = transports.get(url.slice('aether:'.length))
  const others = choices.filter(({ binding, tenant }) => binding === 'JSONRPC' && tenant === choice.tenant)
  // The same signed bytes are one call at all of them; what was paid for at one might be paid again at another.
  const urls = new Set([url, ...(payer === undefined ? others.map((other) => other.url) : [])])
  const fetch = transport === undefined ? overHttp(peer, [...urls]) : overEvents(transport, call)
  const timeoutMs = Math.max(1, Math.ceil(call.left()))
  const request = { key, to, action, payload, fetch, signal: call.signal, timeoutMs }
  try {
    if (payer === undefined) {
      const { agentRequest } = await import('../dialect/request.js')
      const result = await agentRequest(url, request)
      if (result.status === 'success') return result.data
      const { x402 } = result.paymentRequired
      throw new AgentError(
        'PAYMENT_REQUIRED',
        'the agent asks for payment, and this client has no budget for it',
        {
          requirements: isRecord(x402) ? x402 : result.paymentRequired,
        },
      )
    }
    const { paidAgentRequest } = await import('../dialect/paid-request.js')
    const paid = { ...request, buyer: payer.buyer, ...(idempotencyKey !== undefined && { idempotencyKey }) }
    return (await paidAgentRequest(url, paid)).data
  } catch (error) {
    call.signal.throwIfAborted()
    throw toAgentError(error)
  }
}

/** To the first of the URLs that can be connected to, and from then on to that. */
function overHttp({ fetch, auth }: DialectPeer, urls: readonly string[]): Fetch {
  let left = urls
  return async (_input, init = {}) => {
    const headers = new Headers(init.headers)
    const own = await credentials(auth, { isRetry: false, challenge: undefined })
    for (const [name, value] of Object.entries(own)) headers.set(name, value)
    while (true) {
      const [url = '', ...others] = left
      try {
        return await fetch(url, { ...init, headers })
      } catch (error) {
        if (others.length === 0 || !isUnconnected(fetchError(error))) throw error
        left = others
      }
    }
  }
}

/** The carrier has no headers: what is paid for rides in the result (spec a2a 5). */
const overEvents =
  (transport: EventTransport, call: Deadline): Fetch =>
  async (_input, init = {}) => {
    const timeoutMs = Math.max(1, Math.ceil(call.left()))
    const envelope = JSON.parse(String(init.body)) as JsonRecord
    return Response.json(await transport.call(envelope, { signal: init.signal ?? call.signal, timeoutMs }))
  }

function toAgentError(error: unknown): unknown {
  if (AgentError.is(error) || !A2AError.is(error)) {
    const isOwn = error instanceof TypeError || (error instanceof Error && error.name === 'PaymentError')
    return isOwn && !(error.cause instanceof Error) ? error : fetchError(error)
  }
  const { violations, metadata, retryAfterSeconds } = error.details
  return new AgentError(error.code, error.message, {
    source: 'agent',
    violations,
    metadata,
    retryAfterSeconds,
  })
}
