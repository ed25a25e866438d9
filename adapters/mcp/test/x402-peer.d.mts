import type { CallToolResult } from '@modelcontextprotocol/server'
import type { CallParams } from '../src/index.js'

export interface Peer {
  createBuyer(options: {
    secretKey: Uint8Array
    rpcUrl: string
    network: string
  }): Promise<
    (call: (params: CallParams) => Promise<CallToolResult>, params: CallParams) => Promise<CallToolResult>
  >
  createSeller(options: {
    secretKey: Uint8Array
    rpcUrl: string
    network: string
    payTo: string
    price: string
  }): Promise<
    (
      name: string,
      tool: (args: { city: string }) => CallToolResult | Promise<CallToolResult>,
    ) => (args: { city: string }, meta: object | undefined) => Promise<CallToolResult>
  >
}

export function loadPeer(): Peer | undefined
