/** Filters from flags (spec 6.1): by name, or as the JSON of the protocol. */
import { type Filter, parseJson, readFilter, readPublicKey } from '@aetherkit/core'
import type { Command } from 'commander'
import { usage } from './exit.js'
import { collect, integer, readInstant } from './flags.js'

export interface FilterFlags {
  readonly id?: readonly string[]
  readonly author?: readonly string[]
  readonly kind?: readonly string[]
  readonly tag?: readonly string[]
  readonly since?: bigint
  readonly until?: bigint
  readonly limit?: number
  readonly filter?: readonly string[]
}

const MAX_FILTERS = 32
const U32 = 0xffff_ffff

export function withFilter(command: Command, limit: string): Command {
  return command
    .option('--id <hex>', 'id or the beginning of one, may be repeated', collect)
    .option('--author <key>', 'public key or the beginning of one, may be repeated', collect)
    .option('--kind <n,...>', 'kinds, may be repeated', collect)
    .option(
      '--tag <k=v>',
      'tag; several values of one key are alternatives, several keys must all be there',
      collect,
    )
    .option('--since <time>', 'at or after: nanoseconds, a date, or a time ago as 1h', readInstant)
    .option('--until <time>', 'at or before', readInstant)
    .option('--limit <n>', limit, integer(0, U32))
    .option(
      '--filter <json>',
      'a filter as the protocol writes it, instead of the flags above; may be repeated',
      collect,
    )
}

/** @throws CommandError usage */
export function filtersOf(flags: FilterFlags): Filter[] {
  const { id, author, kind, tag, since, until, limit, filter } = flags
  if (filter !== undefined) {
    if ([id, author, kind, tag, since, until, limit].some((flag) => flag !== undefined))
      throw usage('--filter takes the place of the other filter flags')
    if (filter.length > MAX_FILTERS) throw usage(`at most ${MAX_FILTERS} filters`)
    return filter.map((text) => filterOf(text))
  }
  return [
    {
      ...(id !== undefined && { ids: id.map((prefix) => hexPrefix('--id', prefix)) }),
      ...(author !== undefined && { authors: author.map(authorOf) }),
      ...(kind !== undefined && { kinds: kind.flatMap((list) => list.split(',')).map(kindOf) }),
      ...(tag !== undefined && { tags: tagsOf(tag) }),
      ...(since !== undefined && { since }),
      ...(until !== undefined && { until }),
      ...(limit !== undefined && { limit }),
    },
  ]
}

/** @throws CommandError usage */
export function kindOf(text: string): number {
  if (!/^[0-9]{1,5}$/.test(text) || Number(text) > 0xffff)
    throw usage(`a kind is an integer from 0 to 65535, got ${JSON.stringify(text)}`)
  return Number(text)
}

/** @throws CommandError usage */
export function publicKeyOf(text: string): string {
  const key = readPublicKey(text)
  if (!key.ok) throw usage('a public key is 64 hex digits or aepub...')
  return key.publicKey
}

/** `k=v`; the value may hold more of them. @throws CommandError usage */
export function pairOf(text: string): readonly [key: string, value: string] {
  const at = text.indexOf('=')
  if (at < 1) throw usage(`a tag is written key=value, got ${JSON.stringify(text)}`)
  return [text.slice(0, at), text.slice(at + 1)]
}

function filterOf(text: string): Filter {
  const json = parseJson(text)
  const read = json.ok ? readFilter(json.value) : json
  if (!read.ok) throw usage(`--filter is no filter: ${read.detail ?? read.error}`)
  return read.filter
}

function tagsOf(pairs: readonly string[]): NonNullable<Filter['tags']> {
  const byKey = new Map<string, string[]>()
  for (const [key, value] of pairs.map(pairOf)) byKey.set(key, [...(byKey.get(key) ?? []), value])
  return [...byKey].map(([key, any]) => ({ key, any }))
}

function authorOf(text: string): string {
  const key = readPublicKey(text)
  return key.ok ? key.publicKey : hexPrefix('--author', text)
}

function hexPrefix(flag: string, text: string): string {
  if (!/^[0-9a-fA-F]{1,64}$/.test(text))
    throw usage(`${flag} takes 1 to 64 hex digits${flag === '--author' ? ' or aepub...' : ''}`)
  return text.toLowerCase()
}
