/** The info document (spec 10.6): the shape of NIP-11, the same on every surface. */
import { createRequire } from 'node:module'
import type { JsonObject } from '@aetherkit/core'
import type { AccessRule } from './access.js'
import { NOSTR_NIPS } from './gateway/nostr-nips.js'
import { FORMATS, VERSION } from './handshake.js'
import { type Limits, limitsDocument } from './limits.js'
import type { Policy } from './policy.js'
import type { RetentionRule } from './retention.js'

/** Version of this package. */
export const SOFTWARE_VERSION: string = (
  createRequire(import.meta.url)('../package.json') as { version: string }
).version

export interface InfoFacts {
  readonly name: string
  readonly epoch: string
  readonly limits: Limits
  /** X25519 static key of noise-xx, hex: what clients pin. */
  readonly noisePublicKey: string
  /** Ed25519 key of the relay, hex. */
  readonly publicKey: string
  readonly policies: readonly Pick<Policy, 'info'>[]
  readonly retentionNs: bigint | undefined
  readonly retention: readonly RetentionRule[]
  readonly features: readonly string[]
  /** Whether there is a Nostr gateway. */
  readonly nostr: boolean
  readonly auth: { readonly read?: readonly AccessRule[]; readonly write?: readonly AccessRule[] }
}

export function infoDocument(facts: InfoFacts): JsonObject {
  const policies: JsonObject = Object.assign({}, ...facts.policies.map(({ info }) => info ?? {}))
  return {
    name: facts.name,
    software: '@aetherkit/relay',
    version: SOFTWARE_VERSION,
    protocol_versions: [VERSION],
    formats: [...FORMATS],
    features: [...facts.features],
    limits: { ...limitsDocument(facts.limits) },
    pow_difficulty: 0,
    ...policies,
    retention: facts.retention.map(({ kinds, maxAgeSeconds, maxCount, maxBytes }) => ({
      kinds: [[...kinds]],
      time: maxAgeSeconds ?? null,
      count: maxCount ?? null,
      bytes: maxBytes ?? null,
    })),
    retention_ns: facts.retentionNs?.toString() ?? null,
    supported_nips: facts.nostr ? [...NOSTR_NIPS] : [],
    limitation: limitation(facts, policies),
    pubkey: facts.publicKey,
    noise_pubkey: facts.noisePublicKey,
    epoch: facts.epoch,
  }
}

/** The limits once more, under the names of NIP-11. Times are seconds from now. */
function limitation({ limits, auth }: InfoFacts, policies: JsonObject): JsonObject {
  const { max_future_ms: future, max_age_ms: age, pow_difficulty: bits } = policies
  const isForAll = ({ kinds, recipients }: AccessRule) => kinds === undefined && recipients === undefined
  return {
    max_message_length: limits.maxFrame,
    max_subscriptions: limits.maxSubscriptions,
    max_subid_length: limits.maxSubId,
    max_limit: limits.maxLimit,
    default_limit: limits.defaultLimit,
    max_event_tags: limits.event.maxTags,
    max_content_length: limits.event.maxSize,
    min_pow_difficulty: bits ?? 0,
    auth_required: [...(auth.read ?? []), ...(auth.write ?? [])].some(isForAll),
    payment_required: false,
    restricted_writes: (auth.write ?? []).length > 0,
    ...(typeof age === 'number' && { created_at_lower_limit: Math.floor(age / 1000) }),
    ...(typeof future === 'number' && { created_at_upper_limit: Math.floor(future / 1000) }),
  }
}
