/** What a facilitator says it serves (spec payments 7), in one version or both. */
import { isJsonObject, type JsonObject } from '@aetherkit/core'
import { readAddress } from '../codec/terms.js'
import { type Network, parseNetwork } from '../network.js'
import type { Kind } from '../settler.js'

export interface Supported {
  readonly kinds: readonly Kind[]
  readonly versions: ReadonlyMap<Network, readonly (1 | 2)[]>
  readonly signers: ReadonlySet<string>
}

export function readSupported(json: JsonObject): Supported {
  const kinds: Kind[] = []
  const versions = new Map<Network, (1 | 2)[]>()
  const signers = new Set<string>()
  for (const kind of Array.isArray(json.kinds) ? json.kinds.slice(0, 256) : []) {
    if (!isJsonObject(kind) || kind.scheme !== 'exact') continue
    const network = parseNetwork(kind.network)
    const feePayer = isJsonObject(kind.extra) ? readAddress(kind.extra.feePayer) : undefined
    const version = kind.x402Version === 1 || kind.x402Version === 2 ? kind.x402Version : undefined
    if (network === undefined || feePayer === undefined || version === undefined) continue
    signers.add(feePayer)
    const known = versions.get(network)
    if (known === undefined) kinds.push({ scheme: 'exact', network, feePayer })
    versions.set(network, [...(known ?? []), version])
  }
  for (const group of Object.values(isJsonObject(json.signers) ? json.signers : {})) {
    for (const signer of Array.isArray(group) ? group : []) {
      const address = readAddress(signer)
      if (address !== undefined) signers.add(address)
    }
  }
  return { kinds, versions, signers }
}
