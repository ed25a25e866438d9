/** The instructions of a payment, and those that have no business in one. */
import { createHash } from 'node:crypto'

const COMPUTE_BUDGET = 'ComputeBudget111111111111111111111111111111'
export const TOKEN = 'TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA'
export const TOKEN_2022 = 'TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb'
export const ATA_PROGRAM = 'ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL'
const MEMO = 'MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr'
export const MEMO_V1 = 'Memo1UhkJRfHyvLMcVucJwxXeuD728EqVDDwQDxFMNo'
const LIGHTHOUSE = 'L2TExMFKdjpN9kozasaurPirfHy9P8sbXoAN1qA3S95'
const SYSTEM = '11111111111111111111111111111111'

export const account = (address, flags = '') => ({
  address,
  isSigner: flags.includes('s'),
  isWritable: flags.includes('w'),
})

export function computeLimit(units) {
  return { program: COMPUTE_BUDGET, accounts: [], data: concat([2], u32(units)) }
}

export function computePrice(microLamports) {
  return { program: COMPUTE_BUDGET, accounts: [], data: concat([3], u64(microLamports)) }
}

export function transferChecked(program, { source, mint, destination, authority, amount, decimals }) {
  return {
    program,
    accounts: [account(source, 'w'), account(mint), account(destination, 'w'), account(authority, 's')],
    data: concat([12], u64(amount), [decimals]),
  }
}

export function memo(data, accounts = []) {
  return { program: MEMO, accounts, data: Buffer.from(data) }
}

export function lighthouse(accounts = []) {
  return { program: LIGHTHOUSE, accounts, data: Buffer.from('guard') }
}

/** What an attacker would like the sponsor to pay for or to sign. */
export function foreignInstructions({ sponsor, payer, stranger, mint, source, payerAccount }) {
  return [
    {
      program: SYSTEM,
      accounts: [account(sponsor, 'sw'), account(stranger, 'w')],
      data: concat(u32(2), u64(1_000_000n)),
    },
    {
      program: SYSTEM,
      accounts: [account(payer, 'sw'), account(stranger, 'w')],
      data: concat(u32(2), u64(1n)),
    },
    {
      program: SYSTEM,
      accounts: [account(stranger, 'w'), account(SYSTEM), account(payer, 's')],
      data: u32(4),
    },
    {
      program: ATA_PROGRAM,
      accounts: [
        account(sponsor, 'sw'),
        account(payerAccount, 'w'),
        account(stranger),
        account(mint),
        account(SYSTEM),
        account(TOKEN),
      ],
      data: Buffer.from([1]),
    },
    {
      program: TOKEN,
      accounts: [account(source, 'w'), account(payer, 'w'), account(payer, 's')],
      data: Buffer.from([9]),
    },
    {
      program: TOKEN,
      accounts: [account(source, 'w'), account(stranger), account(payer, 's')],
      data: concat([4], u64(9n)),
    },
    {
      program: TOKEN,
      accounts: [account(source, 'w'), account(payerAccount, 'w'), account(payer, 's')],
      data: concat([3], u64(1n)),
    },
    { program: COMPUTE_BUDGET, accounts: [], data: concat([1], u32(64 * 1024)) },
    { program: COMPUTE_BUDGET, accounts: [], data: concat([4], u32(1_000_000)) },
    { program: MEMO_V1, accounts: [], data: Buffer.from('first memo program') },
    { program: stranger, accounts: [], data: Buffer.from('no program at all') },
  ]
}

/** 32 bytes that are the same in every run: an address whose secret nobody has, or a seed. */
export function nobody(name) {
  return createHash('sha256').update(`differential ${name}`).digest()
}

function u32(value) {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

export function u64(value) {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

export function concat(...parts) {
  return Buffer.concat(parts.map((part) => Buffer.from(part)))
}

/** Who and what the foreign instructions name. */
export function partiesOf({ sponsor, buyer, stranger, mints, associated }) {
  return {
    sponsor: sponsor.address,
    payer: buyer.address,
    stranger: stranger.address,
    mint: mints.usdc.address,
    source: associated(buyer.address, mints.usdc.address, TOKEN),
    payerAccount: associated(stranger.address, mints.usdc.address, TOKEN),
  }
}
