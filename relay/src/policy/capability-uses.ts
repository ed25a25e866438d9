/**
 * How often capability tokens were used (spec 11.1), by token id. A use is on disk before what it paid for goes on, so
 * that nobody gets uses back by a crash.
 */
import { open, type RootDatabase } from 'lmdb'

/** A token of a chain that may be used so often. */
export interface Counted {
  /** Token id, hex. */
  readonly id: string
  readonly max: bigint
}

export interface CapabilityUses {
  /** Counts one use of every token, or of none when one of them is used up: then false. Resolves when it is durable. */
  take(tokens: readonly Counted[]): Promise<boolean>
  /** The same for who cannot wait: blocks until it is durable. */
  takeNow(tokens: readonly Counted[]): boolean
  close(): Promise<void>
}

/** Forgets everything at the end. */
export function memoryUses(): CapabilityUses {
  const uses = new Map<string, number>()
  const takeNow = (tokens: readonly Counted[]) => {
    if (tokens.some(({ id, max }) => BigInt(uses.get(id) ?? 0) >= max)) return false
    for (const { id } of tokens) uses.set(id, (uses.get(id) ?? 0) + 1)
    return true
  }
  return { takeNow, take: (tokens) => Promise.resolve(takeNow(tokens)), async close() {} }
}

/** In an LMDB file of its own, made when missing. One process may have it open. */
export function openCapabilityUses(path: string): CapabilityUses {
  return new FileUses(open<number, string>({ path, noSubdir: true }))
}

class FileUses implements CapabilityUses {
  readonly #file: RootDatabase<number, string>
  /** Counts that may be ahead of the file, and how many writes are under way for each. */
  #closing: Promise<void> | undefined
  readonly #ahead = new Map<string, { count: number; writes: number }>()

  constructor(file: RootDatabase<number, string>) {
    this.#file = file
  }

  async take(tokens: readonly Counted[]): Promise<boolean> {
    if (!this.#count(tokens)) return false
    if (tokens.length === 0) return true
    try {
      await this.#file.transaction(() => this.#write(tokens))
      await this.#file.flushed
    } finally {
      this.#written(tokens)
    }
    return true
  }

  takeNow(tokens: readonly Counted[]): boolean {
    if (!this.#count(tokens)) return false
    try {
      if (tokens.length > 0) this.#file.transactionSync(() => this.#write(tokens))
    } finally {
      this.#written(tokens)
    }
    return true
  }

  async close(): Promise<void> {
    this.#closing ??= this.#file.close()
    await this.#closing
  }

  #count(tokens: readonly Counted[]): boolean {
    if (tokens.some(({ id, max }) => BigInt(this.#used(id)) >= max)) return false
    for (const { id } of tokens) {
      const writes = this.#ahead.get(id)?.writes ?? 0
      this.#ahead.set(id, { count: this.#used(id) + 1, writes: writes + 1 })
    }
    return true
  }

  #used(id: string): number {
    return this.#ahead.get(id)?.count ?? this.#file.get(id) ?? 0
  }

  /** The count of now, not of when the write was asked for: a later use may have been written already. */
  #write(tokens: readonly Counted[]): void {
    for (const { id } of tokens) void this.#file.put(id, this.#used(id))
  }

  #written(tokens: readonly Counted[]): void {
    for (const { id } of tokens) {
      const ahead = this.#ahead.get(id)
      if (ahead !== undefined && --ahead.writes === 0) this.#ahead.delete(id)
    }
  }
}
