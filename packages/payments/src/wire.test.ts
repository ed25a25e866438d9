/** The strict reader beside web3.js's lenient one: the same verdict wherever that one writes what it read. */
import { randomBytes } from 'node:crypto'
import {
  AddressLookupTableAccount,
  type MessageV0,
  PublicKey,
  TransactionInstruction,
  TransactionMessage,
  VersionedTransaction,
} from '@solana/web3.js'
import { expect, test, vi } from 'vitest'
import { encodeTransaction, parseTransaction, withFirstSignature } from './wire.js'

vi.setConfig({ testTimeout: 30_000 })
const newKey = () => new PublicKey(randomBytes(32))
const [payer, signer, program, writable, readonly] = Array.from({ length: 5 }, newKey) as [
  PublicKey,
  PublicKey,
  PublicKey,
  PublicKey,
  PublicKey,
]
const table = new AddressLookupTableAccount({
  key: newKey(),
  state: {
    deactivationSlot: 2n ** 64n - 1n,
    lastExtendedSlot: 0,
    lastExtendedSlotStartIndex: 0,
    addresses: [readonly],
  },
})

function sample(kind: 'legacy' | 'v0' | 'tables', data = randomBytes(200)): Uint8Array {
  const instruction = new TransactionInstruction({
    programId: program,
    keys: [
      { pubkey: signer, isSigner: true, isWritable: false },
      { pubkey: writable, isSigner: false, isWritable: true },
      { pubkey: readonly, isSigner: false, isWritable: false },
    ],
    data,
  })
  const message = new TransactionMessage({
    payerKey: payer,
    recentBlockhash: newKey().toBase58(),
    instructions: [instruction, instruction],
  })
  const compiled =
    kind === 'legacy'
      ? message.compileToLegacyMessage()
      : message.compileToV0Message(kind === 'tables' ? [table] : [])
  return new VersionedTransaction(compiled, [randomBytes(64), randomBytes(64)]).serialize()
}

/** As the library reads it, and undefined unless it writes the same bytes, names only accounts that are there, and none twice. */
function byLibrary(bytes: Uint8Array) {
  try {
    const { message, signatures } = VersionedTransaction.deserialize(bytes)
    const again = new VersionedTransaction(message, signatures).serialize()
    if (Buffer.compare(again, bytes) !== 0) return undefined
    const accounts = message.staticAccountKeys.map((key) => key.toBase58())
    if (new Set(accounts).size !== accounts.length) return undefined
    const { addressTableLookups } = message as MessageV0
    const hasLookupTables = addressTableLookups.length > 0
    const named = (index: number) => {
      const account = accounts[index]
      if (account === undefined) throw new RangeError('account index')
      return account
    }
    return {
      version: message.version,
      signatures: signatures.map((each) => Buffer.from(each).toString('hex')),
      message: Buffer.from(message.serialize()).toString('hex'),
      accounts,
      requiredSignatures: message.header.numRequiredSignatures,
      hasLookupTables,
      blockhash: message.recentBlockhash,
      instructions: message.compiledInstructions.map(({ programIdIndex, accountKeyIndexes, data }) => ({
        program: named(programIdIndex),
        accounts: accountKeyIndexes.map((index) =>
          hasLookupTables ? (accounts[index] ?? '') : named(index),
        ),
        data: Buffer.from(data).toString('hex'),
      })),
    }
  } catch {
    return undefined
  }
}

function byUs(bytes: Uint8Array) {
  const parsed = parseTransaction(bytes)
  if (parsed === undefined) return undefined
  const hex = (part: Uint8Array) => Buffer.from(part).toString('hex')
  return {
    ...parsed,
    signatures: parsed.signatures.map(hex),
    message: hex(parsed.message),
    instructions: parsed.instructions.map((each) => ({ ...each, data: hex(each.data) })),
  }
}

test.each(['legacy', 'v0', 'tables'] as const)('a %s transaction is read as the library reads it', (kind) => {
  for (const length of [0, 1, 127, 128, 300]) {
    const bytes = sample(kind, randomBytes(length))
    expect(byUs(bytes)).toBeDefined()
    expect(byUs(bytes)).toEqual(byLibrary(bytes))
  }
})

test('6,000 changed transactions get the verdict of the library', () => {
  const verdicts = { read: 0, refused: 0 }
  for (let i = 0; i < 6_000; i++) {
    const bytes = Buffer.from(
      sample((['legacy', 'v0', 'tables'] as const)[i % 3] ?? 'v0', randomBytes(i % 9)),
    )
    const at = randomBytes(2).readUInt16LE() % bytes.length
    const kind = i % 4
    // Bytes of structure are few: every other change is among the first of the message.
    const place = i % 2 === 0 ? at : Math.min(bytes.length - 1, 129 + (at % 5))
    const changed =
      kind === 0
        ? bytes.subarray(0, at)
        : kind === 1
          ? Buffer.concat([bytes.subarray(0, place), randomBytes(1), bytes.subarray(place)])
          : bytes
    if (kind > 1)
      changed[place] = kind === 2 ? (randomBytes(1)[0] ?? 0) : (changed[place] ?? 0) ^ (1 << (i % 8))
    const [ours, theirs] = [byUs(changed), byLibrary(changed)]
    expect(ours, changed.toString('hex')).toEqual(theirs)
    verdicts[ours === undefined ? 'refused' : 'read']++
  }
  expect(Math.min(verdicts.read, verdicts.refused)).toBeGreaterThan(500)
})

test('what is encoded is what the library encodes, and only slot 0 changes with another first signature', () => {
  const bytes = sample('v0')
  const parsed = parseTransaction(bytes)
  if (parsed === undefined) throw new Error('unreadable')
  expect(encodeTransaction(parsed.signatures, parsed.message)).toEqual(new Uint8Array(bytes))
  const other = withFirstSignature(bytes, new Uint8Array(64).fill(7))
  expect(parseTransaction(other)?.signatures).toEqual([new Uint8Array(64).fill(7), parsed.signatures[1]])
  expect(parseTransaction(other)?.message).toEqual(parsed.message)
})

test('beyond a packet nothing is read', () => {
  expect(parseTransaction(sample('v0', randomBytes(400)))).toBeDefined()
  const long = Buffer.concat([sample('legacy'), new Uint8Array(1_000)])
  expect(parseTransaction(long)).toBeUndefined()
})
