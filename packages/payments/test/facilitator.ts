/** Facilitators over real HTTP for tests, on free ports; `closeAll` ends what a test opened. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeHeader } from '../src/codec/header.js'
import { facilitatorListener } from '../src/facilitator/node.js'
import { createFacilitator, type Facilitator, type FacilitatorOptions } from '../src/facilitator/server.js'
import { createLedger } from '../src/ledger/ledger.js'
import { memoryStore } from '../src/ledger/memory.js'
import type { Settler } from '../src/settler.js'

export const open: { close(): unknown }[] = []

export async function closeAll(): Promise<void> {
  for (const it of open.splice(0)) await it.close()
}

export async function listen(
  settler: Settler,
  options: Partial<FacilitatorOptions> = {},
): Promise<{ url: string; facilitator: Facilitator }> {
  const facilitator = createFacilitator({ settler, ledger: createLedger(memoryStore()), ...options })
  open.push(facilitator)
  return { facilitator, url: await serve(createServer(facilitatorListener(facilitator))) }
}

export async function serve(server: Server, port = 0): Promise<string> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  open.push({
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** The request body for the payment in a header. */
export async function callOf(headers: Record<string, string>) {
  const value = headers['payment-signature'] ?? headers['x-payment'] ?? ''
  const decoded = decodeHeader(value)
  if (!decoded.ok) throw new Error('no payment')
  const paymentPayload = JSON.parse(Buffer.from(value, 'base64').toString())
  return {
    x402Version: paymentPayload.x402Version,
    paymentPayload,
    paymentRequirements: paymentPayload.accepted,
  }
}

export const post = async (url: string, path: string, body: unknown) => {
  const response = await fetch(`${url}/${path}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return { status: response.status, headers: response.headers, json: await response.json() }
}
