import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type CapabilityToken, type Caveats, readToken, signToken, tokenId } from './capability.js'
import { type CapabilityCheck, capabilityCovers, enforceCapability, memoryUsage } from './capability-chain.js'
import { parseJson } from './json.js'
import { generateSecretKey, publicKeyOf } from './sign.js'

interface Case {
  note: string
  chain_json: string
  token_ids: string[]
  check: { owner: string; holder: string; required: string; now: string; uses: Record<string, number> }
  ok: boolean
  code?: string
  error?: string
}

const { cases } = JSON.parse(
  readFileSync(new URL('../../../test/vectors/capabilities.json', import.meta.url), 'utf8'),
) as { cases: Case[] }

function readChain(text: string): CapabilityToken[] {
  const json = parseJson(text)
  if (!json.ok || !Array.isArray(json.value)) throw new Error('vector is no list')
  return json.value.map((value) => {
    const read = readToken(value)
    if (!read.ok) throw new Error(read.detail)
    return read.token
  })
}

describe('capability chains against vectors of another implementation', () => {
  it.each(cases)('$note', async ({ chain_json, token_ids, check, ok, code, error }) => {
    const chain = readChain(chain_json)
    const verdict = await enforceCapability(chain, {
      ...check,
      now: BigInt(check.now),
      usage: memoryUsage(new Map(Object.entries(check.uses))),
    })
    expect(verdict).toMatchObject(ok ? { ok } : { ok, code, error })
    if (ok) expect(chain.map(tokenId)).toEqual(token_ids)
  })
})

const owner = generateSecretKey()
const holder = generateSecretKey()

function granted(caveats: Caveats = {}): CapabilityToken {
  return signToken({ issuerSecret: owner, subject: publicKeyOf(holder), capability: 'doc', caveats })
}

const check: CapabilityCheck = {
  owner: publicKeyOf(owner),
  holder: publicKeyOf(holder),
  required: 'doc:1',
  now: 100n,
}

describe('enforcing', () => {
  it('accepts what signToken made, with every caveat', async () => {
    const token = granted({ notBefore: 100n, notAfter: 100n, maxUses: 1n })
    expect(await enforceCapability([token], { ...check, usage: memoryUsage() })).toEqual({ ok: true })
  })

  it('counts one use of each limited token, and only when everything else holds', async () => {
    const uses = new Map<string, number>()
    const usage = memoryUsage(uses)
    const token = granted({ maxUses: 2n })
    await enforceCapability([token], { ...check, required: 'other', usage })
    expect(uses.size).toBe(0)
    const outcomes = []
    for (let i = 0; i < 3; i++) outcomes.push(await enforceCapability([token], { ...check, usage }))
    expect(outcomes).toMatchObject([
      { ok: true },
      { ok: true },
      { ok: false, code: 'restricted', error: 'capability usage exceeded' },
    ])
    expect([...uses]).toEqual([[tokenId(token), 2]])
  })

  it('gives the last use to one of many that ask at the same time', async () => {
    const map = new Map<string, number>()
    const slow = memoryUsage(map)
    const usage = { used: async (id: string) => slow.used(id), add: async (id: string) => slow.add(id) }
    const token = granted({ maxUses: 1n })
    const outcomes = await Promise.all(
      Array.from({ length: 5 }, () => enforceCapability([token], { ...check, usage })),
    )
    expect(outcomes.filter((outcome) => outcome.ok)).toHaveLength(1)
  })

  it('refuses a token with max_uses where nobody counts', async () => {
    expect(await enforceCapability([granted({ maxUses: 5n })], check)).toMatchObject({
      code: 'restricted',
      error: 'capability usage exceeded',
    })
  })

  it('takes keys in either case', async () => {
    const upper = { ...check, owner: check.owner.toUpperCase(), holder: check.holder.toUpperCase() }
    expect(await enforceCapability([granted()], upper)).toEqual({ ok: true })
  })
})

describe('a capability', () => {
  it.each([
    ['a', 'a', true],
    ['a', 'a:b', true],
    ['a:b', 'a', false],
    ['a', 'ab', false],
    ['*', 'a', true],
    ['*', 'a:b:c', true],
    ['a:*', 'a', false],
    ['a:*', 'a:b:c', true],
    ['a:*:c', 'a:b:c', true],
    ['a:*:c', 'a:b:d', false],
    ['a:*', 'a:*', true],
    ['a:b', 'a:*', false],
    ['a', '*', false],
    ['a:', 'a', false],
    ['', 'a', false],
  ])('%j over %j is %j', (granted, wanted, covers) => {
    expect(capabilityCovers(granted, wanted)).toBe(covers)
  })
})
