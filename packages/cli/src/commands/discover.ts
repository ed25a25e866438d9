/** `aether discover`: who offers what. */
import type { AgentInfo } from '@aetherkit/client'
import { writePublicKey } from '@aetherkit/core'
import type { Command } from 'commander'
import { cardText } from '../agent-card.js'
import { type AgentFlags, type AgentTarget, isUrl, openAgent, targetOf } from '../agent-target.js'
import { connectTo } from '../connection.js'
import { EXIT_HELP, type ExitName, usage } from '../exit.js'
import { publicKeyOf } from '../filter-flags.js'
import { integer, type RelayFlags, withRelay } from '../flags.js'
import { runCommand, type Session } from '../session.js'
import { visible } from '../visible.js'

interface DiscoverFlags extends RelayFlags, AgentFlags {
  readonly agent?: string
  readonly limit: number
}

export function addDiscover(program: Command): void {
  withRelay(program.command('discover'))
    .summary('find agents')
    .description('Prints the agents that offer a capability, or what one agent says of itself.')
    .argument('[capability]', 'or the URL of an A2A agent, or aether:<key>: prints its card')
    .option('--agent <key>', 'the agent of this public key')
    .option('--limit <n>', 'agents at most', integer(1, 10_000), 100)
    .option('--allow-private-network', 'the URL may be in a private network, and http there')
    .addHelpText('after', EXIT_HELP)
    .action((capability: string | undefined, flags: DiscoverFlags) =>
      runCommand(flags, async (session) => {
        if (capability !== undefined && (isUrl(capability) || capability.startsWith('aether:'))) {
          if (flags.agent !== undefined) throw usage('either a URL or --agent <key> expected')
          return printCard(session, targetOf(capability), flags)
        }
        const query = queryOf(capability, flags)
        const client = await connectTo(session, flags)
        try {
          const { limit, timeout: timeoutMs } = flags
          const agents = await client.discover(query, { signal: session.signal, timeoutMs, limit })
          for (const agent of agents) {
            await session.print(
              () => agent,
              () => agentText(session, agent),
            )
          }
          if (agents.length === 0) session.note('no agent found')
        } finally {
          await client.close()
        }
        return 'ok'
      }),
    )
}

async function printCard(session: Session, target: AgentTarget, flags: DiscoverFlags): Promise<ExitName> {
  const client = target.kind === 'key' ? await connectTo(session, flags) : undefined
  try {
    const agent = await openAgent(session, target, flags, {
      client,
      timeoutMs: flags.timeout,
      cardOnly: true,
    })
    try {
      const { card, cardUrl } = agent
      await session.print(
        () => card,
        () => cardText(session, card, cardUrl),
      )
      return 'ok'
    } finally {
      await agent.close()
    }
  } finally {
    await client?.close()
  }
}

function queryOf(capability: string | undefined, { agent }: DiscoverFlags) {
  if ((capability === undefined) === (agent === undefined))
    throw usage('either a capability or --agent <key> expected')
  if (agent !== undefined) return { publicKey: publicKeyOf(agent) }
  if (capability === undefined || capability === '' || capability.length > 256)
    throw usage('a capability has 1 to 256 characters')
  return { capability }
}

function agentText({ paint }: Session, { publicKey, name, description, capabilities }: AgentInfo): string {
  const about = (text: string | undefined) => (text === undefined || text === '' ? '' : `  ${visible(text)}`)
  const head = `${paint('bold', visible(name ?? '(no name)'))}${about(description)}`
  const offers = capabilities.map(
    (each) => `  ${paint('green', visible(each.name))}${about(each.description)}`,
  )
  return [
    head,
    paint('dim', `  ${publicKey}`),
    paint('dim', `  ${writePublicKey(publicKey)}`),
    ...offers,
  ].join('\n')
}
