/** What a row of the matrix must show, as a list of what it does not; empty is good. */
import { PRICE } from './world.mjs'

export function faultsOf(row, { answer, moved, runs }) {
  const expected = row.refused === undefined ? paid(row) : refused(row)
  const found = { ...flat(answer), ...moved, runs }
  return Object.entries(expected)
    .filter(([name, test]) => !(typeof test === 'function' ? test(found[name], found) : found[name] === test))
    .map(([name]) => `${name}: ${show(found[name])}`)
}

function paid({ wire, facilitator, server }) {
  return {
    error: undefined,
    status: 200,
    sold: facilitator,
    // The seed has no receipt header.
    success: server === 'seed' ? undefined : true,
    transaction: 'landed',
    payer: -PRICE.atomic,
    payee: PRICE.atomic,
    sponsorLamports: -PRICE.fee,
    payerLamports: 0n,
    runs: 1,
    // The seed's receipt is in the body, and ours says the exact amount beside the old number.
    ...(wire === 'seed' && { bodyReceipt: (receipt) => receipt?.amount === 0.01 && receipt.txHash !== '' }),
    ...(wire === 'seed' && server === 'ours' && { amountAtomic: `${PRICE.atomic}` }),
  }
}

function refused({ refused: reason }) {
  return {
    status: (status, { error }) => status === 402 || error !== undefined,
    text: (text) => text.includes(reason),
    payer: 0n,
    payee: 0n,
    sponsorLamports: 0n,
    runs: 0,
  }
}

function flat({ error, status, body, receipt }) {
  return {
    error,
    status,
    sold: body?.sold,
    bodyReceipt: body?.receipt,
    amountAtomic: body?.receipt?.amountAtomic,
    success: receipt?.success,
    text: `${JSON.stringify(body ?? null)} ${error ?? ''}`,
  }
}

function show(value) {
  return typeof value === 'bigint' ? `${value}` : JSON.stringify(value)
}
