/** `aether request`: calls an agent - by its public key, sealed; or by URL or key as A2A - and prints what it answers. */
import type { Json } from '@aetherkit/client'
import type { Command } from 'commander'
import { type AgentCallFlags, callAgent } from '../agent-call.js'
import { targetOf } from '../agent-target.js'
import { answerText } from '../answer-text.js'
import { connectTo } from '../connection.js'
import { EXIT_HELP, type ExitName, usage } from '../exit.js'
import { collect, DEFAULT_TIMEOUT, withRelay } from '../flags.js'
import { argumentOrInput } from '../input.js'
import { runCommand, type Session } from '../session.js'

interface RequestFlags extends Omit<AgentCallFlags, 'timeout'> {
  readonly timeout?: number
  readonly text?: boolean
  readonly a2a?: boolean
}

/** A call has to fit into an event; bytes. */
const MAX_PAYLOAD = 1 << 20
const MAX_WAIT = 3_600_000
/** Agents work on tasks; ms. */
const A2A_TIMEOUT = 300_000

const REQUEST_HELP = `
Examples:
  aether request <key> greet '{"name":"Ann"}'   a sealed call, see aether serve
  aether request https://agent.example 'Hello'  a message to an A2A agent
  aether request <key> --a2a 'Hello'            the same by key, over relays
  aether request <url> book '{"seat":"1A"}'     an action of an A2A agent that
                                                has them, signed with your key

What an A2A agent makes goes to standard output as it is made, what it says
about its task to standard error. With --json every event is a line, as A2A
writes it, and the last line is the whole task. When the agent asks back, the
exit code is 8: answer with --task. Nothing is ever paid: when the agent wants
money, its price is named and the exit code is 9.

A URL must be https and lead to a public address. This machine, written as
127.0.0.1, [::1] or localhost, may be http; anything else that is not public
needs --allow-private-network. Redirects are not followed.`

export function addRequest(program: Command): void {
  const command = program
    .command('request')
    .summary('call an agent')
    .description(
      'Calls an agent and prints its answer: by public key, sealed end to end, or as an A2A agent.',
    )
    .argument(
      '<agent>',
      'public key, as hex or aepub...; for A2A its URL or that of its card, or aether:<key>',
    )
    .argument('[action]', 'what to ask for; for A2A the text of a message (default or -: standard input)')
    .argument(
      '[payload]',
      'JSON; without it, or with -, standard input; null where that is a terminal or empty',
    )
  withRelay(command, '10s, and 5m for A2A')
    .option('--text', 'the payload is text as it is, no JSON')
    .option('--id <id>', 'name of the call: a second one under it is answered, not executed again')
    .optionsGroup('A2A:')
    .option('--a2a', 'the agent of this public key speaks A2A over the relays')
    .option('--data <json>', 'data in the message, may be repeated', collect)
    .option('--file <path>', 'a file in the message, may be repeated', collect)
    .option('--task <id>', 'the task that the message answers; without a message: follow it')
    .option('--context <id>', 'the conversation that the message goes on')
    .option('--cancel', 'end the task of --task')
    .option('--save <folder>', 'write files that the agent gives there')
    .option('--token-file <file>', 'file with a bearer token, mode 0600')
    .option('--allow-origin <origin>', 'the agent may be at another origin than its card', collect)
    .option('--allow-private-network', 'the agent may be in a private network, and http there')
    .addHelpText('after', REQUEST_HELP)
    .addHelpText('after', EXIT_HELP)
    .action((agent: string, second: string | undefined, third: string | undefined, flags: RequestFlags) =>
      runCommand(flags, async (session) => {
        const target = targetOf(agent, flags.a2a)
        const isA2A = target.kind === 'url' || target.isA2A
        const timeout = flags.timeout ?? (isA2A ? A2A_TIMEOUT : DEFAULT_TIMEOUT)
        if (timeout > MAX_WAIT) throw usage('a call takes at most an hour')
        const { id } = flags
        if (id !== undefined && (id === '' || id.length > 128)) throw usage('an id has 1 to 128 characters')
        if (isA2A) return callAgent(session, target, { text: second, payload: third }, { ...flags, timeout })
        return sealedCall(session, target.publicKey, second, third, { ...flags, timeout })
      }),
    )
}

async function sealedCall(
  session: Session,
  publicKey: string,
  action: string | undefined,
  given: string | undefined,
  flags: RequestFlags & { readonly timeout: number },
): Promise<ExitName> {
  const { data, file, task, context, cancel, save, tokenFile, allowOrigin, allowPrivateNetwork } = flags
  const others = [data, file, task, context, cancel, save, tokenFile, allowOrigin, allowPrivateNetwork]
  if (others.some((flag) => flag !== undefined))
    throw usage('that is for A2A agents: give a URL, or add --a2a')
  if (action === undefined || action === '' || action.length > 256)
    throw usage('an action of 1 to 256 characters expected (for an A2A agent add --a2a)')
  const payload = payloadOf(await argumentOrInput(given, session.signal, MAX_PAYLOAD), flags)
  const client = await connectTo(session, flags)
  try {
    const { id, timeout: timeoutMs } = flags
    const answer = await client.request(publicKey, action, payload, { signal: session.signal, timeoutMs, id })
    await session.write(session.json ? `${JSON.stringify(answer)}\n` : answerText(answer))
  } finally {
    await client.close()
  }
  return 'ok'
}

function payloadOf(bytes: Uint8Array | undefined, { text: asText }: RequestFlags): Json {
  const text = bytes === undefined ? '' : Buffer.from(bytes).toString()
  if (asText === true) return text
  if (text.trim() === '') return null
  try {
    const json: Json = JSON.parse(text)
    return json
  } catch {
    throw usage('the payload is no JSON: quote it as \'"text"\', or add --text')
  }
}
