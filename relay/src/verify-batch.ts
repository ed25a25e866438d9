/**
 * What travels between the relay and its verify workers: one buffer each way.
 *
 * A batch:
 *   0   count              4   u32 little-endian, as all lengths here
 *   4   items:
 *       length             4   of the canonical bytes, n
 *       has a rounding     1   0 or 1
 *       rounded time       8   u64 big-endian, as in the canonical bytes (spec 1.3, double repair)
 *       claimed id        32
 *       signature         64
 *       canonical bytes    n   the first 32 are the public key, the time is at 32
 *
 * The answer: one byte for each item, an index into {@link VERDICTS}.
 */
import { canonicalBytes, type Event } from '@aetherkit/core'

/** `repaired`: id and signature are right for the rounded time. */
export const VERDICTS = ['valid', 'repaired', 'id_mismatch', 'invalid_signature'] as const
export type Verdict = (typeof VERDICTS)[number]

export interface Claim {
  readonly event: Event
  readonly rounded?: bigint | undefined
}

const HEADER = 4 + 1 + 8 + 32 + 64
const TIME_AT = 32

export function packBatch(claims: readonly Claim[]): Uint8Array<ArrayBuffer> {
  const canonical = claims.map(({ event }) => canonicalBytes(event))
  const size = canonical.reduce((sum, bytes) => sum + HEADER + bytes.length, 4)
  // Not from the pool of small buffers: its memory is moved to the worker.
  const batch = Buffer.from(new ArrayBuffer(size))
  let at = batch.writeUInt32LE(claims.length, 0)
  for (const [index, { event, rounded }] of claims.entries()) {
    const bytes = canonical[index]!
    at = batch.writeUInt32LE(bytes.length, at)
    at = batch.writeUInt8(rounded === undefined ? 0 : 1, at)
    at = batch.writeBigUInt64BE(rounded ?? 0n, at)
    at += batch.write(event.id, at, 'hex')
    at += batch.write(event.sig, at, 'hex')
    batch.set(bytes, at)
    at += bytes.length
  }
  return new Uint8Array(batch.buffer)
}

/** Judges a batch in place. `check` is libsodium's detached verification, `hash` BLAKE3-256. */
export function judgeBatch(
  bytes: Uint8Array<ArrayBuffer>,
  hash: (bytes: Uint8Array) => Uint8Array,
  check: (sig: Buffer, digest: Buffer, publicKey: Buffer) => boolean,
): Uint8Array<ArrayBuffer> {
  const batch = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  const count = batch.readUInt32LE(0)
  const verdicts = new Uint8Array(new ArrayBuffer(count))
  let at = 4
  for (let item = 0; item < count; item++) {
    const length = batch.readUInt32LE(at)
    const rounding = batch[at + 4] === 1 ? batch.subarray(at + 5, at + 13) : undefined
    const id = batch.subarray(at + 13, at + 45)
    const sig = batch.subarray(at + 45, at + HEADER)
    const canonical = batch.subarray(at + HEADER, at + HEADER + length)
    at += HEADER + length
    let verdict: Verdict = id.equals(hash(canonical)) ? 'valid' : 'id_mismatch'
    if (verdict === 'id_mismatch' && rounding !== undefined) {
      canonical.set(rounding, TIME_AT)
      if (id.equals(hash(canonical))) verdict = 'repaired'
    }
    if (verdict !== 'id_mismatch' && !check(sig, id, canonical.subarray(0, 32))) verdict = 'invalid_signature'
    verdicts[item] = VERDICTS.indexOf(verdict)
  }
  return verdicts
}
