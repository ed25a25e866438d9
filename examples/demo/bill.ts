/** Who paid whom, and what it came to. */
import type { PaidReceipt } from '@aetherkit/payments'
import type { Market } from './market.js'

const usdc = (atomic: bigint): string => `${(Number(atomic) / 1e6).toFixed(2)} USDC`

export async function printBill(
  market: Market,
  receipts: readonly PaidReceipt[],
  before: ReadonlyMap<string, bigint>,
): Promise<ReadonlyMap<string, bigint>> {
  console.log('\n  bill')
  for (const { price, payTo, transaction } of receipts)
    console.log(`    planner paid ${market.nameOf(payTo).padEnd(10)} ${price.padEnd(12)} ${transaction}`)
  const after = await market.balances()
  console.log('  balances')
  for (const [name, amount] of after) {
    const change = amount - (before.get(name) ?? 0n)
    const sign = change < 0n ? '-' : '+'
    const moved = change < 0n ? -change : change
    console.log(`    ${name.padEnd(10)} ${usdc(amount).padStart(12)}   ${sign}${usdc(moved)}`)
  }
  return after
}
