/** BLAKE3-256 on Node.js: WebAssembly, about ten times as fast as pure JavaScript on event-sized input. */
import { createRequire } from 'node:module'
import { blake3 as pure } from './blake3-pure.js'

/** 32-byte hash. */
export const blake3: (bytes: Uint8Array) => Uint8Array = load()

/** A host without WebAssembly (or a bundle without the file) gets the pure implementation: slower, the same hash. */
function load(): (bytes: Uint8Array) => Uint8Array {
  try {
    const { hash } = createRequire(import.meta.url)('blake3-wasm') as { hash(bytes: Uint8Array): Uint8Array }
    hash(new Uint8Array(1))
    return (bytes) => hash(bytes)
  } catch {
    return pure
  }
}
