/**
 * What is wrong with a card before it is signed and served (spec a2a 2.7, 2.8). An empty required member is refused: our
 * canonical form keeps it, the SDK's drops it, and only without one do both agree.
 */
import type { AgentCard, Json, JsonRecord } from '../model.js'
import { asJson, isRecord } from '../read-fields.js'
import { CARD, type CardShape, type FieldType } from './fields.js'

export type CardFaultName =
  /** A required member is missing, or holds nothing. */
  | 'empty-required'
  | 'wrong-type'
  /** Not an absolute http, https or aether URL; or one of a single operation, or with credentials, query or fragment. */
  | 'bad-interface-url'
  | 'bad-protocol-version'
  /** The same binding, version, tenant and URL twice. */
  | 'duplicate-interface'
  | 'duplicate-skill'
  | 'bad-media-type'
  /** Implicit and password flows must not be emitted. */
  | 'deprecated-flow'
  /** Not exactly one kind of scheme. */
  | 'bad-security-scheme'
  /** A requirement names a scheme that is not declared. */
  | 'unknown-security-scheme'
  | 'duplicate-extension'

export interface CardFault {
  readonly name: CardFaultName
  /** Path in the card, such as `skills[0].id`. */
  readonly field: string
}

const OPERATION = /\/(message:(send|stream)|tasks(\/.*)?|extendedAgentCard|\.well-known\/.*)\/?$/
const MEDIA_TYPE = /^[a-z0-9!#$&^_.+-]+\/(\*|[a-z0-9!#$&^_.+-]+)(\s*;.*)?$|^\*\/\*$/i

/** Total: any value can be a card. No faults is an empty list. */
export function lintCard(card: AgentCard | JsonRecord): readonly CardFault[] {
  const value = asJson(card)
  const faults: CardFault[] = []
  lintShape(value, CARD, '', faults)
  if (faults.length > 0) return faults
  const typed = card as AgentCard
  return [
    ...typed.supportedInterfaces.flatMap((item, index) =>
      lintInterface(item, `supportedInterfaces[${index}]`),
    ),
    ...repeated(
      typed.supportedInterfaces.map(({ url, protocolBinding, protocolVersion, tenant }) =>
        JSON.stringify([url, protocolBinding, protocolVersion, tenant]),
      ),
      'supportedInterfaces',
      'duplicate-interface',
    ),
    ...repeated(
      typed.skills.map(({ id }) => id),
      'skills',
      'duplicate-skill',
    ),
    ...repeated(
      (typed.capabilities.extensions ?? []).map(({ uri }) => uri),
      'capabilities.extensions',
      'duplicate-extension',
    ),
    ...lintModes(typed),
    ...lintSecurity(typed),
  ]
}

function lintShape(value: JsonRecord, shape: CardShape, path: string, faults: CardFault[]): void {
  for (const [name, [presence, type]] of Object.entries(shape)) {
    const field = path === '' ? name : `${path}.${name}`
    const member = value[name]
    if (presence === 'required' && (member === undefined || member === '' || isEmptyList(member)))
      faults.push({ name: 'empty-required', field })
    else if (member !== undefined) lintMember(member, type, field, faults)
  }
}

const isEmptyList = (value: Json): boolean => Array.isArray(value) && value.length === 0

function lintMember(member: Json, type: FieldType, field: string, faults: CardFault[]): void {
  if (!fits(member, type)) faults.push({ name: 'wrong-type', field })
  else if (typeof type === 'string') return
  else if ('message' in type) lintShape(member as JsonRecord, type.message, field, faults)
  else if ('list' in type)
    for (const [index, item] of (member as readonly Json[]).entries())
      lintMember(item, { message: type.list }, `${field}[${index}]`, faults)
  else
    for (const [key, item] of Object.entries(member as JsonRecord))
      lintMember(item ?? null, { message: type.map }, `${field}.${key}`, faults)
}

function fits(member: Json, type: FieldType): boolean {
  if (type === 'text') return typeof member === 'string'
  if (type === 'flag') return typeof member === 'boolean'
  if (type === 'texts') return Array.isArray(member) && member.every((item) => typeof item === 'string')
  if (type === 'text-map')
    return isRecord(member) && Object.values(member).every((item) => typeof item === 'string')
  return typeof type === 'object' && 'list' in type ? Array.isArray(member) : isRecord(member)
}

function lintInterface(item: AgentCard['supportedInterfaces'][number], path: string): CardFault[] {
  const faults: CardFault[] = []
  const url = URL.canParse(item.url) ? new URL(item.url) : undefined
  const isBase =
    url !== undefined &&
    ['http:', 'https:', 'aether:'].includes(url.protocol) &&
    `${url.username}${url.password}${url.search}${url.hash}` === '' &&
    !OPERATION.test(url.pathname)
  if (!isBase) faults.push({ name: 'bad-interface-url', field: `${path}.url` })
  if (!/^\d+\.\d+$/.test(item.protocolVersion))
    faults.push({ name: 'bad-protocol-version', field: `${path}.protocolVersion` })
  return faults
}

function repeated(keys: readonly string[], path: string, name: CardFaultName): CardFault[] {
  return keys.flatMap((key, index) =>
    keys.indexOf(key) === index ? [] : [{ name, field: `${path}[${index}]` }],
  )
}

function lintModes(card: AgentCard): CardFault[] {
  const lists: (readonly [string, readonly string[] | undefined])[] = [
    ['defaultInputModes', card.defaultInputModes],
    ['defaultOutputModes', card.defaultOutputModes],
    ...card.skills.flatMap(({ inputModes, outputModes }, index) => [
      [`skills[${index}].inputModes`, inputModes] as const,
      [`skills[${index}].outputModes`, outputModes] as const,
    ]),
  ]
  return lists.flatMap(([path, modes]) =>
    (modes ?? []).flatMap((mode, index) =>
      MEDIA_TYPE.test(mode) ? [] : [{ name: 'bad-media-type' as const, field: `${path}[${index}]` }],
    ),
  )
}

function lintSecurity(card: AgentCard): CardFault[] {
  const schemes = card.securitySchemes ?? {}
  const faults = Object.entries(schemes).flatMap(([name, scheme]): CardFault[] => {
    const field = `securitySchemes.${name}`
    const kinds = isRecord(scheme) ? Object.keys(scheme) : []
    if (kinds.length !== 1) return [{ name: 'bad-security-scheme', field }]
    const oauth2 = isRecord(scheme) ? scheme.oauth2SecurityScheme : undefined
    const flows = isRecord(oauth2) && isRecord(oauth2.flows) ? Object.keys(oauth2.flows) : undefined
    if (flows?.some((flow) => flow === 'implicit' || flow === 'password'))
      return [{ name: 'deprecated-flow', field }]
    return flows !== undefined && flows.length !== 1 ? [{ name: 'bad-security-scheme', field }] : []
  })
  const requirements = [
    ['securityRequirements', card.securityRequirements] as const,
    ...card.skills.map(
      ({ securityRequirements }, index) =>
        [`skills[${index}].securityRequirements`, securityRequirements] as const,
    ),
  ]
  for (const [path, list] of requirements)
    for (const [index, { schemes: named }] of (list ?? []).entries())
      for (const name of isRecord(named) ? Object.keys(named) : [])
        if (!Object.hasOwn(schemes, name))
          faults.push({ name: 'unknown-security-scheme', field: `${path}[${index}].schemes.${name}` })
  return faults
}
