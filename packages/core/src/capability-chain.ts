/**
 * Enforcement of a chain of capability tokens (spec 11.1): the owner of a resource issued the first, each subject
 * issued the next, the last subject presents it. A link may narrow, never widen; all caveats of all links hold.
 */
import { type CapabilityToken, type Caveats, readCaveats, tokenId, verifyToken } from './capability.js'
import { type Reject, reject } from './codes.js'

/** Uses of a token by its id (hex). Durable in whoever enforces `max_uses`; must count atomically. */
export interface UsageCounter {
  /** How often it was used, 0 when never. */
  used(tokenId: string): number | Promise<number>
  /** Counts one use; the number of uses including this one. */
  add(tokenId: string): number | Promise<number>
}

export interface CapabilityCheck {
  /** Who owns the resource, hex: the only acceptable issuer of the first token. */
  readonly owner: string
  /** Who presents the chain, proven elsewhere (AUTH, a signed event), hex. */
  readonly holder: string
  /** What is to be done, as `:`-joined segments. */
  readonly required: string
  /** Nanoseconds since 1970. */
  readonly now: bigint
  /** Without one a token with `max_uses` is refused. */
  readonly usage?: UsageCounter
}

/** Tokens in a chain. */
const MAX_DEPTH = 8

/**
 * Whether the chain lets the holder do what is required, and if so counts one use of each token that has `max_uses`.
 *
 * `restricted` with a kept text for a chain that does not, `invalid_signature` for one that is forged,
 * `invalid_message` for a caveat that is no integer.
 */
export async function enforceCapability(
  chain: readonly CapabilityToken[],
  check: CapabilityCheck,
): Promise<{ ok: true } | Reject> {
  const first = chain[0]
  const last = chain.at(-1)
  if (first === undefined || last === undefined) return reject('restricted', 'empty capability chain')
  if (chain.length > MAX_DEPTH) return notGranted(`chain of more than ${MAX_DEPTH} tokens`)
  if (first.issuer !== check.owner.toLowerCase()) return notGranted('first issuer does not own the resource')

  const counted: { id: string; max: bigint }[] = []
  let before: { token: CapabilityToken; caveats: Caveats } | undefined
  for (const token of chain) {
    const link = checkToken(token, check.now)
    if (!link.ok) return link
    if (before !== undefined) {
      if (before.token.subject !== token.issuer)
        return reject('restricted', 'capability chain subject mismatch')
      if (!capabilityCovers(before.token.capability, token.capability))
        return notGranted('a link widens the capability')
      if (widens(before.caveats, link.caveats)) return notGranted('a link widens a caveat')
    }
    const max = link.caveats.maxUses
    if (max !== undefined) counted.push({ id: tokenId(token), max })
    before = { token, caveats: { ...before?.caveats, ...link.caveats } }
  }
  if (last.subject !== check.holder.toLowerCase())
    return reject('restricted', 'capability chain subject mismatch', 'the holder is not the last subject')
  if (!capabilityCovers(last.capability, check.required)) return notGranted()
  return (await countUses(counted, check.usage))
    ? { ok: true }
    : reject('restricted', 'capability usage exceeded')
}

/**
 * Whether a granted capability is equal to or wider than another: segment by segment, `*` for any one segment, and a
 * shorter one covers everything below it. `doc:*` covers `doc:1` and `doc:1:read`, not `doc` nor `docs:1`.
 */
export function capabilityCovers(granted: string, wanted: string): boolean {
  const segments = wanted.split(':')
  return granted.split(':').every((segment, i) => {
    const other = segments[i]
    return other !== undefined && (segment === '*' || segment === other)
  })
}

/** A counter for tests and single processes; forgets everything at exit unless the map is kept. */
export function memoryUsage(uses: Map<string, number> = new Map()): UsageCounter {
  return {
    used: (id) => uses.get(id) ?? 0,
    add: (id) => {
      const count = (uses.get(id) ?? 0) + 1
      uses.set(id, count)
      return count
    },
  }
}

function checkToken(token: CapabilityToken, now: bigint): { ok: true; caveats: Caveats } | Reject {
  const read = readCaveats(token.caveats)
  if (!read.ok) return read
  if (!verifyToken(token)) return reject('invalid_signature', 'invalid capability signature')
  const { notBefore, notAfter } = read.caveats
  if (notBefore !== undefined && now < notBefore) return reject('restricted', 'capability not yet valid')
  if (notAfter !== undefined && now > notAfter) return reject('restricted', 'capability expired')
  return read
}

/** A caveat left out is inherited; one that is there must not promise more than any link before. */
function widens(before: Caveats, after: Caveats): boolean {
  return (
    (after.notBefore !== undefined && before.notBefore !== undefined && after.notBefore < before.notBefore) ||
    (after.notAfter !== undefined && before.notAfter !== undefined && after.notAfter > before.notAfter) ||
    (after.maxUses !== undefined && before.maxUses !== undefined && after.maxUses > before.maxUses)
  )
}

/** Looks at all counters before it moves one; `add` decides, so that of two at once only one gets the last use. */
async function countUses(
  counted: readonly { id: string; max: bigint }[],
  usage: UsageCounter | undefined,
): Promise<boolean> {
  if (counted.length === 0) return true
  if (usage === undefined) return false
  for (const { id, max } of counted) if (BigInt(await usage.used(id)) >= max) return false
  for (const { id, max } of counted) if (BigInt(await usage.add(id)) > max) return false
  return true
}

function notGranted(detail?: string): Reject {
  return reject('restricted', 'capability not granted', detail)
}
