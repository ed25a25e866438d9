/**
 * What every task store must hold (spec a2a 2.9, 7.2, 7.4, 7.5, 6.2 no. 20), as tests for any runner: `test` of vitest,
 * node:test or mocha.
 */
import type { TaskStore } from '../task-store.js'
import { LIST_CASES } from './contract-list.js'
import { RECORD_CASES } from './contract-record.js'
import { TASK_CASES } from './contract-task.js'

export interface TaskStoreContract {
  /** Registers one test. */
  readonly test: (name: string, run: () => Promise<void>) => void
  /** Opens a new, empty store with this clock (ms). */
  readonly open: (options: { readonly now: () => number }) => Promise<TaskStore>
  /** Closes a store and opens it again on the same data: a declared capability, absent for stores in memory. */
  readonly reopen?: (store: TaskStore, options: { readonly now: () => number }) => Promise<TaskStore>
}

/** What a case works with. */
export interface Bench {
  readonly store: TaskStore
  /** Closed and opened again, where the store can. */
  reopened(): Promise<TaskStore>
  /** ms */
  now(): number
  pass(ms: number): void
}

export type Case = (bench: Bench) => Promise<void>

const CASES: Readonly<Record<string, Case>> = { ...TASK_CASES, ...LIST_CASES, ...RECORD_CASES }

const START = Date.UTC(2026, 0, 1)

/** Registers the whole contract; `name` goes before the sentence of each test. */
export function taskStoreContract(name: string, { test, open, reopen }: TaskStoreContract): void {
  for (const [sentence, run] of Object.entries(CASES)) {
    test(`${name}: ${sentence}`, async () => {
      let time = START
      const now = (): number => time
      const store = await open({ now })
      let current = store
      try {
        await run({
          store,
          now,
          pass: (ms) => {
            time += ms
          },
          reopened: async () => {
            if (reopen) current = await reopen(current, { now })
            return current
          },
        })
      } finally {
        await current.close()
      }
    })
  }
}
