/**
 * What travels between the relay and its verify workers: one buffer each way.
 *
 * A batch:
 *   0   count              4   u32 little-endian, as all lengths here
 *   4   items:
 *       length             4   of the canonical bytes, n
 *       form               1   0: Aether, 1: Aether with a rounding, 2: Nostr
 *       rounded time       8   u64 big-endian, as in the canonical bytes (spec 1.3, double repair)
 *       claimed id        32
 *       signature         64
 *       canonical bytes    n   the first 32 are the public key, the time is at 32; of a Nostr event, whose id is known
 *                              to be right, the public key alone
 *
 * The answer: one byte for each item, an index into {@link VERDICTS}.
 */
import { canonicalBytes, type Event } from '@aetherkit/core'
import { NostrEvent } from './nostr-event.js'

/** `repaired`: id and signature are right for the rounded time. */
export const VERDICTS = ['valid', 'repaired', 'id_mismatch', 'invalid_signature'] as const
export type Verdict = (typeof VERDICTS)[number]

export interface Claim {
  readonly event: Event
  readonly rounded?: bigint | undefined
}

const FORM = { aether: 0, rounded: 1, nostr: 2 } as const
const HEADER = 4 + 1 + 8 + 32 + 64
const TIME_AT = 32

export function packBatch(claims: readonly Claim[]): Uint8Array<ArrayBuffer> {
  const canonical = claims.map(({ event }) =>
    NostrEvent.is(event) ? Buffer.from(event.pubkey, 'hex') : canonicalBytes(event),
  )
  const size = canonical.reduce((sum, bytes) => sum + HEADER + bytes.length, 4)
  // Not from the pool of small buffers: its memory is moved to the worker.
  const batch = Buffer.from(new ArrayBuffer(size))
  let at = batch.writeUInt32LE(claims.length, 0)
  for (const [index, { event, rounded }] of claims.entries()) {
    const bytes = canonical[index]!
    at = batch.writeUInt32LE(bytes.length, at)
    at = batch.writeUInt8(formOf(event, rounded), at)
    at = batch.writeBigUInt64BE(rounded ?? 0n, at)
    at += batch.write(event.id, at, 'hex')
    at += batch.write(event.sig, at, 'hex')
    batch.set(bytes, at)
    at += bytes.length
  }
  return new Uint8Array(batch.buffer)
}

/** The crypto of a worker. */
export interface Judge {
  /** BLAKE3-256. */
  hash(bytes: Uint8Array): Uint8Array
  /** libsodium's detached verification. */
  ed25519(sig: Buffer, digest: Buffer, publicKey: Buffer): boolean
  /** BIP-340 verification; false also for what is no key or signature at all. */
  schnorr(sig: Buffer, digest: Buffer, publicKey: Buffer): boolean
}

/** Judges a batch in place. An event is judged by the rules of its own protocol and no other. */
export function judgeBatch(
  bytes: Uint8Array<ArrayBuffer>,
  { hash, ed25519, schnorr }: Judge,
): Uint8Array<ArrayBuffer> {
  const batch = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const count = batch.readUInt32LE(0)
  const verdicts = new Uint8Array(new ArrayBuffer(count))
  let at = 4
  for (let item = 0; item < count; item++) {
    const length = batch.readUInt32LE(at)
    const form = batch[at + 4]
    const rounding = form === FORM.rounded ? batch.subarray(at + 5, at + 13) : undefined
    const id = batch.subarray(at + 13, at + 45)
    const sig = batch.subarray(at + 45, at + HEADER)
    const canonical = batch.subarray(at + HEADER, at + HEADER + length)
    at += HEADER + length
    if (form === FORM.nostr) {
      verdicts[item] = VERDICTS.indexOf(schnorr(sig, id, canonical) ? 'valid' : 'invalid_signature')
      continue
    }
    let verdict: Verdict = id.equals(hash(canonical)) ? 'valid' : 'id_mismatch'
    if (verdict === 'id_mismatch' && rounding !== undefined) {
      canonical.set(rounding, TIME_AT)
      if (id.equals(hash(canonical))) verdict = 'repaired'
    }
    if (verdict !== 'id_mismatch' && !ed25519(sig, id, canonical.subarray(0, 32)))
      verdict = 'invalid_signature'
    verdicts[item] = VERDICTS.indexOf(verdict)
  }
  return verdicts
}

function formOf(event: Event, rounded: bigint | undefined): number {
  if (NostrEvent.is(event)) return FORM.nostr
  return rounded === undefined ? FORM.aether : FORM.rounded
}
