/** Start state and identity (spec solana 11, 14). */
import { createHash } from 'node:crypto'
import { Keypair } from '@solana/web3.js'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ROLES } from './demo-keys.js'
import { type Devnet, startDevnet } from './devnet.js'

let devnet: Devnet
beforeAll(async () => {
  devnet = await startDevnet()
})
afterAll(() => devnet.close())

it('presents itself as Solana devnet with its USDC', () => {
  expect(devnet).toMatchObject({
    network: 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1',
    genesisHash: 'EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG',
    mint: '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU',
    decimals: 6,
  })
})

it('starts with funded authority and facilitator, a buyer with USDC and no SOL, a merchant with an empty account', async () => {
  const { authority, buyer, merchant, facilitator } = devnet.wallets
  expect(devnet.lamportsOf(authority.publicKey)).toBe(10_000_000_000n)
  expect(devnet.lamportsOf(facilitator.publicKey)).toBe(10_000_000_000n)
  expect(devnet.lamportsOf(buyer.publicKey)).toBe(0n)
  expect(devnet.lamportsOf(merchant.publicKey)).toBe(0n)
  expect(await devnet.tokensOf(buyer.publicKey)).toBe(100_000_000n)
  expect(await devnet.tokensOf(merchant.publicKey)).toBe(0n)
  expect(await devnet.tokensOf(facilitator.publicKey)).toBeUndefined()
})

it('has the same wallets in every run, as documents show them', () => {
  const addresses = Object.fromEntries(ROLES.map((role) => [role, devnet.wallets[role].publicKey]))
  expect(addresses).toEqual({
    authority: 'Eta2DnrhUHp4VMpxdkrTBzTCEC2863XCzzdqEzYtQobB',
    buyer: 'FM5QVwArC4eNzhYshYLhbh8VmVCMNvsB9sRs6wxdZRak',
    merchant: 'FsEViYJ6V1N1wD2RcpJmjE6q1NzoAatHdpHz8kB5GMW2',
    facilitator: 'ETJdFhMQdUdJm8a1bnjxMzMvRxQUxXvYvMjKG9vUojuY',
  })
})

it('makes its keys from a sentence, in the form of web3.js', () => {
  for (const role of ROLES) {
    const sentence = `AetherKit devnet ${role}: everyone knows this key, never fund it on a real network`
    const expected = Keypair.fromSeed(createHash('sha256').update(sentence).digest())
    expect(devnet.wallets[role].secretKey).toEqual(expected.secretKey)
    expect(devnet.wallets[role].publicKey).toBe(expected.publicKey.toBase58())
  }
})

it('gives other wallets SOL and tokens', async () => {
  const address = Keypair.generate().publicKey.toBase58()
  devnet.setLamports(address, 5n)
  await devnet.setTokens(address, 7n)
  expect(devnet.lamportsOf(address)).toBe(5n)
  expect(await devnet.tokensOf(address)).toBe(7n)
})
