/** JSON-RPC errors with the codes of a Solana node (spec solana 10, point 8). */
import type { Json } from './json.js'

export const RPC_CODES = {
  preflightFailed: -32002,
  signatureVerification: -32003,
  transactionVersion: -32015,
  minContextSlot: -32016,
  invalidRequest: -32600,
  unknownMethod: -32601,
  invalidParams: -32602,
  internal: -32603,
  parse: -32700,
} as const

export class RpcError extends Error {
  override readonly name = 'RpcError'
  readonly code: number
  readonly data: Json | undefined

  constructor(code: keyof typeof RPC_CODES, message: string, data?: Json) {
    super(message)
    this.code = RPC_CODES[code]
    this.data = data
  }
}

export function invalidParams(message: string): RpcError {
  return new RpcError('invalidParams', message)
}
