/**
 * The members of an AgentCard of 1.0 with their presence (spec a2a 2.7, 2.8), after `a2a.proto`.
 *
 *   required   always there, also when empty
 *   optional   there when set, also when it holds the default: proto `optional`, messages, members of a oneof
 *   plain      left out when it holds the default: `""`, `false`, `[]`, `{}`
 *
 * A member that is not in these tables is no part of a card, and is covered by no signature.
 */

type Presence = 'required' | 'optional' | 'plain'

export type FieldType =
  | 'text'
  | 'flag'
  | 'texts'
  | 'struct'
  | 'text-map'
  | { readonly message: CardShape }
  | { readonly list: CardShape }
  | { readonly map: CardShape }

export interface CardShape {
  readonly [member: string]: readonly [presence: Presence, type: FieldType]
}

const SECURITY_REQUIREMENT: CardShape = {
  schemes: ['plain', { map: { list: ['plain', 'texts'] } }],
}

const FLOWS: CardShape = {
  authorizationCode: [
    'optional',
    {
      message: {
        authorizationUrl: ['required', 'text'],
        tokenUrl: ['required', 'text'],
        refreshUrl: ['plain', 'text'],
        scopes: ['required', 'text-map'],
        pkceRequired: ['plain', 'flag'],
      },
    },
  ],
  clientCredentials: [
    'optional',
    {
      message: {
        tokenUrl: ['required', 'text'],
        refreshUrl: ['plain', 'text'],
        scopes: ['required', 'text-map'],
      },
    },
  ],
  deviceCode: [
    'optional',
    {
      message: {
        deviceAuthorizationUrl: ['required', 'text'],
        tokenUrl: ['required', 'text'],
        refreshUrl: ['plain', 'text'],
        scopes: ['required', 'text-map'],
      },
    },
  ],
  // Deprecated: never emitted by us, but a foreign card that has them must keep its bytes.
  implicit: [
    'optional',
    {
      message: {
        authorizationUrl: ['plain', 'text'],
        refreshUrl: ['plain', 'text'],
        scopes: ['plain', 'text-map'],
      },
    },
  ],
  password: [
    'optional',
    {
      message: { tokenUrl: ['plain', 'text'], refreshUrl: ['plain', 'text'], scopes: ['plain', 'text-map'] },
    },
  ],
}

const SECURITY_SCHEME: CardShape = {
  apiKeySecurityScheme: [
    'optional',
    {
      message: {
        description: ['plain', 'text'],
        location: ['required', 'text'],
        name: ['required', 'text'],
      },
    },
  ],
  httpAuthSecurityScheme: [
    'optional',
    {
      message: {
        description: ['plain', 'text'],
        scheme: ['required', 'text'],
        bearerFormat: ['plain', 'text'],
      },
    },
  ],
  oauth2SecurityScheme: [
    'optional',
    {
      message: {
        description: ['plain', 'text'],
        flows: ['required', { message: FLOWS }],
        oauth2MetadataUrl: ['plain', 'text'],
      },
    },
  ],
  openIdConnectSecurityScheme: [
    'optional',
    { message: { description: ['plain', 'text'], openIdConnectUrl: ['required', 'text'] } },
  ],
  mtlsSecurityScheme: ['optional', { message: { description: ['plain', 'text'] } }],
}

const SKILL: CardShape = {
  id: ['required', 'text'],
  name: ['required', 'text'],
  description: ['required', 'text'],
  tags: ['required', 'texts'],
  examples: ['plain', 'texts'],
  inputModes: ['plain', 'texts'],
  outputModes: ['plain', 'texts'],
  securityRequirements: ['plain', { list: SECURITY_REQUIREMENT }],
}

const CAPABILITIES: CardShape = {
  streaming: ['optional', 'flag'],
  pushNotifications: ['optional', 'flag'],
  extensions: [
    'plain',
    {
      list: {
        uri: ['plain', 'text'],
        description: ['plain', 'text'],
        required: ['plain', 'flag'],
        params: ['optional', 'struct'],
      },
    },
  ],
  extendedAgentCard: ['optional', 'flag'],
}

/** Without `signatures`, which sign the rest. */
export const CARD: CardShape = {
  name: ['required', 'text'],
  description: ['required', 'text'],
  supportedInterfaces: [
    'required',
    {
      list: {
        url: ['required', 'text'],
        protocolBinding: ['required', 'text'],
        tenant: ['plain', 'text'],
        protocolVersion: ['required', 'text'],
      },
    },
  ],
  provider: ['optional', { message: { url: ['required', 'text'], organization: ['required', 'text'] } }],
  version: ['required', 'text'],
  documentationUrl: ['optional', 'text'],
  capabilities: ['required', { message: CAPABILITIES }],
  securitySchemes: ['plain', { map: SECURITY_SCHEME }],
  securityRequirements: ['plain', { list: SECURITY_REQUIREMENT }],
  defaultInputModes: ['required', 'texts'],
  defaultOutputModes: ['required', 'texts'],
  skills: ['required', { list: SKILL }],
  iconUrl: ['optional', 'text'],
}
