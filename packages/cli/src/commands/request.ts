/** `aether request`: calls an agent by its public key and prints what it answers. */
import type { Json } from '@aetherkit/client'
import type { Command } from 'commander'
import { connectTo } from '../connection.js'
import { EXIT_HELP, usage } from '../exit.js'
import { publicKeyOf } from '../filter-flags.js'
import { type RelayFlags, withRelay } from '../flags.js'
import { argumentOrInput } from '../input.js'
import { runCommand } from '../session.js'
import { visibleLines } from '../visible.js'

interface RequestFlags extends RelayFlags {
  readonly text?: boolean
  readonly id?: string
}

/** A call has to fit into an event; bytes. */
const MAX_PAYLOAD = 1 << 20
const MAX_WAIT = 3_600_000

export function addRequest(program: Command): void {
  withRelay(program.command('request'))
    .summary('call an agent')
    .description('Calls an agent by its public key, sealed end to end, and prints its answer.')
    .argument('<agent>', 'public key, as hex or aepub...')
    .argument('<action>', 'what to ask for')
    .argument(
      '[payload]',
      'JSON; without it, or with -, standard input; null where that is a terminal or empty',
    )
    .option('--text', 'the payload is text as it is, no JSON')
    .option('--id <id>', 'name of the call: a second one under it is answered, not executed again')
    .addHelpText('after', EXIT_HELP)
    .action((agent: string, action: string, given: string | undefined, flags: RequestFlags) =>
      runCommand(flags, async (session) => {
        const publicKey = publicKeyOf(agent)
        const { id, timeout: timeoutMs } = flags
        if (action === '' || action.length > 256) throw usage('an action has 1 to 256 characters')
        if (id !== undefined && (id === '' || id.length > 128)) throw usage('an id has 1 to 128 characters')
        if (timeoutMs > MAX_WAIT) throw usage('a call takes at most an hour')
        const payload = payloadOf(await argumentOrInput(given, session.signal, MAX_PAYLOAD), flags)
        const client = await connectTo(session, flags)
        try {
          const answer = await client.request(publicKey, action, payload, {
            signal: session.signal,
            timeoutMs,
            id,
          })
          await session.write(session.json ? `${JSON.stringify(answer)}\n` : answerText(answer))
        } finally {
          await client.close()
        }
        return 'ok'
      }),
    )
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

/** Text as it is, anything else as JSON, on lines of their own. A terminal is not let at by strangers; a pipe gets every byte. */
function answerText(answer: Json): string {
  const text = typeof answer === 'string' ? answer : JSON.stringify(answer, undefined, 2)
  const shown = process.stdout.isTTY ? visibleLines(text) : text
  return shown.endsWith('\n') ? shown : `${shown}\n`
}
