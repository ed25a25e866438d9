/**
 * Recent blockhashes and what landed under each (spec solana 10, points 1-3). Every hash is 32 random bytes, so that two
 * runs never share one. A hash is valid while at most `validBlocks` (150) blocks old; what landed under it is forgotten
 * together with it.
 */
import { randomBytes } from 'node:crypto'
import { encodeBase58 } from './base58.js'

interface Entry {
  readonly height: number
  readonly landed: Set<string>
}

export interface Blockhashes {
  readonly latest: string
  /** Starts the block at this height: a fresh hash, the too old ones leave. */
  next(height: number, validBlocks: number): string
  /** All hashes die; a fresh one begins at this height. */
  expire(height: number): void
  isValid(hash: string, height: number, validBlocks: number): boolean
  hasLanded(hash: string, messageHash: string): boolean
  markLanded(hash: string, messageHash: string): void
}

export function createBlockhashes(height: number): Blockhashes {
  const entries = new Map<string, Entry>()
  let latest = add(height)

  function add(at: number): string {
    const hash = encodeBase58(randomBytes(32))
    entries.set(hash, { height: at, landed: new Set() })
    return hash
  }

  return {
    get latest() {
      return latest
    },
    next(at, validBlocks) {
      latest = add(at)
      for (const [hash, entry] of entries) {
        if (at - entry.height <= validBlocks) break
        entries.delete(hash)
      }
      return latest
    },
    expire(at) {
      entries.clear()
      latest = add(at)
    },
    isValid(hash, at, validBlocks) {
      const entry = entries.get(hash)
      return entry !== undefined && at - entry.height <= validBlocks
    },
    hasLanded: (hash, messageHash) => entries.get(hash)?.landed.has(messageHash) === true,
    markLanded(hash, messageHash) {
      entries.get(hash)?.landed.add(messageHash)
    },
  }
}
