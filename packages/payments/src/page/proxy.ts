/**
 * What the page may ask of the chain (spec payments 11): its questions go to the seller's own node, at the URL of the
 * priced route, so that no browser needs a public one. Two methods, parameters made here, nothing else passes.
 */
import { parseJson, writeJson } from '@aetherkit/core'
import type { HeaderReader } from '../codec/classify.js'
import { createRateLimit } from '../rate.js'
import { createRpc, type Fetch, RpcError } from '../rpc.js'
import { decodeAddress } from '../solana.js'

/** A JSON array of the method and its parameters. A header of its own: no other origin can send it unasked. */
const RPC_HEADER = 'x-aetherkit-rpc'
/** Longest question, characters. */
const MAX_QUESTION = 200
const LIMIT = { burst: 30, perSecond: 2 }

interface ProxyAnswer {
  readonly status: number
  readonly body: string
}

/** Answers a question; undefined for a request that asks none. */
export type Proxy = (header: HeaderReader, ip: string | undefined) => Promise<ProxyAnswer | undefined>

export function createProxy(rpcUrl: string, fetch: Fetch | undefined): Proxy {
  const rpc = createRpc(rpcUrl, { timeoutMs: 5_000, ...(fetch !== undefined && { fetch }) })
  const allow = createRateLimit(LIMIT)
  return async (header, ip = '') => {
    const question = header(RPC_HEADER)
    if (question === undefined) return undefined
    const call = readQuestion(question)
    if (call === undefined) return failed(403, 'method_not_allowed')
    if (!allow(ip)) return failed(429, 'aetherkit_rate_limited')
    try {
      return { status: 200, body: writeJson({ result: await rpc.call(call.method, call.params) }) }
    } catch (error) {
      // A node's word on an account that does not exist; what else it says is not for the browser.
      if (error instanceof RpcError && error.rpcCode === -32602)
        return { status: 200, body: writeJson({ result: null }) }
      return failed(502, 'aetherkit_facilitator_unavailable')
    }
  }
}

function readQuestion(question: string): { method: string; params: readonly unknown[] } | undefined {
  const parsed = question.length <= MAX_QUESTION ? parseJson(question) : undefined
  if (parsed?.ok !== true || !Array.isArray(parsed.value)) return undefined
  const [method, address, ...more] = parsed.value
  const atConfirmed = { commitment: 'confirmed' }
  if (method === 'getLatestBlockhash' && address === undefined) return { method, params: [atConfirmed] }
  const isAddress = typeof address === 'string' && decodeAddress(address) !== undefined
  if (method === 'getTokenAccountBalance' && isAddress && more.length === 0)
    return { method, params: [address, atConfirmed] }
  return undefined
}

function failed(status: number, error: string): ProxyAnswer {
  return { status, body: writeJson({ error }) }
}
