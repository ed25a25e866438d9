/**
 * One payment, right in every clause unless a case changes it: for each rule of spec solana 3 an accepted one and,
 * differing in that clause alone, a refused one.
 */
import { fromHex, publicKeyOf, signDigest } from '@aetherkit/core'
import {
  computeUnitLimit,
  computeUnitPrice,
  LIGHTHOUSE,
  memo,
  transferChecked,
} from '../src/exact/instruction.js'
import type { Mint } from '../src/exact/mint.js'
import { DEFAULT_SPONSOR_LIMITS, type StaticRules, verifyStatic } from '../src/exact/static.js'
import { DEVNET } from '../src/network.js'
import type { Payment, Requirement } from '../src/requirement.js'
import { associatedAccount, encodeBase58, encodeMessage, type Instruction } from '../src/solana.js'
import { TOKEN_2022_PROGRAM, TOKEN_PROGRAM } from '../src/token.js'

const seed = (fill: number) => new Uint8Array(32).fill(fill)
export const publicKey = (fill: number) => fromHex(publicKeyOf(seed(fill)))
export const [BUYER_SEED, STRANGER_SEED] = [seed(1), seed(4)]
export const PAYER = encodeBase58(publicKey(1))
export const SPONSOR = encodeBase58(publicKey(2))
export const OTHER_SPONSOR = encodeBase58(publicKey(3))
export const STRANGER = encodeBase58(publicKey(4))
export const SELLER = encodeBase58(publicKey(5))
export const BLOCKHASH = encodeBase58(publicKey(6))
export const SYSTEM = '11111111111111111111111111111111'
export const MINT: Mint = {
  address: '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU',
  program: TOKEN_PROGRAM,
  decimals: 6,
  extensions: [],
}
export const ataOf = (owner: string, mint = MINT) => associatedAccount(owner, mint.program, mint.address)

export const terms: Requirement = {
  scheme: 'exact',
  network: DEVNET,
  amount: 100_000n,
  asset: MINT.address,
  payTo: SELLER,
  maxTimeoutSeconds: 60,
  feePayer: SPONSOR,
  flow: 'upfront',
}
export const rules: StaticRules = {
  sponsors: new Set([SPONSOR, OTHER_SPONSOR]),
  network: DEVNET,
  limits: DEFAULT_SPONSOR_LIMITS,
  allowedMints: {},
}

/** What is judged; every member has the value of an accepted payment unless a case changes it. */
export interface Case {
  readonly requirement?: Partial<Requirement>
  readonly rules?: Partial<StaticRules>
  readonly mint?: Mint
  readonly feePayer?: string
  readonly transfer?: Partial<Parameters<typeof transferChecked>[1]>
  readonly instructions?: (usual: readonly [Instruction, Instruction, Instruction]) => readonly Instruction[]
  /** Seed of who signs in slot 1. */
  readonly signer?: Uint8Array
  /** The message, before it is signed. */
  readonly message?: (message: Uint8Array) => Uint8Array
  /** The wire bytes, after it is signed. */
  readonly wire?: (wire: Uint8Array) => Uint8Array
  readonly base64?: (base64: string) => string
  readonly payment?: Partial<Payment>
}

export function judge(it: Case): string {
  const mint = it.mint ?? MINT
  const requirement: Requirement = { ...terms, ...it.requirement }
  const usual = [
    computeUnitLimit(20_000),
    computeUnitPrice(1n),
    transferChecked(mint.program, {
      source: ataOf(PAYER, mint),
      mint: mint.address,
      destination: ataOf(SELLER, mint),
      authority: PAYER,
      amount: 100_000n,
      decimals: 6,
      ...it.transfer,
    }),
  ] as const
  const encoded = encodeMessage({
    feePayer: it.feePayer ?? SPONSOR,
    blockhash: BLOCKHASH,
    instructions: it.instructions?.(usual) ?? usual,
  })
  const message = it.message?.(encoded) ?? encoded
  const signature = signDigest(message, it.signer ?? BUYER_SEED)
  const count = (message[0] as number) >= 0x80 ? (message[1] as number) : (message[0] as number)
  const spare = Array.from({ length: Math.max(0, count - 2) }, () => new Uint8Array(64))
  const signed = concat(Uint8Array.of(count), new Uint8Array(64), signature, ...spare, message)
  const wire = it.wire?.(signed) ?? signed
  const base64 = Buffer.from(wire).toString('base64')
  const payment: Payment = {
    dialect: 'v2',
    network: DEVNET,
    transaction: it.base64?.(base64) ?? base64,
    raw: {},
    ...it.payment,
  }
  const verdict = verifyStatic(payment, requirement, mint, { ...rules, ...it.rules })
  return verdict.ok ? 'accepted' : verdict.reason
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts))
}

/** A v0 message as a legacy one: without version byte and lookup table count. */
export const legacy = (message: Uint8Array) => message.slice(1, -1)
/** One lookup table, with one writable entry. */
export const withLookup = (message: Uint8Array) =>
  concat(message.subarray(0, -1), Uint8Array.of(1), publicKey(7), Uint8Array.of(1, 0, 0))
export const lighthouse = (...accounts: string[]): Instruction => ({
  program: LIGHTHOUSE,
  accounts: accounts.map((address) => ({ address, isSigner: false, isWritable: false })),
  data: Uint8Array.of(9),
})
export const named = (instruction: Instruction, address: string, isSigner = false): Instruction => ({
  ...instruction,
  accounts: [...instruction.accounts, { address, isSigner, isWritable: false }],
})
export const add =
  (...more: Instruction[]): NonNullable<Case['instructions']> =>
  (usual) => [...usual, ...more]
export const filler = (lengths: readonly number[]) =>
  add(...lengths.map((length) => memo('m'.repeat(length))))
export const data = (instruction: Instruction, bytes: Uint8Array): Instruction => ({
  ...instruction,
  data: bytes,
})

/** With two of 256 and an empty one, this long a memo makes the wire 1232 bytes. */
export const LAST = 244
export const token2022: Mint = {
  ...MINT,
  program: TOKEN_2022_PROGRAM,
  extensions: [{ type: 18, active: false }],
}
export const listed = (...types: number[]) => ({ allowedMints: { [MINT.address]: types } })
export const [I, P] = ['invalid_exact_svm', 'invalid_exact_svm_payload']
