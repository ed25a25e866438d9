/**
 * The bytes that a card signature covers (spec a2a 2.8): the RFC 8785 form of the card without `signatures`, after the
 * presence rules of the proto. Content inside `params` is the author's: nothing is left out of it.
 */
import { canonicalJson } from '@aetherkit/core'
import type { AgentCard, Json, JsonRecord } from '../model.js'
import { isRecord } from '../read-fields.js'
import { CARD, type CardShape, type FieldType } from './fields.js'

/** @throws TypeError for what JSON cannot hold, such as a lone surrogate */
export function canonicalCard(card: AgentCard | JsonRecord): string {
  return canonicalJson(coveredCard(card))
}

/** The part of a card that its signatures cover, without members that no card has. */
export function coveredCard(card: AgentCard | JsonRecord): JsonRecord {
  return project({ ...card } as JsonRecord, CARD)
}

/**
 * Of a card of 0.3, which has no rules of presence: as it was sent, and without what an absent member means as well, which
 * is what the Python SDK of 0.3 signs. Both say the same.
 */
export function legacyForms({ signatures: _, ...card }: JsonRecord): readonly JsonRecord[] {
  const told = Object.entries(card).filter(([name, value]) => value !== undefined && !isImplied(name, value))
  return [card, asBare(Object.fromEntries(told)) ?? {}]
}

const isImplied = (name: string, value: Json): boolean =>
  (name === 'protocolVersion' && value === '0.3.0') || (name === 'preferredTransport' && value === 'JSONRPC')

/** Without empty texts, lists and objects, at any depth; undefined when nothing is left. */
function asBare<T extends Json>(value: T): T | undefined {
  if (value === null || value === '') return undefined
  if (Array.isArray(value)) {
    const items = value.flatMap((item: Json) => asBare(item) ?? [])
    return items.length === 0 ? undefined : (items as Json as T)
  }
  if (!isRecord(value)) return value
  const members = Object.entries(value).flatMap(([name, member]): [string, Json][] => {
    const bare = member === undefined ? undefined : asBare(member)
    return bare === undefined ? [] : [[name, bare]]
  })
  return members.length === 0 ? undefined : (Object.fromEntries(members) as Json as T)
}

function project(value: JsonRecord, shape: CardShape): JsonRecord {
  const members: [string, Json][] = []
  for (const [name, [presence, type]] of Object.entries(shape)) {
    const member = Object.hasOwn(value, name) ? (value[name] ?? undefined) : undefined
    if (member === undefined) {
      if (presence === 'required') members.push([name, emptyOf(type)])
    } else if (presence !== 'plain' || !isDefault(member)) {
      members.push([name, projectMember(member, type)])
    }
  }
  return Object.fromEntries(members)
}

function projectMember(member: Json, type: FieldType): Json {
  if (typeof type === 'string') return member
  if ('message' in type) return isRecord(member) ? project(member, type.message) : member
  if ('list' in type)
    return Array.isArray(member)
      ? member.map((item: Json) => (isRecord(item) ? project(item, type.list) : item))
      : member
  if (!isRecord(member)) return member
  const entries = Object.entries(member).map(([key, item]): [string, Json] => [
    key,
    isRecord(item) ? project(item, type.map) : (item ?? null),
  ])
  return Object.fromEntries(entries)
}

function isDefault(value: Json): boolean {
  if (Array.isArray(value)) return value.length === 0
  if (isRecord(value)) return Object.keys(value).length === 0
  return value === '' || value === false || value === 0
}

function emptyOf(type: FieldType): Json {
  if (type === 'text') return ''
  if (type === 'flag') return false
  if (type === 'texts') return []
  return typeof type === 'object' && 'list' in type ? [] : {}
}
