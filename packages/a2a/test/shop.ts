/** An agent that sells, a wallet that buys, and a chain between them: what is proved here is proved by its ledger. */
import { createGate, type GateOptions, type PayingFetchOptions } from '@aetherkit/payments'
import { type Agent, type AgentOptions, createAgent } from '../src/agent.js'
import type { Executor } from '../src/executor.js'
import type { PaymentOptions } from '../src/payment/admit.js'
import { type CallBuyer, createCallBuyer } from '../src/payment/buy.js'
import { type Bank, openBank } from './bank.js'
import { CARD } from './http.js'

export const PRICE = 10_000n

export interface Shop {
  readonly agent: Agent
  readonly url: string
  /** How often the executor ran. */
  readonly runs: { count: number }
  readonly errors: unknown[]
}

export interface Town extends Bank {
  open(options?: ShopOptions): Promise<Shop>
  buyer(options?: Partial<PayingFetchOptions>): CallBuyer
  /** Ends the agents that were opened since. */
  clear(): Promise<void>
  close(): Promise<void>
}

interface ShopOptions {
  readonly gate?: Partial<GateOptions>
  readonly payment?: Partial<PaymentOptions>
  readonly agent?: Partial<AgentOptions>
  readonly executor?: Executor
}

/** Echoes; `fail` in the text throws, `ask` asks back once, `wait` works until it is cancelled. */
function clerk(runs: { count: number }): Executor {
  return {
    async execute({ text, data, resumed, artifact, signal }) {
      runs.count += 1
      const said = text || JSON.stringify(data?.payload ?? {})
      if (said.includes('fail')) throw new Error('secret')
      if (said.includes('ask') && !resumed) return { state: 'input-required', message: 'Which one?' }
      if (said.includes('wait')) await new Promise((resolve) => signal.addEventListener('abort', resolve))
      artifact({ parts: [{ data: { said } }] })
      return undefined
    },
  }
}

export async function openTown(): Promise<Town> {
  const bank = await openBank()
  const ends: (() => Promise<void>)[] = []
  return {
    ...bank,
    async open(options = {}) {
      const runs = { count: 0 }
      const errors: unknown[] = []
      const gate = createGate(bank.gateOptions(options.gate))
      const { payment = {} } = options
      const agent = createAgent({
        card: CARD,
        executor: options.executor ?? clerk(runs),
        key: new Uint8Array(32).fill(7),
        onError: (error) => errors.push(error),
        anonymous: 'shared',
        authenticate: (request) => {
          const name = request.header('authorization')
          return { owner: `bearer:${name ?? 'alice'}`, anonymous: false }
        },
        payment: {
          gate,
          network: 'solana-devnet',
          payTo: bank.chain.wallets.merchant.publicKey,
          price: '0.01',
          url: 'https://agent.example',
          ...payment,
        },
        ...options.agent,
      })
      const { url } = await agent.listen()
      ends.push(async () => {
        await agent.close()
        gate.close()
      })
      return { agent, url, runs, errors }
    },
    buyer: (options) => createCallBuyer(bank.wallet(options)),
    async clear() {
      for (const end of ends.splice(0)) await end()
    },
    close: () => bank.chain.close(),
  }
}
