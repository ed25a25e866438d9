/** `aether serve`: takes calls of one action and answers them with a program or a function. */
import { CallError, type CallHandler, type Client } from '@aetherkit/client'
import { writePublicKey } from '@aetherkit/core'
import type { Command } from 'commander'
import { connectTo } from '../connection.js'
import { EXIT_HELP, usage } from '../exit.js'
import { publicKeyOf } from '../filter-flags.js'
import { collect, integer, type RelayFlags, withRelay } from '../flags.js'
import { moduleHandler } from '../serve-module.js'
import { assertProgram, programHandler } from '../serve-process.js'
import { runCommand, type Session } from '../session.js'
import { visible } from '../visible.js'

interface ServeFlags extends RelayFlags {
  readonly module?: string
  readonly text?: boolean
  readonly concurrency: number
  readonly only?: readonly string[]
  readonly name?: string
  readonly description?: string
}

const SERVE_HELP = `
The command gets the payload on standard input, and AETHER_CALLER,
AETHER_CALL_ID and AETHER_ACTION in its environment; what it writes to standard
output is the answer. An exit code n other than 0 is the error EXIT_n to the
caller. Its standard error is yours, and nobody else sees it.

Example:
  aether serve greet --key bob.key --text -- sh -c 'echo "hello $(cat)"'`

export function addServe(program: Command): void {
  withRelay(program.command('serve'))
    .summary('answer calls')
    .description(
      'Answers calls of an action: with a command, run once a call, or with a function of a module.',
    )
    .argument('<action>', 'what others ask for')
    .argument('[command...]', 'behind --: the program and its arguments')
    .option('--module <file>', 'a JavaScript module instead: its export of that name, or the default one')
    .option('--text', 'payload and answer of the command are text, no JSON')
    .option('--concurrency <n>', 'processes at a time', integer(1, 256), 8)
    .option('--only <key>', 'take calls of this public key only, may be repeated', collect)
    .option('--name <name>', 'say to everybody who you are, and that you offer the action')
    .option('--description <text>', 'more about it, with --name')
    .addHelpText('after', SERVE_HELP)
    .addHelpText('after', EXIT_HELP)
    .action((action: string, command: readonly string[], flags: ServeFlags) =>
      runCommand(flags, async (session) => {
        const handler = limited(await handlerOf(session, action, command, flags), flags.only)
        const client = await connectTo(session, flags, { needsKey: true })
        try {
          const served = client.serve(action, logged(session, handler))
          await served.ready
          await advertise(session, client, action, flags)
          await sayReady(session, client, action)
          await new Promise((_, reject) => {
            session.signal.addEventListener('abort', () => reject(session.signal.reason), { once: true })
            if (session.signal.aborted) reject(session.signal.reason)
          })
        } finally {
          await client.close()
        }
        return 'ok'
      }),
    )
}

async function handlerOf(
  { note }: Session,
  action: string,
  [file, ...args]: readonly string[],
  { module, text = false, concurrency }: ServeFlags,
): Promise<CallHandler> {
  if (action === '' || action.length > 256) throw usage('an action has 1 to 256 characters')
  if ((file === undefined) === (module === undefined))
    throw usage('either a command behind -- or --module expected')
  if (module !== undefined) return moduleHandler(module, action)
  assertProgram(file ?? '')
  return programHandler([file ?? '', ...args], { action, text, concurrency, note })
}

function limited(handler: CallHandler, only: readonly string[] | undefined): CallHandler {
  if (only === undefined) return handler
  const allowed = new Set(only.map(publicKeyOf))
  return (payload, context) => {
    if (!allowed.has(context.from)) throw new CallError('FORBIDDEN', 'not for you')
    return handler(payload, context)
  }
}

/** Says who called and how it went. */
function logged(session: Session, handler: CallHandler): CallHandler {
  return async (payload, context) => {
    const begin = performance.now()
    let code = 'OK'
    try {
      return await handler(payload, context)
    } catch (error) {
      code = CallError.is(error) ? error.code : 'PEER_ERROR'
      if (!CallError.is(error)) session.note(visible(`the handler threw: ${String(error)}`))
      throw error
    } finally {
      const ms = Math.round(performance.now() - begin)
      const { from, id } = context
      session
        .print(
          () => ({ type: 'call', from, id, code, ms }),
          () => `${from}  ${visible(id)}  ${visible(code)}  ${ms} ms`,
        )
        // Who reads the log may be gone: the session ends for that reason already.
        .catch(() => undefined)
    }
  }
}

async function advertise(
  { signal }: Session,
  client: Client,
  action: string,
  { name, description, timeout: timeoutMs }: ServeFlags,
): Promise<void> {
  if (name === undefined) return
  if (name === '' || name.length > 256) throw usage('a name has 1 to 256 characters')
  if (description !== undefined && description.length > 4096)
    throw usage('a description has at most 4096 characters')
  await client.advertise(
    { name, description, capabilities: [{ name: action, description }] },
    { signal, timeoutMs },
  )
}

function sayReady({ print, paint }: Session, { publicKey }: Client, action: string): Promise<void> {
  const text = writePublicKey(publicKey)
  return print(
    () => ({ type: 'ready', action, public_key: publicKey, text }),
    () => `${paint('bold', visible(action))} served as ${publicKey} (${text})`,
  )
}
