/** The shape of an `agent.request` (spec a2a 3.1): the first check, and the cheapest. */
import type { JsonRecord } from '../model.js'
import { isRecord } from '../read-fields.js'
import { type DialectFault, malformed, missing } from './fault.js'
import { decodeBase58 } from './profile.js'

export const AGENT_REQUEST = 'agent.request'

export interface AgentRequest {
  /** As it came, whole: what is verified is what is executed. */
  readonly params: JsonRecord
  readonly from: string
  readonly to: string
  readonly action: string
  readonly payload: JsonRecord
  readonly timestamp: string
  /** Empty under the profile `none`. */
  readonly signature: string
}

/** In the order in which the first that is missing is named. */
const TEXTS = ['from', 'to', 'action', 'timestamp', 'signature'] as const
const MAX_ACTION = 256
const MAX_NONCE = 256

export function readAgentRequest(
  envelope: JsonRecord,
  { isSigned }: { readonly isSigned: boolean },
):
  | { readonly ok: true; readonly request: AgentRequest }
  | { readonly ok: false; readonly fault: DialectFault } {
  const fail = (fault: DialectFault) => ({ ok: false, fault }) as const
  const { jsonrpc, id, params } = envelope
  if (jsonrpc !== '2.0') return fail(malformed('Invalid parameter: jsonrpc'))
  if (id !== undefined && id !== null && typeof id !== 'string' && typeof id !== 'number')
    return fail(malformed('Invalid parameter: id'))
  if (params === undefined || params === null) return fail(missing('from'))
  if (!isRecord(params)) return fail(malformed('Invalid parameter: params'))
  for (const name of TEXTS) {
    const value = params[name]
    if (name === 'signature' && !isSigned) continue
    if (value === undefined || value === null || value === '') return fail(missing(name))
    if (typeof value !== 'string') return fail(malformed(`Invalid parameter: ${name}`))
  }
  const { from, to, action, payload, timestamp, signature, nonce } = params
  if (payload === undefined || payload === null) return fail(missing('payload'))
  if (!isRecord(payload)) return fail(malformed('Invalid parameter: payload'))
  if (nonce !== undefined && (typeof nonce !== 'string' || nonce.length > MAX_NONCE))
    return fail(malformed('Invalid parameter: nonce'))
  if (decodeBase58(String(from), 32) === undefined) return fail(malformed('Invalid parameter: from'))
  if (decodeBase58(String(to), 32) === undefined) return fail(malformed('Invalid parameter: to'))
  if (isSigned && decodeBase58(String(signature), 64) === undefined)
    return fail(malformed('Invalid parameter: signature'))
  if (String(action).length > MAX_ACTION) return fail(malformed('Invalid parameter: action'))
  const request = {
    params,
    from: String(from),
    to: String(to),
    action: String(action),
    payload,
    timestamp: String(timestamp),
    signature: typeof signature === 'string' ? signature : '',
  }
  return { ok: true, request }
}
