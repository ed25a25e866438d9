/**
 * A card of 0.3 as one of 1.0 (spec a2a 2.7, 2.12): what `legacy-card.ts` makes, read back. Signatures are of the other
 * form, and left out.
 */
import type { Json, JsonRecord } from '../model.js'
import { isRecord } from '../read-fields.js'
import { compact } from '../read-message.js'

/** Of a hybrid only the members of 1.0 are read. */
export const isLegacyCard = (card: JsonRecord): boolean => card.supportedInterfaces === undefined

export function fromLegacyCard(card: JsonRecord): JsonRecord {
  const {
    url,
    preferredTransport = 'JSONRPC',
    additionalInterfaces,
    protocolVersion: _version,
    ...rest
  } = card
  const {
    supportsAuthenticatedExtendedCard,
    security,
    securitySchemes,
    capabilities,
    skills,
    signatures: _,
    ...identity
  } = rest
  const more = Array.isArray(additionalInterfaces) ? additionalInterfaces.filter(isRecord) : []
  const listed = [
    { url: url ?? '', protocolBinding: preferredTransport, protocolVersion: '0.3' },
    ...more.map((item) => ({
      url: item.url ?? '',
      protocolBinding: item.transport ?? '',
      protocolVersion: '0.3',
    })),
  ]
  const { streaming, pushNotifications, extensions } = isRecord(capabilities) ? capabilities : {}
  return compact({
    ...identity,
    supportedInterfaces: listed.filter((item, at) => listed.findIndex((other) => isSame(item, other)) === at),
    capabilities: compact({
      streaming,
      pushNotifications,
      extensions,
      extendedAgentCard: supportsAuthenticatedExtendedCard,
    }),
    securitySchemes: isRecord(securitySchemes) ? fromSchemes(securitySchemes) : undefined,
    securityRequirements: fromRequirements(security),
    skills: Array.isArray(skills)
      ? skills.map((skill: Json) => {
          if (!isRecord(skill)) return skill
          const { security: own, ...kept } = skill
          return compact({ ...kept, securityRequirements: fromRequirements(own) })
        })
      : skills,
  })
}

type Listed = { readonly url: Json; readonly protocolBinding: Json }
const isSame = (one: Listed, other: Listed): boolean =>
  one.url === other.url && one.protocolBinding === other.protocolBinding

/** `{oauth: ['read']}` is `{schemes: {oauth: {list: ['read']}}}`. */
function fromRequirements(security: Json | undefined): readonly JsonRecord[] | undefined {
  if (!Array.isArray(security)) return undefined
  return security.filter(isRecord).map((requirement) => ({
    // The proto of 0.3 has it as 1.0 does.
    schemes: isRecord(requirement.schemes)
      ? requirement.schemes
      : Object.fromEntries(
          Object.entries(requirement).map(([name, list]): [string, Json] => [name, { list: list ?? [] }]),
        ),
  }))
}

const SCHEMES: Readonly<Record<string, string>> = {
  apiKey: 'apiKeySecurityScheme',
  http: 'httpAuthSecurityScheme',
  oauth2: 'oauth2SecurityScheme',
  openIdConnect: 'openIdConnectSecurityScheme',
  mutualTLS: 'mtlsSecurityScheme',
}

/** A type that is not known is left out. */
function fromSchemes(schemes: JsonRecord): JsonRecord {
  const entries = Object.entries(schemes).flatMap(([name, scheme]): [string, Json][] => {
    if (!isRecord(scheme)) return []
    const { type, in: location, ...rest } = scheme
    if (type === undefined && Object.values(SCHEMES).some((member) => isRecord(scheme[member])))
      return [[name, scheme]]
    const member = SCHEMES[String(type)]
    return member === undefined ? [] : [[name, { [member]: compact({ location, ...rest }) }]]
  })
  return Object.fromEntries(entries)
}
