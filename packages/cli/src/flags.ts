/** Flags that several commands have, and how their values are read. */
import { parseHex } from '@aetherkit/core'
import { type Command, InvalidArgumentError, Option } from 'commander'

export interface CommonFlags {
  readonly json?: boolean
}

export interface RelayFlags extends CommonFlags {
  readonly relay?: readonly string[]
  readonly key?: string
  /** ms */
  readonly timeout: number
  readonly noise?: 'xx'
  /** X25519, hex. */
  readonly relayKey?: string
}

/** ms */
export const DEFAULT_TIMEOUT = 10_000
const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const

export function withOutput(command: Command): Command {
  return command.option('--json', 'write lines of JSON')
}

/** `--relay`, `--key`, `--timeout`, `--noise`, `--relay-key` and `--json`; `wait`: what `--timeout` is when it is not given. */
export function withRelay(command: Command, wait?: string): Command {
  const timeout = new Option(
    '-t, --timeout <time>',
    `how long to wait${wait === undefined ? '' : ` (default: ${wait})`}`,
  ).argParser(readDuration)
  const options = [
    new Option(
      '-r, --relay <url>',
      'relay, may be repeated (or AETHER_RELAY; default ws://127.0.0.1:9000)',
    ).argParser(collect),
    new Option('-k, --key <file>', 'file with the secret key, mode 0600 (or AETHER_SECRET_KEY)'),
    wait === undefined ? timeout.default(DEFAULT_TIMEOUT, '10s') : timeout,
    new Option('--noise <pattern>', 'encrypt to the relay with Noise, or have no session').choices(['xx']),
    new Option('--relay-key <hex>', 'with --noise: the X25519 key that the relay must have').argParser(
      readRelayKey,
    ),
  ]
  withOutput(command)
  for (const option of options) command.addOption(option.helpGroup('Connection:'))
  return command
}

export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}

/** For commander: an integer within bounds. */
export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (!/^[0-9]{1,15}$/.test(text) || value < min || value > max)
      throw new InvalidArgumentError(`Expected an integer from ${min} to ${max}.`)
    return value
  }
}

/** Milliseconds of `500ms`, `10s`, `10`, `2m`, `1h` or `7d`. */
export function readDuration(text: string): number {
  const ms = durationOf(text)
  if (ms === undefined || ms <= 0)
    throw new InvalidArgumentError('Expected a time as 500ms, 10s, 2m, 1h or 7d.')
  return ms
}

/** Nanoseconds since 1970 of an integer, a date, or a time ago. */
export function readInstant(text: string): bigint {
  const ago = /^\d+$/.test(text) ? undefined : durationOf(text)
  if (ago !== undefined) return BigInt(Math.max(0, Math.round(Date.now() - ago))) * 1_000_000n
  if (text === '0' || /^\d{16,20}$/.test(text)) return BigInt(text)
  const date = /^\d{4}-/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(date) || date < 0)
    throw new InvalidArgumentError(
      'Expected nanoseconds since 1970, a date as 2026-01-31, or a time ago as 1h.',
    )
  return BigInt(date) * 1_000_000n
}

function readRelayKey(text: string): string {
  const key = parseHex(text, 32)
  if (key === undefined) throw new InvalidArgumentError('Expected 64 hex digits.')
  return key
}

function durationOf(text: string): number | undefined {
  const match = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)?$/.exec(text)
  if (match === null) return undefined
  const unit = match[2] === undefined ? 's' : match[2]
  return Number(match[1]) * UNITS[unit as keyof typeof UNITS]
}
