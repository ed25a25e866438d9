/** The extended card (spec a2a 2.1, 2.7, 2.8), signed as the card is and in the form that its caller gets. */
import type { CallContext, Engine } from '../engine.js'
import type { AgentCard } from '../model.js'
import { legacyCard, protoCard } from './legacy-card.js'
import { type CardSigner, signatureOf, signCard } from './sign.js'
import type { CardSource } from './source.js'

/**
 * Who is called by key alone asks for no path: over events the card itself is
 * what a caller gets where there is no other (spec a2a 5).
 */
export function withSignedCards(
  engine: Engine,
  source: CardSource,
  signer: CardSigner | undefined,
  hasNone: boolean,
): Engine {
  return {
    ...engine,
    async extendedCard(context) {
      const card =
        hasNone && context.carrier === 'events' ? source.card() : await engine.extendedCard(context)
      return signedFor(card, context, signer)
    },
  }
}

/** With signatures of the form that this caller gets: those that the application brought are of 1.0. */
async function signedFor(
  card: AgentCard,
  { version, carrier }: CallContext,
  signer: CardSigner | undefined,
): Promise<AgentCard> {
  if (version === '1.0')
    return signer === undefined || card.signatures !== undefined ? card : signCard(card, signer)
  const { signatures: _, ...bare } = card
  if (signer === undefined) return bare
  const form = carrier === 'rest' ? protoCard(bare) : legacyCard(bare)
  return { ...bare, signatures: [await signatureOf(form, signer)] }
}
