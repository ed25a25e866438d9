/**
 * JSON-RPC to a Solana node. Answers are read losslessly: integers beyond 2^53 keep their digits (spec solana 1.2).
 * One request, one answer, one deadline; a 429 is an error and never a hidden sleep.
 */
import { isJsonObject, type JsonObject, type JsonValue, parseJson, writeJson } from '@aetherkit/core'
import { PaymentError } from './errors.js'
import { createPost, type Post } from './http-post.js'

export type Fetch = (url: string, init: RequestInit) => Promise<Response>

export interface RpcOptions {
  /** In place of kept connections of our own. */
  readonly fetch?: Fetch
  /** Deadline of one request, 10 s by default. */
  readonly timeoutMs?: number
}

export interface Rpc {
  readonly url: string
  /** @throws PaymentError `rpc_failed`: no answer in time, not JSON-RPC, or an error object (then `data` has it) */
  call(method: string, params: readonly unknown[]): Promise<JsonValue>
}

/** A node's error object. */
export class RpcError extends PaymentError {
  readonly rpcCode: number
  readonly data: JsonValue | undefined

  constructor(method: string, rpcCode: number, message: string, data: JsonValue | undefined) {
    super('rpc_failed', `${method}: ${message} (${rpcCode})`)
    this.rpcCode = rpcCode
    this.data = data
  }
}

export function createRpc(url: string, options: RpcOptions = {}): Rpc {
  const { fetch, timeoutMs = 10_000 } = options
  let post: Post | undefined = fetch && postBy(fetch, url)
  let id = 0
  async function ask(method: string, body: string): Promise<JsonObject> {
    let answer: Awaited<ReturnType<Post>>
    try {
      post ??= createPost(url)
      answer = await post(body, timeoutMs)
    } catch (cause) {
      throw new PaymentError('rpc_failed', `${method}: no answer from the node`, { cause })
    }
    const parsed = parseJson(answer.text, { maxDepth: 64 })
    if (!parsed.ok || !isJsonObject(parsed.value)) {
      throw new PaymentError('rpc_failed', `${method}: HTTP ${answer.status}, not JSON-RPC`)
    }
    return parsed.value
  }
  return {
    url,
    async call(method, params) {
      const body = writeJson({ jsonrpc: '2.0', id: ++id, method, params })
      const answer = await ask(method, body)
      if (isJsonObject(answer.error)) {
        const { code, message, data } = answer.error
        throw new RpcError(method, Number(code), String(message), data)
      }
      if (answer.result === undefined)
        throw new PaymentError('rpc_failed', `${method}: an answer without a result`)
      return answer.result
    },
  }
}

/** The `value` of an answer that comes with a context. */
export function resultValue(result: JsonValue): JsonValue {
  if (!isJsonObject(result) || result.value === undefined) {
    throw new PaymentError('rpc_failed', 'an answer with a value expected')
  }
  return result.value
}

/** Whether the node is on this machine: demo keys are good for nothing else (spec solana 14). */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url)
  return hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)
}

function postBy(fetch: Fetch, url: string): Post {
  return async (body, timeoutMs) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(timeoutMs),
    })
    return { status: response.status, text: await response.text() }
  }
}
