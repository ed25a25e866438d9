/** Agents that sell, a wallet that buys, and a real chain between them: what is proved is proved by its ledger. */
import { type AgentOptions, createCallBuyer, type PaymentOptions, payForTask } from '@aetherkit/a2a'
import { createGate, type GateOptions, type PayingFetchOptions } from '@aetherkit/payments'
import { afterAll, beforeAll } from 'vitest'
import { type Bank, openBank } from '../../packages/a2a/test/bank.js'
import { type Loose, later, openAgent, type Running, script } from './agent.js'
import { AGENT } from './wallet.js'

/** Atomic units of a call. */
export const PRICE = 10_000n

export interface Market extends Bank {
  open(options?: Selling): Promise<Running>
  /** The PaymentPayload that a wallet makes for these terms (PaymentRequired); nothing is sent. */
  payloadFor(required: Loose, buying?: Partial<PayingFetchOptions>): Promise<Loose>
}

interface Selling {
  readonly gate?: Partial<GateOptions>
  readonly payment?: Partial<PaymentOptions>
  readonly agent?: Partial<AgentOptions>
}

/** Opens a chain for the tests of this file. */
export function useMarket(): { readonly now: Market } {
  let market: Market | undefined
  beforeAll(async () => {
    market = await openMarket()
  })
  afterAll(() => market?.chain.close())
  return {
    get now() {
      if (market === undefined) throw new Error('the market is not open yet')
      return market
    },
  }
}

async function openMarket(): Promise<Market> {
  const bank = await openBank()
  const { chain } = bank
  return {
    ...bank,
    async open({ gate: gating, payment = {}, agent: more = {} } = {}) {
      const gate = createGate(bank.gateOptions(gating))
      const made = script()
      const running = await openAgent({
        key: AGENT.seed,
        authenticate: ({ header }) => ({
          owner: `bearer:${header('authorization') ?? 'alice'}`,
          anonymous: false,
        }),
        payment: {
          gate,
          network: 'solana-devnet',
          payTo: chain.wallets.merchant.publicKey,
          price: '0.01',
          url: 'https://agent.example',
          ...payment,
        },
        // A dialect call is answered with data.
        executor: {
          execute(execution) {
            if (execution.data === undefined) return made.executor.execute(execution)
            made.runs.push(JSON.stringify(execution.data))
            execution.artifact({ parts: [{ data: { said: execution.data } }] })
            return Promise.resolve()
          },
        },
        ...more,
      })
      later(() => {
        gate.close()
        chain.setOptions({ dropSends: 0, failSends: 0, confirmDelayMs: 0, delayMs: 0 })
      })
      return { ...running, runs: made.runs, release: made.release }
    },
    async payloadFor(required, buying) {
      const wallet = createCallBuyer(bank.wallet(buying))
      const metadata = { 'x402.payment.status': 'payment-required', 'x402.payment.required': required }
      const message = { messageId: 'm', role: 'ROLE_AGENT', parts: [], metadata } as const
      const task = {
        id: 't',
        contextId: 'c',
        status: { state: 'TASK_STATE_INPUT_REQUIRED', message },
      } as const
      let payload: Loose
      await payForTask(task, {
        agent: 'http://localhost',
        buyer: wallet,
        send: async (paying) => {
          payload ??= paying.metadata?.['x402.payment.payload']
          return { ...task, status: { state: 'TASK_STATE_COMPLETED' } }
        },
      })
      return payload
    },
  }
}

/** Metadata of a task's status message. */
export const metadataOf = (task: Loose): Loose => task.status.message?.metadata ?? {}

export const submitted = (payload: Loose) => ({
  metadata: { 'x402.payment.status': 'payment-submitted', 'x402.payment.payload': payload },
})

export const decode = (header: string | string[] | undefined): Loose =>
  JSON.parse(Buffer.from(String(header), 'base64').toString())
