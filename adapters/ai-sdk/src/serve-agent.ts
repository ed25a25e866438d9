/** An AI SDK agent for others, in one call: over HTTP, and over Aether events where it needs no open port. */
import {
  type Agent,
  type AgentOptions,
  createAgent,
  type Execution,
  memoryTaskStore,
  type Task,
} from '@aetherkit/a2a'
import { type Client, connect } from '@aetherkit/client'
import type { AiAgent } from './ai-agent.js'
import { observeChat, serveEnvelopes } from './chat-server.js'
import { aiSdkExecutor } from './executor.js'
import type { ServeA2A, ServeAether, ServeOptions } from './serve-options.js'
import { skillsOfTools } from './skills.js'
import { tracked } from './tracked.js'

export interface ServedAgent {
  readonly agent: Agent
  /** With `a2a.port`. */
  readonly url: string | undefined
  /** With `aether`: hex. */
  readonly publicKey: string | undefined
  /** Stops listening and ends what runs; the client too, if it was made here. */
  close(): Promise<void>
}

/** @throws TypeError as `createAgent`; ClientError as `connect` and `advertise`; Error of a port that is taken */
export async function serveAgent(source: AiAgent, options: ServeOptions): Promise<ServedAgent> {
  const { a2a, aether, ...executing } = options
  const { card, port, host, ...agentOptions } = a2a
  const client = aether && (aether.client ?? (await connectAs(aether, a2a.key)))
  const closeClient = async () => {
    if (client !== aether?.client) await client?.close()
  }
  try {
    const store = agentOptions.store ?? memoryTaskStore()
    const chat = aether?.chat === false ? undefined : { onError: report(a2a), ...aether?.chat }
    const executor = aiSdkExecutor(source, {
      ...executing,
      recall: (execution) => endedTasks(store, execution),
      ...(client && chat && { observe: (execution) => observeChat(client, execution, chat) }),
    })
    const running = tracked(executor)
    const skills = card.skills ?? skillsOfTools(source, card)
    const agent = createAgent({ ...agentOptions, store, card: { ...card, skills }, executor: running })
    const relays = aether?.relays ?? client?.connected ?? []
    const events = client && agent.serveOn(client, { relays: [relays].flat() })
    const chats = client && chat && serveEnvelopes(agent, client)
    const close = async () => {
      chats?.close()
      await events?.close()
      await agent.close()
      // What was aborted still tells its chat.
      await running.settled()
      await closeClient()
    }
    try {
      const listening = port === undefined ? undefined : await agent.listen(port, host)
      await Promise.all([events?.ready, chats?.ready])
      if (client && aether?.advertise !== false) await advertise(client, agent)
      return { agent, url: listening?.url, publicKey: client?.publicKey, close }
    } catch (error) {
      await close()
      throw error
    }
  } catch (error) {
    await closeClient()
    throw error
  }
}

async function connectAs(aether: ServeAether, cardKey: ServeA2A['key']): Promise<Client> {
  const { relays, key = cardKey, noise, relayKeys, onError } = aether
  if (relays === undefined || !(key instanceof Uint8Array))
    throw new TypeError('aether: expected a client, or relays and a key of 32 bytes')
  return connect(relays, { signer: key, noise, relayKeys, onError })
}

async function advertise(client: Client, agent: Agent): Promise<void> {
  const { name, description, skills } = agent.card()
  const capabilities = skills.map(({ id, description: text }) => ({ name: id, description: text }))
  await client.advertise({ name, description, capabilities })
}

async function endedTasks(
  store: NonNullable<AgentOptions['store']>,
  { context, task }: Execution,
): Promise<readonly Task[]> {
  const { caller, tenant } = context
  const query = {
    contextId: task.contextId,
    pageSize: 100,
    includeArtifacts: true,
    owner: caller.owner,
    tenant,
  }
  const { tasks } = await store.list(query)
  return tasks.filter(({ id }) => id !== task.id).toReversed()
}

const report =
  ({ onError }: ServeA2A) =>
  (error: unknown) =>
    onError?.(error, 'chat')
