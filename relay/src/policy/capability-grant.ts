/**
 * Chains of capability tokens as peers show them (spec 11.1): a tag `capability` of a signed event, one token as JSON in
 * each value, the owner's first. The signer of the event is the holder.
 *
 *   ["capability", "{\"issuer\":...,\"subject\":...,\"capability\":\"publish:1\",\"caveats\":{},\"sig\":...}", ...]
 */
import {
  blake3,
  type CapabilityToken,
  capabilityCovers,
  enforceCapability,
  parseJson,
  type Reject,
  readCaveats,
  readToken,
  reject,
  toHex,
  tokenId,
  type UnsignedEvent,
} from '@aetherkit/core'
import type { Counted } from './capability-uses.js'

/** What a chain that holds lets its holder do. */
export interface Grant {
  readonly capability: string
  /** Ed25519 key, hex. */
  readonly holder: string
  /** Nanoseconds since 1970, inclusive. */
  readonly notBefore: bigint
  readonly notAfter: bigint
  readonly counted: readonly Counted[]
}

const TAG = 'capability'
const FOREVER = 2n ** 64n - 1n
/** Chains that one event may show. */
const MAX_CHAINS = 4
/** Chains remembered, so that a token that comes with every event is verified once. */
const MAX_REMEMBERED = 4096

export class Grants {
  readonly #owner: string
  readonly #max: number
  readonly #remembered = new Map<string, Grant>()

  /** `owner`: the only acceptable issuer of the first token, hex; `max`: chains remembered. */
  constructor(owner: string, max = MAX_REMEMBERED) {
    this.#owner = owner
    this.#max = max
  }

  get size(): number {
    return this.#remembered.size
  }

  /** What the chains of the event grant its signer, uses not counted. One that does not hold refuses all. */
  async of(
    event: UnsignedEvent,
    now: bigint,
  ): Promise<{ readonly ok: true; readonly grants: readonly Grant[] } | Reject> {
    const chains = event.tags.filter(([key]) => key === TAG)
    if (chains.length > MAX_CHAINS) return reject('limit_exceeded', undefined, `at most ${MAX_CHAINS} chains`)
    const grants: Grant[] = []
    for (const [, ...texts] of chains) {
      const grant = await this.#grant(texts, event.pubkey, now)
      if ('ok' in grant) return grant
      grants.push(grant)
    }
    return { ok: true, grants }
  }

  async #grant(texts: readonly string[], holder: string, now: bigint): Promise<Grant | Reject> {
    const key = toHex(blake3(Buffer.from([holder, ...texts].join('\n'))))
    const known = this.#remembered.get(key)
    if (known !== undefined && holdsAt(known, now)) {
      this.#remember(key, known)
      return known
    }
    const read = readChain(texts)
    if (!read.ok) return read
    const { chain } = read
    const required = chain.at(-1)?.capability ?? ''
    // Everything but the counting, which is per use and not per chain.
    const usage = { used: () => 0, add: () => 1 }
    const verdict = await enforceCapability(chain, { owner: this.#owner, holder, required, now, usage })
    if (!verdict.ok) return verdict
    const grant = grantOf(chain, holder)
    this.#remember(key, grant)
    return grant
  }

  #remember(key: string, grant: Grant): void {
    this.#remembered.delete(key)
    this.#remembered.set(key, grant)
    const [oldest] = this.#remembered.keys()
    if (this.#remembered.size > this.#max && oldest !== undefined) this.#remembered.delete(oldest)
  }
}

/** The grant that covers what is to be done, one without counted uses before one with them. */
export function findGrant(grants: readonly Grant[], required: string, now: bigint): Grant | undefined {
  const fitting = grants.filter(
    (grant) => holdsAt(grant, now) && capabilityCovers(grant.capability, required),
  )
  return fitting.find(({ counted }) => counted.length === 0) ?? fitting[0]
}

function holdsAt({ notBefore, notAfter }: Grant, now: bigint): boolean {
  return now >= notBefore && now <= notAfter
}

function readChain(texts: readonly string[]): { ok: true; chain: readonly CapabilityToken[] } | Reject {
  const chain: CapabilityToken[] = []
  for (const text of texts) {
    const parsed = parseJson(text, { maxDepth: 3 })
    if (!parsed.ok) return parsed
    const read = readToken(parsed.value)
    if (!read.ok) return read
    chain.push(read.token)
  }
  return { ok: true, chain }
}

/** Of a chain that was enforced, so its caveats can be read. */
function grantOf(chain: readonly CapabilityToken[], holder: string): Grant {
  let [notBefore, notAfter] = [0n, FOREVER]
  const counted: Counted[] = []
  for (const token of chain) {
    const read = readCaveats(token.caveats)
    if (!read.ok) continue
    const { caveats } = read
    if (caveats.notBefore !== undefined && caveats.notBefore > notBefore) notBefore = caveats.notBefore
    if (caveats.notAfter !== undefined && caveats.notAfter < notAfter) notAfter = caveats.notAfter
    if (caveats.maxUses !== undefined) counted.push({ id: tokenId(token), max: caveats.maxUses })
  }
  return { capability: chain.at(-1)?.capability ?? '', holder, notBefore, notAfter, counted }
}
