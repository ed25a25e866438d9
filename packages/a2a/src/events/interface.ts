/** How a card says that an agent is on the relays (spec a2a 5). */
import type { AgentExtension, AgentInterface } from '../model.js'

/** A custom binding in the sense of the A2A spec, section 12. */
export const AETHER_BINDING = 'https://aetherkit.dev/a2a/bindings/aether-events/v1'
/** Carries the relays where the agent listens. */
export const AETHER_EXTENSION = 'https://aetherkit.dev/ext/aether-relays/v1'

export function aetherInterfaces(
  publicKey: string,
  versions: readonly string[] = ['1.0'],
): readonly AgentInterface[] {
  return versions.map((protocolVersion) => ({
    url: `aether:${publicKey}`,
    protocolBinding: AETHER_BINDING,
    protocolVersion,
  }))
}

export function relayExtension(relays: readonly string[]): AgentExtension {
  return {
    uri: AETHER_EXTENSION,
    description: 'The relays where this agent takes A2A frames.',
    required: false,
    params: { relays },
  }
}
