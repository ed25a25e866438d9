/** The section `auth` of the configuration file: who may read and write what, see `access.ts`. */
import { parseHex } from '@aetherkit/core'
import type { AccessRule } from './access.js'
import { FlagError, type Section } from './config-section.js'

export interface AccessConfig {
  readonly read: readonly AccessRule[]
  readonly write: readonly AccessRule[]
}

const WORDS = ['authenticated', 'author', 'parties'] as const

/** @throws FlagError that names the key. */
export function readAccess(section: Section | undefined): AccessConfig {
  if (section === undefined) return { read: [], write: [] }
  const [read, write] = [section.sections('read').map(readRule), section.sections('write').map(readRule)]
  section.end()
  return { read, write }
}

function readRule(rule: Section): AccessRule {
  const kinds = rule.kinds('kinds')
  const recipients = rule.texts('recipients')?.map((key) => readKey(rule, 'recipients', key))
  const allow = Array.isArray(rule.raw('allow'))
    ? (rule.texts('allow') ?? []).map((key) => readKey(rule, 'allow', key))
    : rule.choice('allow', WORDS)
  if (allow === undefined)
    throw new FlagError(
      `${rule.nameOf('allow')} must be one of ${WORDS.join(', ')}, or a list of public keys`,
    )
  rule.end()
  return { allow, ...(kinds !== undefined && { kinds }), ...(recipients !== undefined && { recipients }) }
}

function readKey(rule: Section, name: string, text: string): string {
  const key = parseHex(text, 32)
  if (key !== undefined) return key
  throw new FlagError(`${rule.nameOf(name)} must hold keys of 64 hex digits, got ${JSON.stringify(text)}`)
}
