/**
 * What every ledger store must hold (spec solana 8, R1, R4, R5), as tests for any runner: `test` of vitest, node:test or
 * mocha. Each case runs over the store as it is, and over the same store made slow, with many callers at once.
 */
import assert from 'node:assert/strict'
import { createLedger, type Ledger } from './ledger.js'
import type { Sent, Settled } from './record.js'
import type { LedgerStore } from './store.js'

export interface LedgerContract {
  /** Registers one test. */
  readonly test: (name: string, run: () => Promise<void>) => void
  /** Opens a new, empty store. Where others can share it, `again` is a second handle to the same one. */
  readonly open: () => Promise<{ readonly store: LedgerStore; readonly again?: LedgerStore }>
  /** Callers at once, 50 by default. */
  readonly callers?: number
}

type Case = (ledgers: readonly [Ledger, Ledger], callers: number) => Promise<void>

const TTL = 60_000
const settled = (n = 0): Settled => ({
  transaction: `tx-${n}`,
  payer: 'payer',
  received: 18446744073709551615n,
})
const sent: Omit<Sent, 'at'> = {
  transaction: 'tx-0',
  lastValidBlockHeight: 9007199254740993n,
  payer: 'payer',
  requirement: {
    scheme: 'exact',
    network: 'solana:EtWTRABZaYq6iMfeYKouRu166VU2xqa1',
    amount: 100_000n,
    asset: '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU',
    payTo: '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU',
    maxTimeoutSeconds: 60,
    feePayer: '4zMMC9srt5Ri5X14GAgXhaHii3GnPAEERYPJgZJDncDU',
    flow: 'upfront',
  },
}

/** Runs one call by each of many callers, half of them through each handle. */
function crowd<T>(
  ledgers: readonly [Ledger, Ledger],
  callers: number,
  call: (ledger: Ledger, caller: number) => Promise<T>,
): Promise<T[]> {
  return Promise.all(
    Array.from({ length: callers }, (_, caller) => call(ledgers[caller % 2] as Ledger, caller)),
  )
}

const count = (values: readonly unknown[], value: unknown): number =>
  values.filter((candidate) => candidate === value).length

const CASES: Readonly<Record<string, Case>> = {
  'of many claims exactly one is new, the others are told it is claimed (R1)': async (ledgers, callers) => {
    const answers = await crowd(ledgers, callers, (ledger) => ledger.claim('a', TTL))
    assert.equal(count(answers, 'new'), 1)
    assert.equal(count(answers, 'claimed'), callers - 1)
  },
  'claims of different payments do not disturb each other (R1)': async (ledgers, callers) => {
    const answers = await crowd(ledgers, callers, (ledger, caller) => ledger.claim(`p${caller}`, TTL))
    assert.equal(count(answers, 'new'), callers)
  },
  'after a release exactly one of many claims is new again (R1)': async (ledgers, callers) => {
    await ledgers[0].claim('a', TTL, { claimant: 'first' })
    assert.equal(await ledgers[0].release('a', 'first'), true)
    const answers = await crowd(ledgers, callers, (ledger) => ledger.claim('a', TTL))
    assert.equal(count(answers, 'new'), 1)
  },
  'a claim that lapsed without anything sent is one caller’s again (R1)': async (ledgers, callers) => {
    await ledgers[0].claim('a', 1)
    await new Promise((resolve) => setTimeout(resolve, 30))
    const answers = await crowd(ledgers, callers, (ledger) => ledger.claim('a', TTL))
    assert.equal(count(answers, 'new'), 1)
  },
  'only the claimant renews, sends and releases (R4)': async ([ledger, other]) => {
    await ledger.claim('a', TTL, { claimant: 'mine', resource: 'GET /paid' })
    assert.equal(await other.renew('a', 'yours', TTL), false)
    assert.equal(await other.sent('a', sent, 'yours', TTL), false)
    assert.equal(await other.release('a', 'yours'), false)
    assert.equal(await ledger.renew('a', 'mine', TTL), true)
    assert.equal(await ledger.sent('a', sent, 'mine', TTL), true)
    const record = await other.find('tx-0')
    assert.equal(record?.state, 'sent')
    assert.equal(record?.resource, 'GET /paid')
    assert.equal(record?.sent?.lastValidBlockHeight, sent.lastValidBlockHeight)
    assert.deepEqual(record?.sent?.requirement, sent.requirement)
  },
  'a claimant whose claim lapsed may not send (R4)': async ([ledger, other]) => {
    await ledger.claim('a', 1, { claimant: 'slow' })
    await new Promise((resolve) => setTimeout(resolve, 30))
    assert.equal(await ledger.sent('a', sent, 'slow', TTL), false)
    assert.equal(await other.claim('a', TTL, { claimant: 'quick' }), 'new')
    assert.equal(await ledger.sent('a', sent, 'slow', TTL), false)
    assert.equal(await ledger.release('a', 'slow'), false)
    assert.equal(await other.sent('a', sent, 'quick', TTL), true)
  },
  'a payment that was sent does not lapse, and retries see it claimed, then settled (R4)': async (
    ledgers,
    callers,
  ) => {
    await ledgers[0].claim('a', TTL, { claimant: 'mine' })
    await ledgers[0].sent('a', sent, 'mine', 1)
    await new Promise((resolve) => setTimeout(resolve, 30))
    const before = await crowd(ledgers, callers, (ledger) => ledger.claim('a', TTL))
    assert.equal(count(before, 'claimed'), callers)
    await ledgers[0].finish('a', settled())
    const after = await crowd(ledgers, callers, (ledger) => ledger.claim('a', TTL))
    for (const answer of after) assert.deepEqual(answer, settled())
  },
  'of many that adopt an orphan exactly one gets it, and nobody a live one (R4, R6)': async (
    ledgers,
    callers,
  ) => {
    await ledgers[0].claim('a', TTL, { claimant: 'gone' })
    await ledgers[0].sent('a', sent, 'gone', TTL)
    const early = await crowd(ledgers, callers, (ledger, n) => ledger.adopt('a', `n${n}`, TTL))
    assert.equal(count(early, undefined), callers)
    await ledgers[0].renew('a', 'gone', 1)
    await new Promise((resolve) => setTimeout(resolve, 30))
    assert.equal((await ledgers[1].undecided()).length, 1)
    const late = await crowd(ledgers, callers, (ledger, n) => ledger.adopt('a', `n${n}`, TTL))
    assert.equal(count(late, undefined), callers - 1)
    assert.equal(await ledgers[0].release('a', 'gone'), false)
  },
  'of many that finish exactly one did it, and the first outcome stands (R5)': async (ledgers, callers) => {
    await ledgers[0].claim('a', TTL)
    const answers = await crowd(ledgers, callers, (ledger, n) => ledger.finish('a', settled(n)))
    assert.equal(count(answers, true), 1)
    const first = settled(answers.indexOf(true))
    assert.deepEqual(await ledgers[1].claim('a', TTL), first)
    assert.equal((await ledgers[1].find(first.transaction))?.paymentId, 'a')
  },
  'nothing revives or undoes what is settled (R5)': async (ledgers, callers) => {
    await ledgers[0].claim('a', TTL, { claimant: 'mine' })
    await ledgers[0].finish('a', settled())
    await crowd(ledgers, callers, async (ledger, n) => {
      assert.equal(await ledger.release('a', 'mine'), false)
      assert.equal(await ledger.release('a'), false)
      assert.equal(await ledger.sent('a', sent, 'mine', TTL), false)
      assert.equal(await ledger.adopt('a', `n${n}`, TTL), undefined)
      assert.equal(await ledger.renew('a', 'mine', TTL), false)
    })
    assert.deepEqual(await ledgers[0].claim('a', TTL), settled())
    assert.deepEqual(await ledgers[1].undecided(), [])
  },
  'finish racing release: settled wins however they come (R5)': async (ledgers, callers) => {
    await ledgers[0].claim('a', TTL, { claimant: 'mine' })
    await crowd(ledgers, callers, (ledger, n) =>
      n === callers >> 1 ? ledger.finish('a', settled()) : ledger.release('a', 'mine'),
    )
    assert.deepEqual(await ledgers[0].claim('a', TTL), settled())
  },
  'one of many serves; a failure lets one serve again, a delivery nobody': async (ledgers, callers) => {
    const first = await crowd(ledgers, callers, (ledger, n) => ledger.serve('a', `n${n}`, TTL))
    assert.equal(count(first, 'new'), 1)
    const winner = `n${first.indexOf('new')}`
    assert.equal(await ledgers[0].unserved('a', 'other'), false)
    assert.equal(await ledgers[0].unserved('a', winner), true)
    const second = await crowd(ledgers, callers, (ledger, n) => ledger.serve('a', `m${n}`, TTL))
    assert.equal(count(second, 'new'), 1)
    const delivery = { status: 200, headers: { 'content-type': 'text/plain' }, body: 'aGk=' }
    const done = await crowd(ledgers, callers, (ledger) => ledger.delivered('a', delivery))
    assert.equal(count(done, true), 1)
    assert.equal(await ledgers[0].unserved('a', `m${second.indexOf('new')}`), false)
    assert.deepEqual(await ledgers[1].serve('a', 'late', TTL), delivery)
  },
}

/** Registers the whole contract; `name` goes before the sentence of each test. */
export function ledgerContract(name: string, contract: LedgerContract): void {
  const { test, open, callers = 50 } = contract
  for (const [sentence, run] of Object.entries(CASES)) {
    for (const pace of ['', ', slowed'])
      test(`${name}${pace}: ${sentence}`, async () => {
        const { store, again = store } = await open()
        const paced = pace === '' ? [store, again] : [slow(store), slow(again)]
        const [a, b] = paced.map((handle) => createLedger(handle))
        try {
          await run([a as Ledger, b as Ledger], callers)
        } finally {
          if (again !== store) await again.close()
          await store.close()
        }
      })
  }
}

/** The same store, each answer late and in another order. */
function slow(store: LedgerStore): LedgerStore {
  const pause = () => new Promise((resolve) => setTimeout(resolve, Math.random() * 8))
  const late = async <T>(call: () => Promise<T>): Promise<T> => {
    await pause()
    const answer = await call()
    await pause()
    return answer
  }
  return {
    reach: store.reach,
    get: (key) => late(() => store.get(key)),
    swap: (key, expected, next, ttlMs) => late(() => store.swap(key, expected, next, ttlMs)),
    keys: (prefix) => late(() => store.keys(prefix)),
    close: () => store.close(),
  }
}
