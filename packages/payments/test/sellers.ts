/** Seller processes on a shared ledger file, for tests that kill them (test/seller.mjs). */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { toHex } from '@aetherkit/core'
import { createLedger, type Ledger } from '../src/ledger/ledger.js'
import { lmdbStore } from '../src/ledger/lmdb.js'
import { BINDING_KEY, type Market } from './market.js'

const SELLER = fileURLToPath(new URL('./seller.mjs', import.meta.url))

interface SellerOptions {
  /** The handler never ends. */
  readonly hang?: boolean
  /** The step at which it kills itself; see `steps`. */
  readonly killAt?: string
  readonly leaseMs?: number
}

export interface Seller {
  readonly origin: string
  /** Rejects when the process dies first. */
  visit(headers: Record<string, string>): Promise<{ status: number; body: string }>
  kill(): Promise<void>
  readonly ended: Promise<void>
  /** The steps it has made so far. */
  steps(): readonly string[]
}

/** A ledger file, a count of the handler's runs, and any number of sellers on them. */
interface SharedShop {
  seller(options?: SellerOptions): Promise<Seller>
  /** Runs of the handler by all of them, for one payee where one is named. */
  runs(payee?: string): number
  openLedger(): Ledger
}

export interface Sellers {
  newShop(): SharedShop
  close(): void
}

export function openSellers(market: Market): Sellers {
  const directory = mkdtempSync(join(tmpdir(), 'aether-sellers-'))
  const children: ChildProcess[] = []
  let files = 0
  const newFile = (name: string): string => {
    const file = join(directory, `${name}-${++files}`)
    writeFileSync(file, '')
    return file
  }
  const lines = (file: string): readonly string[] => readFileSync(file, 'utf8').split('\n').filter(Boolean)

  const newShop = (): SharedShop => {
    const ledger = join(directory, `ledger-${++files}`)
    const runs = newFile('runs')
    return {
      runs: (payee) => lines(runs).filter((line) => line.includes(` ${payee ?? ''}`)).length,
      openLedger: () => createLedger(lmdbStore(ledger)),
      async seller(options = {}) {
        const steps = newFile('steps')
        const { resource, accepts } = market.terms
        const argument = JSON.stringify({
          rpcUrl: market.chain.rpcUrl,
          network: market.chain.network,
          sponsor: toHex(market.chain.wallets.facilitator.secretKey),
          bindingKey: toHex(BINDING_KEY),
          ledger,
          runs,
          steps,
          terms: {
            resource,
            accepts: accepts.map((offer) => ({ ...offer, amount: offer.amount.toString() })),
          },
          ...options,
        })
        const child = spawn(process.execPath, [SELLER, argument], { stdio: ['ignore', 'pipe', 'inherit'] })
        children.push(child)
        const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
        const port = await new Promise<string>((resolve, reject) => {
          child.stdout.once('data', (line: Buffer) => resolve(line.toString().trim()))
          child.once('exit', (code) => reject(new Error(`the seller ended with ${code}`)))
        })
        const origin = `http://127.0.0.1:${port}`
        return {
          origin,
          ended,
          steps: () => lines(steps),
          async visit(headers) {
            const response = await fetch(origin, { headers })
            return { status: response.status, body: await response.text() }
          },
          kill() {
            child.kill('SIGKILL')
            return ended
          },
        }
      },
    }
  }
  return {
    newShop,
    close() {
      for (const child of children) child.kill('SIGKILL')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
