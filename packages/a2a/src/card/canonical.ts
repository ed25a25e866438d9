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
