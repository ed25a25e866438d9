/**
 * The card of an agent that is known by its public key alone (spec a2a 5): the one it tells callers, else what it
 * advertises, else just its address. The key is its identity: what it says needs no other signature.
 */
import type { Client } from '@aetherkit/client'
import { AETHER_BINDING, aetherInterfaces } from '../events/interface.js'
import type { EventTransport } from '../events/transport.js'
import type { AgentCard } from '../model.js'
import { STREAM_RESUME_EXTENSION } from '../stream-resume.js'
import { aetherWire } from './aether-wire.js'
import { AgentError } from './errors.js'
import { checkCard } from './read-card.js'
import { rpcBinding } from './rpc-binding.js'

const TIMEOUT_MS = 10_000

/** @throws AgentError TIMEOUT, UNREACHABLE for an agent that does not answer; CARD_REFUSED */
export async function aetherCard(
  publicKey: string,
  transport: EventTransport,
  client: Client | undefined,
  signal: AbortSignal,
): Promise<AgentCard> {
  const url = `aether:${publicKey}`
  const own = aetherInterfaces(publicKey, ['1.0', '0.3'])
  const binding = rpcBinding(aetherWire(transport, '1.0', []), {
    url,
    name: 'aether',
    version: '1.0',
    tenant: undefined,
  })
  try {
    const { card } = checkCard(
      await binding.call('GetExtendedAgentCard', {}, { signal, timeoutMs: TIMEOUT_MS }),
    )
    // Whatever else it lists: what was asked for is the agent at this key.
    const listed = card.supportedInterfaces.filter(
      (item) => item.protocolBinding === AETHER_BINDING && item.url === url,
    )
    return { ...card, supportedInterfaces: listed.length > 0 ? listed : own }
  } catch (error) {
    if (!AgentError.is(error) || error.source !== 'agent') throw error
  }
  const [info] = (await client?.discover({ publicKey }, { signal }).catch(() => [])) ?? []
  signal.throwIfAborted()
  const skills = (info?.capabilities ?? []).map(({ name, description = '' }) => ({
    id: name,
    name,
    description,
    tags: [name],
  }))
  return checkCard({
    name: info?.name ?? publicKey,
    description: info?.description ?? '',
    version: '',
    supportedInterfaces: own,
    // Whoever serves this carrier serves streams and their numbers.
    capabilities: { streaming: true, extensions: [STREAM_RESUME_EXTENSION] },
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
    skills,
  }).card
}
