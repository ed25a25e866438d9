/** An agent on the air and a caller, each on a line that the test may spoil. */
import { type AgentOptions, createAgent } from '../src/agent.js'
import type { DispatchRequest } from '../src/dispatch.js'
import { type ServeOptions, serveOnAether } from '../src/events/serve.js'
import { aetherTransport, type TransportOptions } from '../src/events/transport.js'
import type { JsonRecord } from '../src/model.js'
import { clientOf, type Fate, later, onBadLine, openAir } from './aether.js'
import { AGENT_SEED, CALLER_SEED } from './dialect.js'
import { CARD, parrot } from './http.js'

// biome-ignore lint/suspicious/noExplicitAny: what came over the wire, looked into by the test
export type Loose = any

export const rpc = (method: string, params: object = {}, id: number | string = 1): JsonRecord =>
  ({ jsonrpc: '2.0', id, method, params }) as JsonRecord

/** Ids and times that are the same in every run. */
export function fixed(): Partial<AgentOptions> {
  let id = 0
  return { randomId: () => `id-${id++}` }
}

export function newAgent(options: Partial<AgentOptions> = {}) {
  const agent = createAgent({
    card: CARD,
    executor: parrot,
    key: AGENT_SEED,
    url: 'https://agent.example',
    ...options,
  })
  later(() => agent.close())
  return agent
}

export interface WorldOptions {
  readonly agent?: Partial<AgentOptions>
  readonly serve?: ServeOptions
  readonly transport?: TransportOptions
  /** Faults of what the agent sends, and of what the caller sends. */
  readonly out?: (nth: number) => Fate
  readonly in?: (nth: number) => Fate
}

export async function world(options: WorldOptions = {}) {
  const air = await openAir()
  const agent = newAgent(options.agent)
  const [server, caller] = [
    await clientOf(air, { signer: AGENT_SEED }),
    await clientOf(air, { signer: CALLER_SEED }),
  ]
  const served: DispatchRequest[] = []
  const dispatch: typeof agent.dispatch = (asked) => {
    served.push(asked)
    return agent.dispatch(asked)
  }
  const line = options.out === undefined ? server : onBadLine(server, options.out)
  const own = options.in === undefined ? caller : onBadLine(caller, options.in)
  const desk = serveOnAether(dispatch, line, options.serve)
  later(() => desk.close())
  await desk.ready
  const transport = aetherTransport(own, server.publicKey, options.transport)
  later(async () => transport.close())
  return { air, agent, server, caller, served, desk, transport }
}

export async function all(stream: AsyncIterable<JsonRecord>): Promise<Loose[]> {
  const envelopes: JsonRecord[] = []
  for await (const envelope of stream) envelopes.push(envelope)
  return envelopes
}

/** The text of the artifact as a reader of the stream has it at the end; a snapshot stands for what was before. */
export function textOf(envelopes: readonly Loose[]): string {
  let text = ''
  for (const { result } of envelopes) {
    const parts = result?.artifactUpdate?.artifact.parts
    if (result?.task !== undefined)
      text = (result.task.artifacts?.[0]?.parts ?? []).map((part: Loose) => part.text).join('')
    else if (parts !== undefined)
      text =
        (result.artifactUpdate.append === true ? text : '') + parts.map((part: Loose) => part.text).join('')
  }
  return text
}
export const stateOf = (envelopes: readonly Loose[]): string => {
  const { result } = envelopes.at(-1)
  return (result.statusUpdate ?? result.task).status.state
}
