/** The info document (spec 10.6): the shape of NIP-11, the same on every surface. */
import { createRequire } from 'node:module'
import type { JsonObject } from '@aetherkit/core'
import { FEATURES, FORMATS, VERSION } from './handshake.js'
import { type Limits, limitsDocument } from './limits.js'
import type { Policy } from './policy.js'

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
  readonly policies: readonly Policy[]
  readonly retentionNs: bigint | undefined
}

export function infoDocument(facts: InfoFacts): JsonObject {
  return {
    name: facts.name,
    software: '@aetherkit/relay',
    version: SOFTWARE_VERSION,
    protocol_versions: [VERSION],
    formats: [...FORMATS],
    features: [...FEATURES],
    limits: { ...limitsDocument(facts.limits) },
    pow_difficulty: 0,
    ...Object.assign({}, ...facts.policies.map(({ info }) => info ?? {})),
    retention_ns: facts.retentionNs?.toString() ?? null,
    supported_nips: [],
    pubkey: facts.publicKey,
    noise_pubkey: facts.noisePublicKey,
    epoch: facts.epoch,
  }
}
