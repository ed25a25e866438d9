/** Spec solana 3, rules 1 to 9 by an accepted and a refused payment each, and what holds for all of them. */
import { signDigest } from '@aetherkit/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  add,
  ataOf,
  BLOCKHASH,
  BUYER_SEED,
  type Case,
  concat,
  filler,
  I,
  judge,
  LAST,
  legacy,
  lighthouse,
  MINT,
  named,
  OTHER_SPONSOR,
  P,
  PAYER,
  publicKey,
  rules,
  SELLER,
  SPONSOR,
  STRANGER,
  STRANGER_SEED,
  terms,
  withLookup,
} from '../../test/specimen.js'
import { DEVNET, MAINNET } from '../network.js'
import { encodeMessage } from '../solana.js'
import { peek } from '../terms.js'
import { computeUnitLimit, computeUnitPrice, memo, transferChecked } from './instruction.js'
import { verifyStatic } from './static.js'

test.each<[rule: string, accepted: Case, refused: Case, reason: string]>([
  ['1 the scheme is exact', {}, { requirement: JSON.parse('{"scheme":"upto"}') }, `${I}_unsupported_scheme`],
  ['1 the network of the payment', {}, { payment: { network: MAINNET } }, `${I}_network_mismatch`],
  ['1 a network we serve', {}, { rules: { network: MAINNET } }, `${I}_network_mismatch`],
  ['2 a sponsor is named', {}, { requirement: { feePayer: '' } }, `${P}_missing_fee_payer`],
  [
    '2 the sponsor is one of ours',
    { requirement: { feePayer: OTHER_SPONSOR }, feePayer: OTHER_SPONSOR },
    { requirement: { feePayer: STRANGER }, feePayer: STRANGER },
    `${I}_fee_payer_not_managed_by_facilitator`,
  ],
  ['3 strict base64', {}, { base64: (text) => `${text.slice(0, -1)}-` }, `${P}_transaction`],
  ['3 no empty text', {}, { base64: () => '' }, `${P}_transaction`],
  [
    '3 at most 1232 bytes',
    { instructions: filler([256, 256, LAST, 0]) },
    { instructions: filler([256, 256, LAST + 1, 0]) },
    `${P}_transaction`,
  ],
  [
    '4 two signatures, not a later wire version',
    { message: legacy },
    { wire: (wire) => concat(Uint8Array.of(0x81), wire.subarray(1)) },
    `${P}_transaction_version`,
  ],
  [
    '4 a later message version',
    {},
    { message: (m) => concat(Uint8Array.of(0x81), m.subarray(1)) },
    `${P}_transaction_could_not_be_decoded`,
  ],
  [
    '5 no trailing bytes',
    {},
    { wire: (wire) => concat(wire, Uint8Array.of(0)) },
    `${P}_transaction_could_not_be_decoded`,
  ],
  ['5 not cut short', {}, { wire: (wire) => wire.slice(0, -1) }, `${P}_transaction_could_not_be_decoded`],
  [
    '5 indices inside the key list',
    {},
    // the last instruction's program index: data 10, length, four accounts, count, program
    { message: (m) => m.with(m.length - 1 - 10 - 1 - 4 - 1 - 1, 99) },
    `${P}_transaction_could_not_be_decoded`,
  ],
  [
    '5 account indices inside the key list',
    {},
    { message: (m) => m.with(m.length - 1 - 10 - 1 - 4, 99) },
    `${P}_transaction_could_not_be_decoded`,
  ],
  [
    '5 no key twice',
    { instructions: add(lighthouse(STRANGER, SELLER)) },
    {
      instructions: add(lighthouse(STRANGER, SELLER)),
      message: (m) => {
        const bytes = Buffer.from(m)
        bytes.set(publicKey(5), bytes.indexOf(publicKey(4)))
        return new Uint8Array(bytes)
      },
    },
    `${P}_transaction_could_not_be_decoded`,
  ],
  ['6 no lookup tables', {}, { message: withLookup }, `${P}_address_lookup_tables_not_allowed`],
  [
    '7 no third signer',
    { instructions: add(named(memo('x'), STRANGER)) },
    { instructions: add(named(memo('x'), STRANGER, true)) },
    `${P}_excessive_signers`,
  ],
  ['7 the named sponsor pays', {}, { feePayer: OTHER_SPONSOR }, `${I}_fee_payer_mismatch`],
  [
    '8 no guard names our key',
    { instructions: add(lighthouse(STRANGER)) },
    { instructions: add(lighthouse(SPONSOR)) },
    `${P}_fee_payer_not_isolated`,
  ],
  [
    '8 no memo names our key as signer',
    { instructions: add(named(memo('x'), PAYER, true)) },
    { instructions: add(named(memo('x'), SPONSOR, true)) },
    `${P}_fee_payer_not_isolated`,
  ],
  [
    '8 nor another key of ours',
    { instructions: add(lighthouse(STRANGER)) },
    { instructions: add(lighthouse(OTHER_SPONSOR)) },
    `${P}_fee_payer_not_isolated`,
  ],
  [
    '8 our key is no authority',
    {},
    { transfer: { authority: SPONSOR }, instructions: add(named(memo('x'), PAYER, true)) },
    `${P}_transaction_fee_payer_transferring_funds`,
  ],
  [
    '8 our tokens are no source',
    {},
    { transfer: { source: ataOf(OTHER_SPONSOR) } },
    `${P}_fee_payer_not_isolated`,
  ],
  [
    '8 and no destination, spec payments 8.4: not of the sponsor that pays',
    {},
    { requirement: { payTo: SPONSOR }, transfer: { destination: ataOf(SPONSOR) } },
    `${P}_fee_payer_not_isolated`,
  ],
  [
    '8 nor of another sponsor; a buyer’s own check lets a seller be its sponsor',
    {
      requirement: { payTo: SPONSOR },
      transfer: { destination: ataOf(SPONSOR) },
      rules: { mayPaySponsor: true },
    },
    { requirement: { payTo: OTHER_SPONSOR }, transfer: { destination: ataOf(OTHER_SPONSOR) } },
    `${P}_fee_payer_not_isolated`,
  ],
  ['9 the signature is the payer’s', {}, { signer: STRANGER_SEED }, `${P}_signature_invalid`],
  [
    '9 over these bytes; slot 0 is ignored',
    { wire: (wire) => wire.with(1, 255) },
    { wire: (wire) => wire.with(1 + 64, (wire[1 + 64] as number) ^ 1) },
    `${P}_signature_invalid`,
  ],
  [
    '9 with canonical S',
    {},
    { wire: (wire) => wire.with(1 + 64 + 63, (wire[1 + 64 + 63] as number) | 0xe0) },
    `${P}_signature_invalid`,
  ],
])('rule %s', (_rule, accepted, refused, reason) => {
  expect(judge(accepted)).toBe('accepted')
  expect(judge(refused)).toBe(reason)
})

test('a non-minimal length prefix is not decoded, although the library would', () => {
  // the count of keys as two bytes: 0x8?, 0x00
  const sloppy = (message: Uint8Array) =>
    concat(message.subarray(0, 4), Uint8Array.of((message[4] as number) | 0x80, 0), message.subarray(5))
  expect(judge({ message: sloppy })).toBe(`${P}_transaction_could_not_be_decoded`)
})

test('the payment id is that of the message: another slot 0 or another text is the same payment', () => {
  const message = encodeMessage({
    feePayer: SPONSOR,
    blockhash: BLOCKHASH,
    instructions: [
      computeUnitLimit(20_000),
      computeUnitPrice(1n),
      transferChecked(MINT.program, {
        source: ataOf(PAYER),
        mint: MINT.address,
        destination: ataOf(SELLER),
        authority: PAYER,
        amount: 100_000n,
        decimals: 6,
      }),
      memo('order'),
    ],
  })
  const signature = signDigest(message, BUYER_SEED)
  const ids = [0, 77].map((fill) => {
    const wire = concat(Uint8Array.of(2), new Uint8Array(64).fill(fill), signature, message)
    const transaction = Buffer.from(wire).toString('base64')
    expect(peek(transaction)?.memo).toBe('order')
    const verdict = verifyStatic({ dialect: 'v1', network: DEVNET, transaction, raw: {} }, terms, MINT, rules)
    return verdict.ok ? [verdict.paymentId, verdict.payer, verdict.destination] : verdict.reason
  })
  expect(ids[0]).toEqual(ids[1])
  expect(ids[0]).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/), PAYER, ataOf(SELLER)])
})

test('bytes of any kind are refused with a reason and never throw', () => {
  const specimen = encodeMessage({
    feePayer: SPONSOR,
    blockhash: BLOCKHASH,
    instructions: [computeUnitLimit(20_000), computeUnitPrice(1n), memo('x')],
  })
  const wire = concat(Uint8Array.of(2), new Uint8Array(128), specimen)
  const mutated = fc.array(fc.tuple(fc.nat(wire.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
  const refusalOf = (bytes: Uint8Array) =>
    verifyStatic(
      { dialect: 'v2', network: DEVNET, transaction: Buffer.from(bytes).toString('base64'), raw: {} },
      terms,
      MINT,
      rules,
    )
  fc.assert(
    fc.property(mutated, (changes) => {
      const bytes = wire.slice()
      for (const [at, value] of changes) bytes[at] = value
      expect(refusalOf(bytes)).toMatchObject({ ok: false, reason: expect.any(String) })
    }),
    { numRuns: 500 },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1300 }), (bytes) => {
      expect(refusalOf(bytes)).toMatchObject({ ok: false, reason: expect.any(String) })
    }),
    { numRuns: 300 },
  )
})
