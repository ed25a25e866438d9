/** The command line of `aether-mcp`. Keys come from the environment or from files, never from arguments, which others see. */
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

export interface CommandLine {
  readonly relays: readonly string[]
  readonly keyFile: string | undefined
  readonly walletFile: string | undefined
  readonly network: string
  readonly rpcUrl: string | undefined
  readonly journal: string
  readonly budget: { readonly perCall: string; readonly perDay: string; readonly total?: string }
  readonly askAbove: string
  readonly hosts: readonly string[] | undefined
  readonly prefix: string | undefined
}

export type Environment = Readonly<Record<string, string | undefined>>

export const HELP = `aether-mcp: Aether tools as an MCP server over stdio

For Claude, Cursor and every other MCP host: send and find messages of other agents, call them,
and with a wallet also pay for web requests, within a budget that no model can change.

Usage: aether-mcp [flags]

  --relay <url>          relay to connect to, may be given again   (default: AETHER_RELAY, or ws://127.0.0.1:9000)
  --key-file <file>      this agent's key, 64 hex digits           (default: AETHER_KEY, or a new one each time)
  --prefix <text>        put before every tool name

With a wallet:
  --wallet-file <file>   its key, as solana-keygen writes it       (default: AETHER_WALLET, the same JSON)
  --network <name>       solana or solana-devnet                   (default solana-devnet)
  --rpc <url>            the wallet's own node                     (default: none, and nothing is checked on the chain)
  --journal <path>       what was paid, kept over restarts         (default ~/.aether/wallet.journal)
  --per-call <dollars>   the most that one purchase may cost       (default 0.10)
  --per-day <dollars>    the most of one day                       (default 1)
  --total <dollars>      the most of all                           (default: no limit)
  --ask-above <dollars>  dearer purchases are asked about, where the host can ask, and denied where not (default 0)
  --host <host>          host that may be paid, may be given again (default: all)

  --help                 this text

Keys are never arguments: put them into a file or into the environment of the server.
Exit codes: 0 the host has closed its end, 1 internal error, 2 bad flag or key, 3 no relay answers.
`

/** A flag or a key that cannot be: the message is one line for the user. */
export class FlagError extends Error {
  override readonly name = 'FlagError'
}

/** @throws FlagError */
export function readCommandLine(args: readonly string[], env: Environment): CommandLine | 'help' {
  const values = readFlags(args)
  if (values.help === true) return 'help'
  const relays = values.relay ?? env.AETHER_RELAY?.split(',') ?? ['ws://127.0.0.1:9000']
  for (const relay of relays)
    if (!/^wss?:\/\//.test(relay)) throw new FlagError(`--relay must be a ws or wss URL, got ${relay}`)
  return {
    relays,
    keyFile: values['key-file'],
    walletFile: values['wallet-file'],
    network: values.network ?? 'solana-devnet',
    rpcUrl: values.rpc,
    journal: values.journal ?? join(homedir(), '.aether', 'wallet.journal'),
    budget: {
      perCall: dollars('per-call', values['per-call'] ?? '0.10'),
      perDay: dollars('per-day', values['per-day'] ?? '1'),
      ...(values.total !== undefined && { total: dollars('total', values.total) }),
    },
    askAbove: dollars('ask-above', values['ask-above'] ?? '0'),
    hosts: values.host,
    prefix: values.prefix,
  }
}

function readFlags(args: readonly string[]) {
  const text = { type: 'string' } as const
  const texts = { type: 'string', multiple: true } as const
  const options = {
    relay: texts,
    'key-file': text,
    prefix: text,
    'wallet-file': text,
    network: text,
    rpc: text,
    journal: text,
    'per-call': text,
    'per-day': text,
    total: text,
    'ask-above': text,
    host: texts,
    help: { type: 'boolean', short: 'h' },
  } as const
  try {
    return parseArgs({ args: [...args], options }).values
  } catch {
    // The text of `parseArgs` repeats the argument, which may be a key.
    const known = Object.keys(options).map((name) => `--${name}`)
    const wrong = args.find((arg) => arg.startsWith('-') && !known.includes(arg.replace(/=.*/s, '')))
    throw new FlagError(`cannot read the flags${wrong === undefined ? '' : `: ${wrong.replace(/=.*/s, '')}`}`)
  }
}

/** `$` in front, as budgets have it. */
function dollars(flag: string, value: string): string {
  if (!/^\$?\d{1,12}(\.\d{1,6})?$/.test(value))
    throw new FlagError(`--${flag} must be dollars such as 0.10, got ${value}`)
  return `$${value.replace('$', '')}`
}
