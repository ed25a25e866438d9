#!/usr/bin/env node
/** The binary `aether-mcp`: flags, keys and signals around the server. Standard output belongs to the protocol. */
import { AgentError } from '@aetherkit/a2a/client'
import { type Client, ClientError, connect } from '@aetherkit/client'
import { PaymentError } from '@aetherkit/payments'
import { aetherContext, aetherTools } from '@aetherkit/tools'
import { a2aContext, a2aTools } from '@aetherkit/tools/a2a'
import { paymentContext, paymentTools } from '@aetherkit/tools/payments'
import { serveStdio } from '@modelcontextprotocol/server/stdio'
import { HELP } from './help.js'
import { agentKey, walletOf } from './keys.js'
import { mcpServer } from './mcp-server.js'
import { type CommandLine, type Environment, FlagError, readCommandLine } from './options.js'
import { registerTools } from './register-tools.js'

const EXIT = { ok: 0, internal: 1, flag: 2, relay: 3 } as const

try {
  const command = readCommandLine(process.argv.slice(2), process.env)
  if (command === 'help') process.stdout.write(HELP)
  else await serve(command, process.env)
} catch (error) {
  const [code, line] = explain(error)
  process.stderr.write(`aether-mcp: ${line}\n`)
  process.exit(code)
}

async function serve(command: CommandLine, env: Environment): Promise<void> {
  const { relays, prefix, askAbove } = command
  const signer = agentKey(command, env)
  const wallet = walletOf(command, env)
  const payments = wallet === undefined ? undefined : paymentContext(wallet, { askAbove })
  const client = await connect(relays, { signer })
  const aether = aetherContext(client)
  const agents = await openAgents(command, client, wallet)
  const calls = a2aContext()
  const handle = serveStdio(() => {
    const server = mcpServer(aetherTools, aether, { prefix })
    if (payments !== undefined) registerTools(server, paymentTools, payments, { prefix })
    if (agents !== undefined) registerTools(server, agents.tools, calls, { prefix })
    return server
  })
  const end = () => {
    void Promise.allSettled([handle.close(), agents?.close(), client.close()]).then(() =>
      process.exit(EXIT.ok),
    )
  }
  process.stdin.once('end', end).once('close', end)
  process.once('SIGTERM', end).once('SIGINT', end)
  const paying = payments === undefined ? '' : `, wallet ${payments.address} on ${command.network}`
  process.stderr.write(`aether-mcp: agent ${client.publicKey} on ${relays.join(', ')}${paying}\n`)
  await payments?.payments.recover().catch(() => 0)
}

/** The skills of other agents; one wallet and one budget for all of them. */
async function openAgents(command: CommandLine, client: Client, wallet: ReturnType<typeof walletOf>) {
  const { agents, allowPrivateNetwork, askAbove } = command
  const entries = Object.entries(agents)
  if (entries.length === 0) return undefined
  const payment = wallet && { ...wallet, askAbove }
  const sources = entries.map(([name, address]) => {
    const where = address.startsWith('aether:') ? { aether: address.slice(7), client } : { url: address }
    return [name, { ...where, allowPrivateNetwork, ...(payment && { payment }) }] as const
  })
  return a2aTools({ agents: Object.fromEntries(sources) })
}

/** One line for the user, and the exit code that HELP promises. */
function explain(error: unknown): [code: number, line: string] {
  if (error instanceof FlagError) return [EXIT.flag, `${error.message} (see --help)`]
  if (PaymentError.is(error)) return [EXIT.flag, error.message]
  if (AgentError.is(error)) return [EXIT.relay, `an agent cannot be reached: ${error.message}`]
  if (ClientError.is(error)) return [EXIT.relay, `no relay answers: ${error.message}`]
  return [EXIT.internal, `internal error: ${String(error)}`]
}
