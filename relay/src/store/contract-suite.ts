/**
 * What every store must do (spec 2), as tests for any runner: `test` of vitest, node:test or mocha.
 *
 * A store that cannot do something says so in its capabilities; nothing else is skipped.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Case } from './contract-case.js'
import { putCases } from './contract-put.js'
import { queryCases } from './contract-query.js'
import { CASES_A_ROUND, randomChurn, randomRound } from './contract-random.js'
import { backupCases, manyKindsCases, removeCases, removeReopenCases } from './contract-remove.js'
import { reopenCases } from './contract-reopen.js'
import type { Store } from './store.js'

export interface StoreCapabilities {
  /** What was put is there when the store is opened again at the same path. */
  readonly durable: boolean
  /** {@link Store.backup} is there. */
  readonly backup: boolean
}

export interface StoreContract {
  /** Registers one test. */
  readonly test: (name: string, run: () => Promise<void>) => void
  /** Opens a new store at `path`, or again the one that was closed there. Nothing but the store uses the path. */
  readonly open: (path: string) => Store | Promise<Store>
  readonly capabilities: StoreCapabilities
  /** Of the random cases; a failure names it. Default: another one every time. */
  readonly seed?: number
  /** Random pairs of filter and events, default 2000. */
  readonly randomCases?: number
}

/** A round of puts and removals has a hundred syncs to disk, one of filters a handful. */
const ROUNDS_A_CHURN = 5

/** Registers the whole contract; `name` goes before the sentence of each test. */
export function storeContract(name: string, contract: StoreContract): void {
  const { test, capabilities, seed = Date.now() >>> 0, randomCases = 2000 } = contract
  const cases = {
    ...putCases,
    ...queryCases,
    ...removeCases,
    ...manyKindsCases,
    ...(capabilities.durable && { ...reopenCases, ...removeReopenCases }),
    ...(capabilities.backup && backupCases),
  }
  for (const [sentence, run] of Object.entries<Case>(cases))
    test(`${name}: ${sentence}`, () => withStore(contract, run))

  const rounds = Math.ceil(randomCases / CASES_A_ROUND)
  test(`${name}: random filters find what they mean (${rounds * CASES_A_ROUND} cases, seed ${seed})`, async () => {
    for (let round = 0; round < rounds; round++)
      await withStore(contract, (store) => randomRound(store, seed + round))
  })
  const churns = Math.ceil(rounds / ROUNDS_A_CHURN)
  test(`${name}: random puts, deletions and removals do what they do in memory (${churns} rounds, seed ${seed})`, async () => {
    for (let round = 0; round < churns; round++)
      await withStore(contract, (store) => randomChurn(store, seed + round))
  })
}

async function withStore({ open }: StoreContract, run: Case): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'aether-store-'))
  const path = join(directory, 'store')
  let store = await open(path)
  try {
    const reopen = async (elsewhere = path) => {
      await store.close()
      store = await open(elsewhere)
      return store
    }
    await run(store, reopen, path)
  } finally {
    await store.close()
    await rm(directory, { recursive: true, force: true })
  }
}
