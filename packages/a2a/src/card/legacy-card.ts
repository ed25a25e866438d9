/**
 * Cards for callers of 0.3 (spec a2a 2.7, 2.12): one URL on top, interfaces without versions, security in the style of
 * OpenAPI. A hybrid has `supportedInterfaces` as well, for callers that name no version.
 */
import type { AgentCard, Json, JsonRecord } from '../model.js'
import { asJson, isRecord } from '../read-fields.js'
import { compact } from '../read-message.js'

/** The 0.3 card; without an interface of 0.3 the first one of HTTP stands in. Without signatures: those are of the 1.0 form. */
export function legacyCard(card: AgentCard): JsonRecord {
  const legacy = card.supportedInterfaces.filter(({ protocolVersion }) => protocolVersion === '0.3')
  const [first, ...more] = legacy.length > 0 ? legacy : card.supportedInterfaces
  const { streaming, pushNotifications, extensions, extendedAgentCard } = card.capabilities
  const { name, description, version, provider, documentationUrl, iconUrl } = card
  return compact({
    name,
    description,
    version,
    protocolVersion: '0.3.0',
    url: first?.url ?? '',
    preferredTransport: first?.protocolBinding ?? 'JSONRPC',
    additionalInterfaces:
      more.length === 0
        ? undefined
        : more.map(({ url, protocolBinding }) => ({ url, transport: protocolBinding })),
    provider: provider && { ...provider },
    documentationUrl,
    iconUrl,
    capabilities: compact({
      streaming,
      pushNotifications,
      extensions: extensions?.map((extension) => asJson(extension)),
    }),
    supportsAuthenticatedExtendedCard: extendedAgentCard,
    securitySchemes: card.securitySchemes && legacySchemes(card.securitySchemes),
    security: card.securityRequirements?.map(legacyRequirement),
    defaultInputModes: card.defaultInputModes,
    defaultOutputModes: card.defaultOutputModes,
    skills: card.skills.map(({ securityRequirements, ...skill }) =>
      compact({ ...skill, security: securityRequirements?.map(legacyRequirement) }),
    ),
  })
}

/**
 * The whole 1.0 card, signatures too, with the members of 0.3 beside: lenient readers of either find theirs. A strict
 * reader of 1.0 refuses it.
 */
export function hybridCard(card: AgentCard): JsonRecord {
  const legacy = legacyCard(card)
  const schemes = isRecord(legacy.securitySchemes) ? legacy.securitySchemes : {}
  const both = Object.entries(card.securitySchemes ?? {}).map(([name, scheme]): [string, Json] => [
    name,
    { ...asJson(schemes[name]), ...asJson(scheme) },
  ])
  return compact({
    ...legacy,
    ...asJson(card),
    securitySchemes: card.securitySchemes && Object.fromEntries(both),
    skills: card.skills.map((skill) =>
      compact({ ...skill, security: skill.securityRequirements?.map(legacyRequirement) }),
    ),
  })
}

/** An answer to a caller of 0.3, whose signatures are of that form (`signedFor`). */
export const withSignatures = (legacy: JsonRecord, { signatures }: AgentCard): JsonRecord =>
  compact({ ...legacy, signatures: signatures?.map(asJson) })

/** As the 0.3 proto has it, for `GET /v1/card`: security stays a oneof. */
export const protoCard = (card: AgentCard): JsonRecord =>
  compact({
    ...legacyCard(card),
    securitySchemes: card.securitySchemes,
    security: card.securityRequirements,
    skills: card.skills.map(({ securityRequirements, ...skill }) =>
      compact({ ...skill, security: securityRequirements }),
    ),
  })

/** `{schemes: {oauth: {list: ['read']}}}` is `{oauth: ['read']}`. */
function legacyRequirement({ schemes }: JsonRecord): JsonRecord {
  if (!isRecord(schemes)) return {}
  const entries = Object.entries(schemes).map(([name, scopes]): [string, Json] => [
    name,
    isRecord(scopes) && Array.isArray(scopes.list) ? scopes.list : [],
  ])
  return Object.fromEntries(entries)
}

/** A scheme that 0.3 has no word for is left out. */
function legacySchemes(schemes: JsonRecord): JsonRecord {
  const entries = Object.entries(schemes).flatMap(([name, scheme]): [string, Json][] => {
    const legacy = isRecord(scheme) ? legacyScheme(scheme) : undefined
    return legacy === undefined ? [] : [[name, legacy]]
  })
  return Object.fromEntries(entries)
}

function legacyScheme(scheme: JsonRecord): JsonRecord | undefined {
  const { apiKeySecurityScheme: apiKey, httpAuthSecurityScheme: http, oauth2SecurityScheme: oauth2 } = scheme
  const { openIdConnectSecurityScheme: openId, mtlsSecurityScheme: mtls } = scheme
  if (isRecord(apiKey)) {
    const { location, ...rest } = apiKey
    return compact({ type: 'apiKey', in: location, ...rest })
  }
  if (isRecord(http)) return { type: 'http', ...http }
  if (isRecord(oauth2)) {
    const flows = isRecord(oauth2.flows) ? oauth2.flows : {}
    const { authorizationCode, clientCredentials } = flows
    // The device code flow does not exist in 0.3, nor does pkceRequired.
    const { pkceRequired: _, ...code } = isRecord(authorizationCode) ? authorizationCode : {}
    const kept = compact({
      authorizationCode: isRecord(authorizationCode) ? code : undefined,
      clientCredentials,
    })
    return Object.keys(kept).length === 0 ? undefined : { type: 'oauth2', ...oauth2, flows: kept }
  }
  if (isRecord(openId)) return { type: 'openIdConnect', ...openId }
  return isRecord(mtls) ? { type: 'mutualTLS', ...mtls } : undefined
}
