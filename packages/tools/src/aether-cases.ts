/** Conformance cases of the Aether tools, over two clients that are connected to one relay. */
import type { AetherContext } from './context.js'
import { aetherTools } from './index.js'
import type { ToolCase } from './testing.js'

type Client = AetherContext['client']
type Name = (typeof aetherTools)[number]['name']

/**
 * One case for each Aether tool. `peer` is made ready first: it advertises, serves `echo` and publishes a note, so that
 * every tool of `client` finds something.
 */
export async function aetherToolCases(client: Client, peer: Client): Promise<ToolCase<AetherContext>[]> {
  const since = new Date(Date.now() - 1_000).toISOString()
  const topic = 'conformance'
  peer.serve('echo', (payload) => payload)
  await peer.advertise({ name: 'Echo', capabilities: [{ name: 'echo', description: 'Says it back' }] })
  const note = await peer.publish({ kind: 1, content: 'a note', tags: [['t', topic]] })
  const inputs: Record<Name, unknown> = {
    aether_publish: { text: 'hello', topic, to: peer.publicKey, reply_to: note.id },
    aether_query: { topic, from: [peer.publicKey], kinds: [1], limit: 5 },
    aether_wait: { topic, since, timeout_seconds: 5 },
    aether_request: { to: peer.publicKey, action: 'echo', payload: '{"n":1}', format: 'json' },
    aether_discover: { capability: 'echo' },
    aether_advertise: { name: 'Tester', capabilities: [{ name: 'test', description: 'Tests' }] },
    aether_state_read: { key: topic },
    aether_state_write: { key: topic, value: 'green' },
    aether_read_more: { id: note.id },
  }
  return aetherTools.map((definition) => ({
    definition,
    input: inputs[definition.name],
    context: () => ({ client }),
  }))
}
