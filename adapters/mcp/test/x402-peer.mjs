/**
 * The published x402 packages as both ends of a paid tool call. `@x402/mcp` itself is not in the registry: what it adds to
 * `@x402/core` is where offer, payment and receipt stand, which is written out here as its specification has it.
 */
import { createRequire } from 'node:module'

const require = createRequire(new URL('../../../test/interop/current/package.json', import.meta.url))

/** Undefined where `node test/interop/install.mjs` has not run. */
export function loadPeer() {
  try {
    require.resolve('@x402/core/client')
  } catch {
    return undefined
  }
  return { createBuyer, createSeller }
}

const PAYMENT = 'x402/payment'
const RECEIPT = 'x402/payment-response'

/** One unpaid call, one payment for the first thing it accepts, one paid call. */
async function createBuyer({ secretKey, rpcUrl, network }) {
  const { createKeyPairSignerFromBytes } = require('@solana/kit')
  const { x402Client } = require('@x402/core/client')
  const { parsePaymentRequired } = require('@x402/core/schemas')
  const { ExactSvmScheme } = require('@x402/svm/exact/client')
  const signer = await createKeyPairSignerFromBytes(secretKey)
  const buyer = new x402Client().register(network, new ExactSvmScheme(signer, { rpcUrl }))
  return async (call, params) => {
    const asked = await call(params)
    const offer = parsePaymentRequired(asked.structuredContent)
    if (!asked.isError || !offer.success) throw new Error(`no offer: ${JSON.stringify(offer.error ?? asked)}`)
    const text = parsePaymentRequired(JSON.parse(asked.content[0].text))
    if (!text.success) throw new Error('no offer as text')
    const payment = await buyer.createPaymentPayload(offer.data)
    return call({ ...params, _meta: { ...params._meta, [PAYMENT]: payment } })
  }
}

/** A tool sold by the reference's resource server and facilitator: verified, run, settled. */
async function createSeller({ secretKey, rpcUrl, network, payTo, price }) {
  const { createKeyPairSignerFromBytes } = require('@solana/kit')
  const { x402Facilitator } = require('@x402/core/facilitator')
  const { x402ResourceServer } = require('@x402/core/server')
  const { toFacilitatorSvmSigner } = require('@x402/svm')
  const { ExactSvmScheme: Settling } = require('@x402/svm/exact/facilitator')
  const { ExactSvmScheme: Selling } = require('@x402/svm/exact/server')
  const sponsor = toFacilitatorSvmSigner(await createKeyPairSignerFromBytes(secretKey), {
    defaultRpcUrl: rpcUrl,
  })
  const facilitator = new x402Facilitator().register(network, new Settling(sponsor))
  const server = new x402ResourceServer({
    verify: (...given) => facilitator.verify(...given),
    settle: (...given) => facilitator.settle(...given),
    getSupported: async () => facilitator.getSupported(),
  }).register(network, new Selling())
  await server.initialize()
  const accepts = await server.buildPaymentRequirements({ scheme: 'exact', network, payTo, price })
  return (name, tool) => async (args, meta) => {
    const resource = { url: `mcp://tool/${name}`, description: `Tool: ${name}`, mimeType: 'application/json' }
    const offered = async (error) => {
      const offer = await server.createPaymentRequiredResponse(accepts, resource, error)
      return {
        isError: true,
        structuredContent: offer,
        content: [{ type: 'text', text: JSON.stringify(offer) }],
      }
    }
    const payment = meta?.[PAYMENT]
    if (payment === undefined) return offered('Payment required to access this tool')
    const requirement = server.findMatchingRequirements(accepts, payment)
    if (requirement === undefined) return offered('No matching payment requirements found')
    const verified = await server.verifyPayment(payment, requirement)
    if (!verified.isValid) return offered(verified.invalidReason)
    const result = await tool(args)
    const settled = await server.settlePayment(payment, requirement)
    if (!settled.success) return offered(settled.errorReason)
    return { ...result, _meta: { [RECEIPT]: settled } }
  }
}
