export interface Row {
  readonly id: string
  readonly client: Piece
  readonly wire: 'seed' | 'v1' | 'v2'
  readonly server: Piece
  readonly facilitator: Piece
  readonly proves: string
}

export type Piece = 'ours' | 'current' | 'legacy' | 'seed'

export interface World {
  buy(row: Row): Promise<Bought>
  close(): Promise<void>
}

/** What one purchase came to; read by `faultsOf`. */
export interface Bought {
  readonly answer: Readonly<Record<string, unknown>>
  readonly moved: Readonly<Record<string, unknown>>
  readonly runs: number
}

export interface StricterRule {
  readonly id: string
  readonly spec: string
  readonly rule: string
  readonly reasons: readonly string[]
  readonly mutations: readonly string[]
}

export interface DifferentialReport {
  readonly judged: number
  readonly bothTake: number
  readonly bothRefuse: number
  /** By id of the rule. */
  readonly stricter: Readonly<Record<string, number>>
  /** Sound mutations that both took, by name. */
  readonly taken: Readonly<Record<string, number>>
  readonly unexpected: readonly object[]
}

export const ROWS: readonly Row[]
export const PIECES: Readonly<Record<Piece, string>>
export const SOUND_NAMES: readonly string[]
export const MUTATION_NAMES: readonly string[]
export const STRICTER_RULES: readonly StricterRule[]
export function missingPackages(): readonly string[]
export function startWorld(): Promise<World>
export function faultsOf(row: Row, bought: Bought): readonly string[]
export function runDifferential(options?: { count?: number; seed?: number }): Promise<DifferentialReport>

/** A peer program: what it said when ready, and its answers. */
export interface Peer {
  readonly url: string
  ask(request: Readonly<Record<string, unknown>>): Promise<Readonly<Record<string, unknown>>>
  close(): Promise<void>
}

export function startPeer(program: string, settings: Readonly<Record<string, unknown>>): Promise<Peer>
export function encodeBase58(bytes: Uint8Array): string
