/**
 * The confirmation level of a route (spec payments 8.5 step 4). The local chain finalizes what lands at once, so its node
 * is made to tell of no more than `level`.
 */
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { type Market, openMarket, PRICE } from '../test/market.js'
import { openShop } from '../test/shop.js'
import type { Confirmation } from './confirmation.js'
import type { Gate, GateOptions } from './gate.js'
import { createLedger } from './ledger/ledger.js'
import { memoryStore } from './ledger/memory.js'
import type { Fetch } from './rpc.js'

vi.setConfig({ testTimeout: 30_000, hookTimeout: 30_000 })

let market: Market
let level: Confirmation
const gates: Gate[] = []
beforeAll(async () => {
  market = await openMarket()
})
afterEach(() => {
  for (const gate of gates.splice(0)) gate.close()
})
afterAll(() => market.close())

/** A busy machine takes its time; nothing is asserted about it. */
const SOON = { timeout: 20_000 }

const node: Fetch = async (url, init) => {
  const text = await (await fetch(url, init)).text()
  // No node has metadata of what is only processed.
  if (level === 'processed' && String(init.body).includes('getTransaction'))
    return new Response(text.replace(/"result":.*$/s, '"result":null}'))
  return new Response(text.replaceAll('"finalized"', `"${level}"`))
}

function openGate(options: Partial<GateOptions> = {}, confirmTimeoutMs = 300): Gate {
  const gate = market.gate({
    settler: market.settler({ fetch: node, confirmTimeoutMs }),
    watchEveryMs: 20,
    waitMs: 500,
    ...options,
  })
  gates.push(gate)
  return gate
}

async function visit(gate: Gate, headers: Record<string, string>, confirmation?: Confirmation) {
  const terms = { ...market.terms, ...(confirmation !== undefined && { confirmation }) }
  const verdict = await gate.decide(market.request(headers), terms)
  if (verdict.kind === 'pass') await verdict.complete({ status: 200, body: new TextEncoder().encode('ok') })
  return verdict.kind === 'respond' ? verdict.status : 200
}

test.each<[asked: Confirmation | undefined, early: Confirmation | undefined, reached: Confirmation]>([
  ['processed', undefined, 'processed'],
  [undefined, 'processed', 'confirmed'],
  ['confirmed', 'processed', 'confirmed'],
  ['finalized', 'confirmed', 'finalized'],
])(
  'a route that asks for %s: told of %s it is unknown, told of %s it is paid',
  async (asked, early, reached) => {
    const before = (await market.balances()).merchant
    const headers = await market.pay()
    const gate = openGate({}, early === undefined ? 20_000 : 300)
    if (early !== undefined) {
      level = early
      expect(await visit(gate, headers, asked)).toBe(503)
    }
    level = reached
    await expect.poll(() => visit(gate, headers, asked), SOON).toBe(200)
    expect((await market.balances()).merchant).toBe(before + PRICE)
  },
)

test('another process asks for the level of the route too, and takes nothing for dead that has landed', async () => {
  const ledger = createLedger(memoryStore())
  const headers = await market.pay()
  level = 'confirmed'
  const first = openGate({ ledger, leaseMs: 50 })
  expect(await visit(first, headers, 'finalized')).toBe(503)
  first.close()
  market.chain.advanceSlots(200)
  const second = openGate({ ledger, leaseMs: 50 })
  expect(await visit(second, headers, 'finalized')).toBe(503)
  level = 'finalized'
  await expect.poll(() => visit(second, headers, 'finalized'), SOON).toBe(200)
})

test('a settler with a level of its own sells nothing at another: unsupported', async () => {
  for (const confirmation of ['processed', 'finalized'] as const) {
    const shop = openShop({ terms: { confirmation } })
    const paid = await openShop().pay()
    await expect(shop.gate.offer(shop.request(), shop.terms)).rejects.toMatchObject({ code: 'unsupported' })
    await expect(shop.decide({})).rejects.toMatchObject({ code: 'unsupported' })
    await expect(shop.decide(paid)).rejects.toMatchObject({ code: 'unsupported' })
    expect(shop.settler.settled).toBe(0)
  }
  const shop = openShop({ terms: { confirmation: 'confirmed' } })
  expect(await shop.visit(await shop.pay())).toMatchObject({ status: 200 })
})
