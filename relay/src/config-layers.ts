/**
 * Where settings come from: defaults, the configuration file, the environment, the command line; the later wins. All
 * have the names of the flags: `--ws-port 9000`, `AETHER_RELAY_WS_PORT=9000`, `"ws-port": 9000`.
 */
import { readFileSync } from 'node:fs'
import { FlagError, Section } from './config-section.js'

const PREFIX = 'AETHER_RELAY_'

export interface LayersOptions<Values> {
  /** What the command line says, already read. */
  readonly flags: Values
  readonly defaults: Values
  readonly environment: Readonly<Record<string, string | undefined>>
  /** The flags that the file and the environment may set; `list`: it may be there several times. */
  readonly names: ReadonlyMap<string, 'text' | 'list' | 'switch'>
  /** Of the file, beside flags. */
  readonly sections: readonly string[]
  /** The path of the file. */
  readonly file: string | undefined
  /** Reads a command line. */
  read(args: readonly string[]): Values
}

export interface Layers<Values> {
  readonly values: Values
  /** What is in the file beside flags. */
  readonly file: Section
  /** How a setting is named where it was set, for complaints: `--ws-port`, `AETHER_RELAY_WS_PORT`, `ws-port in <file>`. */
  source(name: string): string
}

/** @throws FlagError */
export function layer<Values extends object>(options: LayersOptions<Values>): Layers<Values> {
  const { flags, defaults, names, file } = options
  const [environment, byEnvironment] = readEnvironment(options)
  const section = readFile(file)
  const [written, byFile] = readWritten(section, options)
  return {
    values: { ...defaults, ...written, ...environment, ...flags },
    file: section,
    source(name) {
      if (!names.has(name) || Object.hasOwn(flags, name)) return `--${name}`
      return byEnvironment.get(name) ?? byFile.get(name) ?? `--${name}`
    },
  }
}

function environmentName(flag: string): string {
  return `${PREFIX}${flag.toUpperCase().replaceAll('-', '_')}`
}

type Read<Values> = readonly [values: Values, sources: ReadonlyMap<string, string>]

/** A list is written with commas; an empty variable counts as none. */
function readEnvironment<Values>({ environment, names, read }: LayersOptions<Values>): Read<Values> {
  const byVariable = new Map([...names.keys()].map((name) => [environmentName(name), name]))
  const sources = new Map<string, string>()
  const args: string[] = []
  for (const [variable, text] of Object.entries(environment)) {
    if (!variable.startsWith(PREFIX) || text === undefined || text === '') continue
    const name = byVariable.get(variable)
    if (name === undefined) {
      if (variable === environmentName('config')) continue
      throw new FlagError(`${variable} is no setting`)
    }
    sources.set(name, variable)
    if (names.get(name) === 'switch') args.push(...switchArgs(name, text, variable))
    else if (names.get(name) === 'list')
      args.push(...text.split(',').map((part) => `--${name}=${part.trim()}`))
    else args.push(`--${name}=${text}`)
  }
  return [read(args), sources]
}

function readFile(path: string | undefined): Section {
  if (path === undefined) return new Section({}, '', 'no file')
  let value: unknown
  try {
    value = JSON.parse(readFileSync(path, 'utf8'))
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error)
    throw new FlagError(`${path} is no configuration: ${reason}`)
  }
  return new Section(value, '', path)
}

function readWritten<Values>(
  section: Section,
  { names, sections, read }: LayersOptions<Values>,
): Read<Values> {
  const sources = new Map<string, string>()
  const args: string[] = []
  for (const key of section.keys) {
    const kind = names.get(key)
    if (kind === undefined) continue
    const value = section.raw(key)
    const source = section.nameOf(key)
    sources.set(key, source)
    const texts = kind === 'list' && Array.isArray(value) ? value : [value]
    for (const text of texts) {
      if (kind === 'switch') args.push(...switchArgs(key, String(text), source))
      else if (typeof text === 'string' || typeof text === 'number') args.push(`--${key}=${text}`)
      else throw new FlagError(`${source} must be a text or a number, got ${JSON.stringify(value)}`)
    }
  }
  const unknown = section.keys.find((key) => !names.has(key) && !sections.includes(key))
  if (unknown !== undefined) throw new FlagError(`${section.nameOf(unknown)} is no setting`)
  return [read(args), sources]
}

function switchArgs(name: string, text: string, source: string): readonly string[] {
  if (text === 'true' || text === '1') return [`--${name}`]
  if (text === 'false' || text === '0') return []
  throw new FlagError(`${source} must be true or false, got ${JSON.stringify(text)}`)
}
