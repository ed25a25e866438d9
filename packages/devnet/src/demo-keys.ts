/**
 * Fixed keys of the demo wallets, so that documents can show their addresses (spec solana 14). Everyone knows them:
 * whatever they hold on a real network is anyone's. The payments package refuses to sign with them unless the node is
 * on this machine.
 */
import { createHash } from 'node:crypto'
import { type Keypair, keypairFromSeed } from './keypair.js'

export const ROLES = ['authority', 'buyer', 'merchant', 'facilitator'] as const
export type Role = (typeof ROLES)[number]
export type Wallets = Readonly<Record<Role, Keypair>>

/** Seed = SHA-256 of a sentence. */
export function demoWallet(role: Role): Keypair {
  const sentence = `AetherKit devnet ${role}: everyone knows this key, never fund it on a real network`
  return keypairFromSeed(createHash('sha256').update(sentence).digest())
}

export function demoWallets(): Wallets {
  return {
    authority: demoWallet('authority'),
    buyer: demoWallet('buyer'),
    merchant: demoWallet('merchant'),
    facilitator: demoWallet('facilitator'),
  }
}
