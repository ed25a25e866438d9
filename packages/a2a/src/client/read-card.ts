/**
 * A card as it came from somebody else (spec a2a 2.7, 7.1, 7.10): 1.0, 0.3 or both in one, with the shapes of the
 * protocol and within bounds. Required members that are empty are let through: they harm nobody.
 */
import { coveredCard } from '../card/canonical.js'
import { fromLegacyCard, isLegacyCard } from '../card/from-legacy.js'
import { lintCard } from '../card/lint.js'
import { parseBody } from '../json-text.js'
import type { AgentCard, CardSignature, Json, JsonRecord } from '../model.js'
import { asJson, isRecord } from '../read-fields.js'
import { AgentError } from './errors.js'

const MAX_INTERFACES = 64
const MAX_SKILLS = 512
const MAX_EXTENSIONS = 128
const MAX_TEXT = 64 * 1024

export interface ReadCard {
  readonly card: AgentCard
  /** As it was sent: what signatures are checked on. */
  readonly source: JsonRecord
}

/** @throws AgentError CARD_REFUSED naming the first fault */
export function readCard(body: string | Uint8Array): ReadCard {
  let value: Json
  try {
    value = parseBody(body)
  } catch (cause) {
    throw refused('it is no lawful JSON', cause)
  }
  return checkCard(value)
}

/** @throws AgentError CARD_REFUSED */
export function checkCard(value: unknown): ReadCard {
  if (!isRecord(value)) throw refused('it is no object')
  const modern = isLegacyCard(value) ? fromLegacyCard(value) : value
  const fault = lintCard(modern).find(({ name }) => name === 'wrong-type')
  if (fault !== undefined) throw refused(`${fault.field} has a wrong type`)
  const covered: unknown = coveredCard(modern)
  const { signatures } = modern
  const card = {
    ...(covered as AgentCard),
    ...(Array.isArray(signatures) && { signatures: readSignatures(signatures) }),
  }
  const { supportedInterfaces, skills, capabilities } = card
  if (supportedInterfaces.length > MAX_INTERFACES)
    throw refused(`it has more than ${MAX_INTERFACES} interfaces`)
  if (skills.length > MAX_SKILLS) throw refused(`it has more than ${MAX_SKILLS} skills`)
  if ((capabilities.extensions?.length ?? 0) > MAX_EXTENSIONS)
    throw refused(`it has more than ${MAX_EXTENSIONS} extensions`)
  const long = longText(asJson(card), '')
  if (long !== undefined) throw refused(`${long} is longer than ${MAX_TEXT} characters`)
  return { card, source: value }
}

function readSignatures(values: readonly Json[]): readonly CardSignature[] {
  return values.flatMap((value) => {
    if (!isRecord(value)) return []
    const { protected: header, signature, header: hints } = value
    if (typeof header !== 'string' || typeof signature !== 'string') return []
    return [{ protected: header, signature, ...(isRecord(hints) && { header: hints }) }]
  })
}

function longText(value: Json | undefined, path: string): string | undefined {
  if (typeof value === 'string') return value.length > MAX_TEXT ? path : undefined
  if (typeof value !== 'object' || value === null) return undefined
  for (const [name, item] of Object.entries(value)) {
    const found = longText(item, path === '' ? name : `${path}.${name}`)
    if (found !== undefined) return found
  }
  return undefined
}

function refused(why: string, cause?: unknown): AgentError {
  return new AgentError('CARD_REFUSED', `the agent card was refused: ${why}`, { cause })
}
