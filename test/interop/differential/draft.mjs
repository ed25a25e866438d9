/** A payment in the making: a sound one first, then whatever a mutation does to it, then its bytes. */
import { computeLimit, computePrice, memo, TOKEN, transferChecked } from './instructions.mjs'
import { compile, encodeMessage, encodeWire, signMessage } from './message.mjs'

/**
 * A sound payment: what both verifiers take. Its memo is asked for in half of the drafts.
 *
 * `edits` change the compiled message, `wires` the bytes after signing, `texts` the base64; each in the order given.
 */
export function soundDraft(world, random) {
  const { buyer, merchant, sponsor, blockhash, mints, associated } = world
  const text = random.bytes(16).toString('hex')
  const isMemoAsked = random.chance(0.5)
  const amount = BigInt(1 + random.below(50_000))
  const mint = mints.usdc
  return {
    requirement: {
      scheme: 'exact',
      network: world.network,
      amount: `${amount}`,
      asset: mint.address,
      payTo: merchant.address,
      maxTimeoutSeconds: 60,
      extra: { feePayer: sponsor.address, ...(isMemoAsked && { memo: text }) },
    },
    accepted: undefined,
    mint,
    version: 0,
    feePayer: sponsor.address,
    blockhash,
    instructions: [
      computeLimit(20_000),
      computePrice(1n),
      transferChecked(TOKEN, {
        source: associated(buyer.address, mint.address, TOKEN),
        mint: mint.address,
        destination: associated(merchant.address, mint.address, TOKEN),
        authority: buyer.address,
        amount,
        decimals: mint.decimals,
      }),
      memo(text),
    ],
    lookups: [],
    memo: { text, isAsked: isMemoAsked },
    edits: [],
    wires: [],
    texts: [],
  }
}

/** The call of a facilitator's `/verify`; undefined when the mutations together make nothing that can be written. */
export function finishDraft(draft, world) {
  try {
    const compiled = compile(draft)
    for (const edit of draft.edits) edit(compiled)
    const message = encodeMessage(compiled)
    let wire = encodeWire(signMessage(message, compiled, world.signers), message)
    for (const change of draft.wires) wire = change(wire, { compiled, message })
    let transaction = wire.toString('base64')
    for (const change of draft.texts) transaction = change(transaction)
    const { requirement, accepted = requirement } = draft
    return {
      x402Version: 2,
      paymentPayload: { x402Version: 2, accepted, payload: { transaction } },
      paymentRequirements: requirement,
    }
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError) return undefined
    throw error
  }
}
