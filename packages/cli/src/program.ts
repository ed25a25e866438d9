/** The command line of `aether`: every command, and how wrong use is answered. */
import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { addBench } from './commands/bench.js'
import { addDiscover } from './commands/discover.js'
import { addExport } from './commands/export.js'
import { addHttpAuth } from './commands/http-auth.js'
import { addImport } from './commands/import.js'
import { addKeygen } from './commands/keygen.js'
import { addPub } from './commands/pub.js'
import { addQuery } from './commands/query.js'
import { addRelay } from './commands/relay.js'
import { addRequest } from './commands/request.js'
import { addServe } from './commands/serve.js'
import { addSub } from './commands/sub.js'
import { EXIT, EXIT_HELP, explain } from './exit.js'

const HELP = `
Keys come from a file with mode 0600 (--key) or from AETHER_SECRET_KEY, never
from an argument. Relays come from --relay or AETHER_RELAY. Records go to
standard output, as lines of JSON with --json; everything else goes to standard
error. Colours are for terminals; NO_COLOR turns them off.

To begin:
  aether relay --storage memory &
  aether keygen my.key
  aether pub --key my.key 'hello'
  aether query`

const COMMANDS = [
  addKeygen,
  addPub,
  addSub,
  addQuery,
  addRequest,
  addServe,
  addDiscover,
  addHttpAuth,
  addRelay,
  addExport,
  addImport,
  addBench,
]

/** Runs one command line, without the two words in front of it. Commands end the process; this is for what is none. */
export async function runProgram(args: readonly string[]): Promise<void> {
  const program = new Command('aether')
    .description('Talk to Aether relays, and to agents through them.')
    .version(version(), '--version')
    .helpCommand(false)
    .enablePositionalOptions()
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(errorLine(text)) })
    .addHelpText('after', HELP)
    .addHelpText('after', EXIT_HELP)
  for (const add of COMMANDS) add(program)
  try {
    await program.parseAsync([...args], { from: 'user' })
  } catch (error) {
    process.exitCode = exitOf(error)
  }
}

/** One line, and where to look. */
function errorLine(text: string): string {
  const line = text
    .trim()
    .replace(/^error: /, 'aether: ')
    .replaceAll(/\s*\n\s*/g, ' ')
  const isLost = /unknown|missing required|too many/.test(line) && !line.includes('(Did you mean')
  return `${line}${isLost ? ' (see aether --help, or that of the command)' : ''}\n`
}

/** What commander throws it has said already. */
function exitOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
  const { exit, line } = explain(error)
  if (line !== undefined) process.stderr.write(`aether: ${line}\n`)
  return EXIT[exit]
}

function version(): string {
  const manifest: { readonly version: string } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  )
  return manifest.version
}
