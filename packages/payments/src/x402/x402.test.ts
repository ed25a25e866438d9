/** The upstream's names (spec payments 12), judged by what a seller on the local chain gets. */
import { expect, test } from 'vitest'
import { PRICE } from '../../test/market.js'
import { buyer, market, paid, stall } from '../../test/trade.js'
import { memoryJournal } from '../journal.js'
import { DEVNET, MAINNET } from '../network.js'
import { ExactSvmScheme, type X402Requirements, x402Client } from './client.js'
import { wrapFetchWithPayment, wrapFetchWithPaymentFromConfig } from './fetch.js'

const scheme = () => new ExactSvmScheme(buyer.signer, { rpcUrl: market.chain.rpcUrl })

test.each(['solana:*', DEVNET, 'solana-devnet'])('a client registered on %s pays', async (network) => {
  const buy = wrapFetchWithPayment(fetch, new x402Client().register(network, scheme()))
  const response = await buy(`${stall.origin}/goods`)
  expect([response.status, await response.text(), await paid()]).toEqual([200, 'goods', 1])
  expect(response.headers.get('payment-response')).not.toBeNull()
})

test('from a configuration, with both versions registered, and a journal of one’s own', async () => {
  const journal = memoryJournal()
  const client = scheme()
  const schemes = [
    { network: 'solana:*', client },
    { network: 'solana:*', client },
  ]
  const buy = wrapFetchWithPaymentFromConfig(fetch, { schemes }, { journal })
  expect(await (await buy(`${stall.origin}/goods`)).text()).toBe('goods')
  expect(await journal.entries()).toMatchObject([{ url: `${stall.origin}/goods`, amount: String(PRICE) }])
})

test('policies and the selector see the offer in the words of version 2, and choose', async () => {
  const seen: [number, X402Requirements[]][] = []
  stall.terms = { accepts: [market.terms.accepts[0]!, { ...market.terms.accepts[0]!, amount: 2n * PRICE }] }
  const client = new x402Client((_version, requirements) => requirements.at(-1)!)
    .register(DEVNET, scheme())
    .registerPolicy((version, requirements) => {
      seen.push([version, requirements])
      return requirements.map((each) => ({ ...each }))
    })
  await wrapFetchWithPayment(fetch, client)(`${stall.origin}/goods`)
  expect(await paid()).toBe(2)
  expect(seen).toMatchObject([[2, [{ amount: String(PRICE), network: DEVNET, scheme: 'exact' }, {}]]])
  const none = new x402Client().register(DEVNET, scheme()).registerPolicy(() => [])
  await expect(wrapFetchWithPayment(fetch, none)(`${stall.origin}/goods`)).rejects.toMatchObject({
    code: 'offer_refused',
  })
})

test('a payment is capped at $1 unless spend controls say otherwise; a token may have a cap of its own', async () => {
  const ask = (amount: bigint, client: x402Client) => {
    stall.terms = { accept: { amount } }
    return wrapFetchWithPayment(fetch, client)(`${stall.origin}/goods`)
  }
  const client = () => new x402Client().register(DEVNET, scheme())
  await expect(ask(1_000_001n, client())).rejects.toMatchObject({ code: 'budget_exceeded' })
  const tight = client().setSpendControls({ maxAmountPerPayment: '$0.05' })
  await expect(ask(PRICE, tight)).rejects.toMatchObject({ code: 'budget_exceeded' })
  const listed = { network: 'solana-devnet', asset: 'USDC', maxAmountPerPayment: '99999' }
  const capped = client().setSpendControls({ allowedAssets: [listed] })
  await expect(ask(PRICE, capped)).rejects.toMatchObject({ code: 'offer_refused' })
  expect(await paid()).toBe(0)
  expect((await ask(1_000_001n, client().setSpendControls(false))).status).toBe(200)
})

test('hooks: the one before may abort, the one after is told of the settlement', async () => {
  const told: unknown[] = []
  const client = new x402Client()
    .register(DEVNET, scheme())
    .onBeforePaymentCreation(async ({ selectedRequirements, resource }) => {
      told.push([selectedRequirements.amount, resource.description])
      return resource.url.endsWith('/no') ? { abort: true, reason: 'not this one' } : undefined
    })
    .onPaymentResponse(async ({ settleResponse }) => void told.push(settleResponse.success))
  const buy = wrapFetchWithPayment(fetch, client)
  await expect(buy(`${stall.origin}/no`)).rejects.toMatchObject({
    code: 'not_approved',
    message: 'not this one',
  })
  await buy(`${stall.origin}/goods`)
  expect(told).toEqual([[String(PRICE), 'goods'], [String(PRICE), 'goods'], true])
  expect(await paid()).toBe(1)
})

test('what is not served is refused by name', async () => {
  const client = new x402Client().register(DEVNET, scheme())
  const code = (run: () => unknown, expected: string) =>
    expect(run).toThrow(expect.objectContaining({ code: expected }))
  code(() => new x402Client().register('eip155:8453', scheme()), 'unsupported')
  code(() => client.registerV1(MAINNET, scheme()), 'unsupported')
  code(() => wrapFetchWithPayment(fetch, new x402Client()), 'invalid_option')
  const blind = new x402Client().register('solana:*', new ExactSvmScheme(buyer.signer))
  await expect(wrapFetchWithPayment(fetch, blind)(`${stall.origin}/goods`)).rejects.toMatchObject({
    code: 'invalid_option',
  })
})
