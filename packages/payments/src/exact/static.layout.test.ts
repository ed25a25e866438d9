import { expect, test } from 'vitest'
import {
  add,
  ataOf,
  type Case,
  concat,
  data,
  judge,
  lighthouse,
  listed,
  named,
  P,
  PAYER,
  SELLER,
  STRANGER,
  SYSTEM,
  token2022,
} from '../../test/specimen.js'
import type { Instruction } from '../solana.js'
import { TOKEN_PROGRAM } from '../token.js'
import { computeUnitLimit, computeUnitPrice, memo } from './instruction.js'
import { DEFAULT_SPONSOR_LIMITS } from './static.js'

test.each<[rule: string, accepted: Case, refused: Case, reason: string]>([
  ['10 at least 3 instructions', {}, { instructions: (i) => i.slice(0, 2) }, `${P}_excessive_signers`],
  [
    '10 at least 3 instructions, with two signers',
    {},
    { instructions: (i) => [i[0], named(i[2], PAYER)] },
    `${P}_transaction_instructions_length`,
  ],
  [
    '10 at most 7 instructions',
    { instructions: add(lighthouse(), lighthouse(), lighthouse(), memo('x')) },
    { instructions: add(lighthouse(), lighthouse(), lighthouse(), lighthouse(), memo('x')) },
    `${P}_transaction_instructions_length`,
  ],
  [
    '10 the limit comes first',
    {},
    { instructions: (i) => [i[1], i[0], i[2]] },
    `${P}_transaction_instructions_compute_limit_instruction`,
  ],
  [
    '10 the limit has 5 bytes',
    {},
    { instructions: (i) => [data(i[0], concat(i[0].data, Uint8Array.of(0))), i[1], i[2]] },
    `${P}_transaction_instructions_compute_limit_instruction`,
  ],
  [
    '10 the limit names no account',
    {},
    { instructions: (i) => [named(i[0], STRANGER), i[1], i[2]] },
    `${P}_transaction_instructions_compute_limit_instruction`,
  ],
  [
    '10 then the price',
    {},
    { instructions: (i) => [i[0], i[0], i[2]] },
    `${P}_transaction_instructions_compute_price_instruction`,
  ],
  [
    '10 the price has 9 bytes',
    {},
    { instructions: (i) => [i[0], data(i[1], i[1].data.subarray(0, 5)), i[2]] },
    `${P}_transaction_instructions_compute_price_instruction`,
  ],
  [
    '10 then the transfer',
    {},
    { instructions: (i) => [i[0], i[1], named(memo('x'), PAYER, true)] },
    `${P}_no_transfer_instruction`,
  ],
  [
    '10 a checked transfer',
    {},
    { instructions: (i) => [i[0], i[1], data(i[2], i[2].data.with(0, 3))] },
    `${P}_no_transfer_instruction`,
  ],
  [
    '10 the transfer has 10 bytes',
    {},
    { instructions: (i) => [i[0], i[1], data(i[2], concat(i[2].data, Uint8Array.of(0)))] },
    `${P}_no_transfer_instruction`,
  ],
  ...(['fourth', 'fifth', 'sixth', 'seventh'] as const).map((place, at): [string, Case, Case, string] => {
    const guards = Array.from({ length: at }, () => lighthouse())
    const foreign: Instruction = { program: SYSTEM, accounts: [], data: Uint8Array.of(4, 0, 0, 0) }
    return [
      `10 memo or guard in ${place} place`,
      { instructions: add(...guards, memo('x')) },
      { instructions: add(...guards, foreign) },
      `${P}_unknown_${place}_instruction`,
    ]
  }),
  [
    '10 the transfer is not repeated',
    { instructions: add(memo('x')) },
    { instructions: (i) => [...i, i[2]] },
    `${P}_unknown_fourth_instruction`,
  ],
  [
    '11 at most 60,000 units',
    { instructions: (i) => [computeUnitLimit(60_000), i[1], i[2]] },
    { instructions: (i) => [computeUnitLimit(60_001), i[1], i[2]] },
    `${P}_transaction_instructions_compute_limit_instruction_too_high`,
  ],
  [
    '11 at most 100,000 micro-lamports',
    { instructions: (i) => [i[0], computeUnitPrice(100_000n), i[2]] },
    { instructions: (i) => [i[0], computeUnitPrice(100_001n), i[2]] },
    `${P}_transaction_instructions_compute_price_instruction_too_high`,
  ],
  [
    '11 at most 20,000 lamports, whatever the other limits say',
    {
      rules: { limits: { ...DEFAULT_SPONSOR_LIMITS, maxComputeUnits: 1_000_000 } },
      instructions: (i) => [computeUnitLimit(100_000), computeUnitPrice(100_000n), i[2]],
    },
    {
      rules: { limits: { ...DEFAULT_SPONSOR_LIMITS, maxComputeUnits: 1_000_000 } },
      instructions: (i) => [computeUnitLimit(100_001), computeUnitPrice(100_000n), i[2]],
    },
    'aetherkit_fee_too_high',
  ],
  [
    '12 the program is the owner of the mint',
    { mint: token2022, rules: listed(18) },
    {
      mint: token2022,
      rules: listed(18),
      instructions: (i) => [i[0], i[1], { ...i[2], program: TOKEN_PROGRAM }],
    },
    `${P}_no_transfer_instruction`,
  ],
  [
    '12 exactly four accounts',
    {},
    { instructions: (i) => [i[0], i[1], named(i[2], STRANGER)] },
    `${P}_no_transfer_instruction`,
  ],
  [
    '12 the authority is the signer',
    { instructions: add(named(memo('x'), PAYER, true)) },
    {
      instructions: (i) => [
        i[0],
        i[1],
        {
          ...i[2],
          accounts: i[2].accounts.with(3, { address: STRANGER, isSigner: false, isWritable: false }),
        },
        named(memo('x'), PAYER, true),
      ],
    },
    `${P}_no_transfer_instruction`,
  ],
  ['12 the mint of the terms', {}, { transfer: { mint: STRANGER } }, `${P}_mint_mismatch`],
  ['12 the decimals of the mint', {}, { transfer: { decimals: 5 } }, `${P}_mint_mismatch`],
  ['13 not less', {}, { transfer: { amount: 99_999n } }, `${P}_amount_mismatch`],
  ['13 not more', {}, { transfer: { amount: 100_001n } }, `${P}_amount_mismatch`],
  ['13 above zero', {}, { transfer: { amount: 0n }, requirement: { amount: 0n } }, `${P}_amount_mismatch`],
  ['14 to the seller', {}, { transfer: { destination: ataOf(STRANGER) } }, `${P}_recipient_mismatch`],
  [
    '14 to the account, not to the wallet',
    {},
    { transfer: { destination: SELLER } },
    `${P}_recipient_mismatch`,
  ],
  [
    '14 to the account under this token program',
    { mint: token2022, rules: listed(18) },
    { mint: token2022, rules: listed(18), transfer: { destination: ataOf(SELLER) } },
    `${P}_recipient_mismatch`,
  ],
  [
    '14 not to oneself',
    {},
    { requirement: { payTo: PAYER }, transfer: { destination: ataOf(PAYER), source: STRANGER } },
    'aetherkit_self_payment',
  ],
  ['14 not to where it comes from', {}, { transfer: { source: ataOf(SELLER) } }, 'aetherkit_self_payment'],
  [
    '15 the memo of the terms is there',
    { requirement: { memo: 'order' }, instructions: add(memo('order')) },
    { requirement: { memo: 'order' } },
    `${P}_memo_count`,
  ],
  [
    '15 once',
    { requirement: { memo: 'order' }, instructions: add(memo('order'), lighthouse()) },
    { requirement: { memo: 'order' }, instructions: add(memo('order'), memo('order')) },
    `${P}_memo_count`,
  ],
  [
    '15 byte for byte',
    { requirement: { memo: 'order' }, instructions: add(memo('order')) },
    { requirement: { memo: 'order' }, instructions: add(memo('order ')) },
    `${P}_memo_mismatch`,
  ],
  [
    '15 at most 256 bytes, asked for or not',
    { instructions: add(memo('m'.repeat(256))) },
    { instructions: add(memo('m'.repeat(257))) },
    `${P}_memo_mismatch`,
  ],
  [
    '16 a Token-2022 mint is on the list',
    { mint: token2022, rules: listed(18) },
    { mint: token2022 },
    `${P}_token_extension_not_allowed`,
  ],
  [
    '16 with all its extensions',
    { mint: token2022, rules: listed(18) },
    { mint: token2022, rules: listed(19) },
    `${P}_token_extension_not_allowed`,
  ],
  [
    '16 and no fee or hook, listed or not',
    { mint: { ...token2022, extensions: [{ type: 1, active: false }] }, rules: listed(1) },
    { mint: { ...token2022, extensions: [{ type: 1, active: true }] }, rules: listed(1) },
    `${P}_token_extension_not_allowed`,
  ],
])('rule %s', (_rule, accepted, refused, reason) => {
  expect(judge(accepted)).toBe('accepted')
  expect(judge(refused)).toBe(reason)
})
