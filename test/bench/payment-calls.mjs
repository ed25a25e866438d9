/** Sound payments in any number, made before the clock starts: the calls that both facilitators are given. */
import { randomBytes, sign } from 'node:crypto'
import {
  computeLimit,
  computePrice,
  memo,
  TOKEN,
  transferChecked,
} from '../interop/differential/instructions.mjs'
import { compile, encodeMessage, encodeWire, signMessage } from '../interop/differential/message.mjs'

const AMOUNT = 1_000n

/**
 * `chain`: what ours/devnet.mjs says when ready; `payers`: key pairs, taken in turn; with `sponsorKeys` the
 * transactions are complete and can be sent as they are.
 */
export async function makeCalls(chain, payers, count, sponsorKeys) {
  const { rpcUrl, network, mint, decimals, payTo, sponsor } = chain
  const { blockhash } = (await rpc(rpcUrl, 'getLatestBlockhash', [])).value
  const destination = await tokenAccount(rpcUrl, payTo, mint)
  const sources = new Map()
  for (const { address } of payers) sources.set(address, await tokenAccount(rpcUrl, address, mint))
  const requirements = {
    scheme: 'exact',
    network,
    amount: `${AMOUNT}`,
    asset: mint,
    payTo,
    maxTimeoutSeconds: 60,
    extra: { feePayer: sponsor },
  }
  return Array.from({ length: count }, (_, i) => {
    const payer = payers[i % payers.length]
    const transfer = {
      source: sources.get(payer.address),
      mint,
      destination,
      authority: payer.address,
      amount: AMOUNT,
      decimals,
    }
    const compiled = compile({
      version: 0,
      feePayer: sponsor,
      blockhash,
      instructions: [
        computeLimit(20_000),
        computePrice(1n),
        transferChecked(TOKEN, transfer),
        memo(randomBytes(16).toString('hex')),
      ],
    })
    const message = encodeMessage(compiled)
    const signatures = signMessage(message, compiled, new Map([[payer.address, payer]]))
    if (sponsorKeys !== undefined) signatures[0] = sign(null, message, sponsorKeys.privateKey)
    const transaction = encodeWire(signatures, message).toString('base64')
    return {
      x402Version: 2,
      paymentPayload: { x402Version: 2, accepted: requirements, payload: { transaction } },
      paymentRequirements: requirements,
    }
  })
}

async function tokenAccount(rpcUrl, owner, mint) {
  const { value } = await rpc(rpcUrl, 'getTokenAccountsByOwner', [owner, { mint }, { encoding: 'base64' }])
  if (value.length === 0) throw new Error(`${owner} has no token account`)
  return value[0].pubkey
}

async function rpc(rpcUrl, method, params) {
  const headers = { 'Content-Type': 'application/json' }
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method, params })
  const { result, error } = await (await fetch(rpcUrl, { method: 'POST', headers, body })).json()
  if (error !== undefined) throw new Error(`${method}: ${error.message}`)
  return result
}
