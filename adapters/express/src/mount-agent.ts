/** An agent in an Express application (spec a2a 1, 2.7): its endpoint under a path, its card at the origin's root too. */
import type { ServerResponse } from 'node:http'
import { type Agent, CARD_PATHS, type ParsedRequest } from '@aetherkit/a2a'

/** What of an application of Express 4 or 5 is used. */
export interface AgentHost {
  use(
    path: string,
    handler: (request: ParsedRequest, response: ServerResponse, next: (error?: unknown) => void) => void,
  ): unknown
}

export interface MountOptions {
  /** Where the agent answers; `/a2a` unless given. The agent's own `url` is the public origin and this path. */
  readonly path?: string
  /** The card at `/.well-known/agent-card.json` of the application as well; true unless given. The first agent has it. */
  readonly wellKnown?: boolean
}

/**
 * Mounts it, before `express.json()` if the agent's own limit on bodies is to hold: behind a parser the parser's limit and
 * its answer stand. A request that is none of the agent's goes on to the next handler.
 */
export function mountAgent(app: AgentHost, agent: Agent, options: MountOptions = {}): void {
  const { path = '/a2a', wellKnown = true } = options
  app.use(path, agent.listener)
  if (!wellKnown || path === '/') return
  app.use('/', (request, response, next) => {
    const [asked = ''] = (request.url ?? '').split('?')
    if (CARD_PATHS.includes(asked)) agent.listener(request, response, next)
    else next()
  })
}
