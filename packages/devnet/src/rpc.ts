/** One JSON-RPC call: find the method, run it, shape the answer. */
import type { Chain } from './chain.js'
import type { Faucet } from './faucet.js'
import type { Faults } from './faults.js'
import { isArray, isObject, type Json, type JsonObject, readJson, writeJson } from './json.js'
import { invalidParams, RPC_CODES, RpcError } from './rpc-error.js'

/** Ends in `-litesvm`, so that a tool can tell this chain from the real network (spec solana 10.1). */
export const API_VERSION = '3.0.0-litesvm'

export interface RpcContext {
  readonly chain: Chain
  readonly faults: Faults
  readonly faucet: Faucet
  /** Calls by method since the last reset. */
  readonly requests: Map<string, number>
}

type RpcMethod = (params: readonly Json[], context: RpcContext) => Json | Promise<Json>
export type RpcMethods = Readonly<Record<string, RpcMethod>>

/** Calls in one batch; more are refused. */
const MAX_BATCH = 1_000

/** The answer's text; undefined when there is nothing to answer (notifications). */
export async function answer(
  text: string,
  methods: RpcMethods,
  context: RpcContext,
): Promise<string | undefined> {
  let request: Json
  try {
    request = readJson(text)
  } catch {
    return writeJson(failure(null, RPC_CODES.parse, 'Parse error'))
  }
  if (!isArray(request)) {
    const response = await call(request, methods, context)
    return response && writeJson(response)
  }
  if (request.length === 0 || request.length > MAX_BATCH) {
    return writeJson(failure(null, RPC_CODES.invalidRequest, 'Invalid request'))
  }
  const responses = await Promise.all(request.map((one) => call(one, methods, context)))
  const answers = responses.filter((response) => response !== undefined)
  return answers.length === 0 ? undefined : writeJson(answers)
}

/** `{context, value}`, the shape of answers that depend on a slot. */
export function withContext(chain: Chain, value: Json): JsonObject {
  return { context: { apiVersion: API_VERSION, slot: chain.slot }, value }
}

async function call(
  request: Json,
  methods: RpcMethods,
  context: RpcContext,
): Promise<JsonObject | undefined> {
  if (!isObject(request) || typeof request.method !== 'string') {
    return failure(null, RPC_CODES.invalidRequest, 'Invalid request')
  }
  const { id, method: name } = request
  try {
    const result = await run(name, request.params, methods, context)
    return id === undefined ? undefined : { jsonrpc: '2.0', id, result }
  } catch (error) {
    if (id === undefined) return undefined
    if (error instanceof RpcError) return failure(id, error.code, error.message, error.data)
    const reason = error instanceof Error ? error.message : String(error)
    return failure(id, RPC_CODES.internal, `Internal error: ${reason}`)
  }
}

async function run(
  name: string,
  params: Json | undefined,
  methods: RpcMethods,
  context: RpcContext,
): Promise<Json> {
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined
  if (method === undefined) throw new RpcError('unknownMethod', 'Method not found')
  const list = params ?? []
  if (!isArray(list)) throw invalidParams('Invalid params: a list expected.')
  context.requests.set(name, (context.requests.get(name) ?? 0) + 1)
  await context.faults.delay(name)
  checkContextSlot(list, context.chain.slot)
  return method(list, context)
}

function checkContextSlot(params: readonly Json[], slot: number): void {
  const options = params.findLast(isObject)
  const least = options?.minContextSlot
  if (typeof least === 'number' && least > slot) {
    throw new RpcError('minContextSlot', 'Minimum context slot has not been reached', { contextSlot: slot })
  }
}

function failure(id: Json, code: number, message: string, data?: Json): JsonObject {
  return { jsonrpc: '2.0', id, error: { code, message, data } }
}
