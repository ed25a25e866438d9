/** BLAKE3-256 where there is no Node.js: pure JavaScript, a few events a second do not need WebAssembly. */
import { blake3 as pure } from '@noble/hashes/blake3.js'

/** 32-byte hash. */
export function blake3(bytes: Uint8Array): Uint8Array {
  return pure(bytes)
}
