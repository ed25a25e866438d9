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
  /** By name: `aether:<public key>`, or the URL of an A2A agent. */
  readonly agents: Readonly<Record<string, string>>
  readonly allowPrivateNetwork: boolean
}

export type Environment = Readonly<Record<string, string | undefined>>

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
    agents: Object.fromEntries((values.agent ?? []).map(readAgent)),
    allowPrivateNetwork: values['private-network'] ?? false,
  }
}

function readFlags(args: readonly string[]) {
  const text = { type: 'string' } as const
  const texts = { type: 'string', multiple: true } as const
  const options = {
    relay: texts,
    'key-file': text,
    prefix: text,
    agent: texts,
    'private-network': { type: 'boolean' },
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

function readAgent(text: string): readonly [name: string, address: string] {
  const [, name, address] = /^([a-z][a-z0-9_]{0,30})=(https?:\/\/.+|aether:[0-9a-f]{64})$/.exec(text) ?? []
  if (name === undefined || address === undefined)
    throw new FlagError('--agent must be name=URL or name=aether:<public key>, the name of a-z, 0-9 and _')
  return [name, address]
}

/** `$` in front, as budgets have it. */
function dollars(flag: string, value: string): string {
  if (!/^\$?\d{1,12}(\.\d{1,6})?$/.test(value))
    throw new FlagError(`--${flag} must be dollars such as 0.10, got ${value}`)
  return `$${value.replace('$', '')}`
}
