import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { readCaps } from './budget.js'
import { fileJournalStore, type JournalStore, memoryJournalStore } from './buyer/journal-store.js'
import { createJournal, fileJournal, type Journal, type JournalEntry } from './journal.js'
import { DEVNET, MAINNET } from './network.js'

const directory = mkdtempSync(join(tmpdir(), 'aether-journals-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))
let count = 0
const newPath = () => join(directory, `journal-${++count}`)

const caps = readCaps({ total: '$1' })
const TOTAL = `${DEVNET}/total`
const by = { network: DEVNET, payer: 'Buyer' } as const

function entryOf(change: Partial<JournalEntry> = {}): JournalEntry {
  return {
    id: `payment-${++count}`,
    intent: 'intent',
    state: 'open',
    method: 'GET',
    url: 'https://shop.example/a',
    host: 'shop.example',
    description: 'a',
    network: DEVNET,
    asset: 'USDC',
    amount: '100000',
    decimals: 6,
    payTo: 'Seller',
    header: ['PAYMENT-SIGNATURE', 'e30='],
    payer: 'Buyer',
    source: 'Account',
    signature: 'Signature',
    blockhash: 'Blockhash',
    dollars: '100000',
    createdAt: 1_000_000,
    ...change,
  }
}

async function record(journal: Journal, change: Partial<JournalEntry> = {}, keyed = false) {
  const entry = entryOf(change)
  const { network, host, dollars, createdAt } = entry
  const held = await journal.hold({ network, host, dollars: BigInt(dollars), at: createdAt }, caps)
  if (!('hold' in held)) return held
  return journal.record(entry, held.hold, caps, keyed)
}

const recorded = async (journal: Journal, change: Partial<JournalEntry> = {}, keyed = false) => {
  const result = await record(journal, change, keyed)
  if (!('entry' in result)) throw new Error('over the cap')
  return result.entry
}

describe.each<[string, () => JournalStore]>([
  ['memory', memoryJournalStore],
  ['file', () => fileJournalStore(newPath())],
])('a journal in %s', (_name, openStore) => {
  const open = (now?: () => number) =>
    createJournal(openStore(), now === undefined ? { now: () => 1_000_000 } : { now })

  test('sets amounts aside in one step: of eleven at once on a cap for ten, one is refused', async () => {
    const journal = open()
    const spending = { network: DEVNET, host: 'shop.example', dollars: 100_000n, at: 0 } as const
    const holds = await Promise.all(Array.from({ length: 11 }, () => journal.hold(spending, caps)))
    expect(holds.filter((hold) => 'cap' in hold)).toEqual([{ cap: 'total', left: 0n }])
    const [first] = holds
    if (first === undefined || !('hold' in first)) throw new Error('the first should fit')
    journal.drop(first.hold)
    expect(await journal.spent(TOTAL)).toBe(900_000n)
    expect(await journal.hold(spending, caps)).toHaveProperty('hold')
  })

  test('in flight is what may still land of one wallet and token, and what was set aside before', async () => {
    const journal = open()
    const { payer, asset, network } = entryOf({})
    const spending = { network, host: 'shop.example', dollars: 1n, at: 0 } as const
    const of = { payer, asset, network }
    const first = await journal.hold(spending, caps, { payer, asset, amount: 7n })
    const second = await journal.hold(spending, caps, { payer, asset, amount: 9n })
    if (!('hold' in first) || !('hold' in second)) throw new Error('both fit')
    expect(await journal.inFlight(of, first.hold)).toBe(0n)
    expect(await journal.inFlight(of, second.hold)).toBe(7n)
    expect(await journal.inFlight(of)).toBe(16n)
    journal.drop(first.hold)
    journal.drop(second.hold)
    const { id, amount } = await recorded(journal)
    expect(await journal.inFlight(of)).toBe(BigInt(amount))
    expect(await journal.inFlight({ ...of, payer: 'another' })).toBe(0n)
    await journal.update(id, { state: 'refused' })
    expect(await journal.inFlight(of)).toBe(BigInt(amount))
    await journal.update(id, { state: 'paid' })
    expect(await journal.inFlight(of)).toBe(0n)
  })

  test('credit is kept by origin, oldest first, each token once, and forgotten when it is spent', async () => {
    const journal = open()
    const credit = (token: string) => ({ token, network: DEVNET, asset: 'usdc' }) as const
    for (const token of ['a', 'b', 'a']) await journal.keepCredit('https://shop.example', credit(token))
    expect(await journal.credits('https://shop.example')).toEqual([credit('b'), credit('a')])
    expect(await journal.credits('https://other.example')).toEqual([])
    await journal.dropCredit('https://shop.example', 'b')
    await journal.dropCredit('https://shop.example', 'a')
    expect(await journal.credits('https://shop.example')).toEqual([])
  })

  test('a recorded payment is spending; dead or failed gives back once, and nothing comes back to life', async () => {
    const journal = open()
    const { id } = await recorded(journal)
    expect(await journal.spent(TOTAL)).toBe(100_000n)
    await journal.update(id, { state: 'refused' })
    expect(await journal.spent(TOTAL)).toBe(100_000n)
    for (const state of ['dead', 'failed', 'dead', 'paid', 'open'] as const)
      await journal.update(id, { state })
    expect(await journal.spent(TOTAL)).toBe(0n)
    expect(await journal.entries()).toMatchObject([{ id, state: 'dead' }])
  })

  test('what was served stays served, whatever a late answer says', async () => {
    const journal = open()
    const { id } = await recorded(journal)
    for (const state of ['served', 'paid', 'refused'] as const)
      await journal.update(id, { state, transaction: state })
    expect(await journal.entries()).toMatchObject([{ state: 'served', transaction: 'served' }])
  })

  test('an intent without a key adopts what another call left, not what is in use, handed over or an hour old', async () => {
    let time = 1_000_000
    const journal = open(() => time)
    const { id } = await recorded(journal)
    expect(await journal.adopt('intent', false, by)).toBeUndefined()
    journal.leave(id)
    expect(await journal.adopt('other', false, by)).toBeUndefined()
    expect(await journal.adopt('intent', false, { ...by, payer: 'Other' })).toBeUndefined()
    expect(await journal.adopt('intent', false, { ...by, network: MAINNET })).toBeUndefined()
    expect(await journal.adopt('intent', false, by)).toMatchObject({ id })
    journal.leave(id)
    journal.handOver(id, true)
    expect(await journal.adopt('intent', false, by)).toBeUndefined()
    journal.handOver(id, false)
    time += 3_600_000
    expect(await journal.adopt('intent', false, by)).toBeUndefined()
    time -= 1
    expect(await journal.adopt('intent', false, by)).toMatchObject({ id })
  })

  test.each([
    ['open', true, true],
    ['paid', true, true],
    ['served', false, true],
    ['refused', false, false],
    ['failed', false, false],
    ['dead', false, false],
  ] as const)(
    'a payment that is %s answers an equal request: %s, with a key: %s',
    async (state, plain, keyed) => {
      const journal = open()
      for (const [isKeyed, found] of [
        [false, plain],
        [true, keyed],
      ] as const) {
        const intent = `intent ${isKeyed}`
        const { id } = await recorded(journal, { intent }, isKeyed)
        journal.leave(id)
        await journal.update(id, { state })
        expect((await journal.adopt(intent, isKeyed, by)) !== undefined).toBe(found)
      }
    },
  )

  test('with a key the first entry of an intent wins, and the other costs nothing', async () => {
    const journal = open()
    const first = await recorded(journal, {}, true)
    expect((await recorded(journal, {}, true)).id).toBe(first.id)
    expect((await journal.entries()).length).toBe(1)
    expect(await journal.spent(TOTAL)).toBe(100_000n)
    expect((await recorded(journal)).id).not.toBe(first.id)
  })

  test('the payees of a host are remembered, for each network', async () => {
    const journal = open()
    await recorded(journal)
    await recorded(journal, { payTo: 'Other' })
    await recorded(journal)
    expect(await journal.payees(DEVNET, 'shop.example')).toEqual(['Seller', 'Other'])
    expect(await journal.payees(MAINNET, 'shop.example')).toEqual([])
  })

  test('what is of known fate and 90 days old is forgotten, what is of unknown fate never', async () => {
    let time = 1_000_000
    const journal = open(() => time)
    for (const state of ['open', 'refused', 'paid', 'served', 'dead'] as const) {
      const { id } = await recorded(journal, { intent: state })
      await journal.update(id, { state })
    }
    time += 90 * 86_400_000
    await journal.prune()
    expect((await journal.entries()).map(({ state }) => state).sort()).toEqual(['open', 'refused'])
    expect(await journal.adopt('served', true, by)).toBeUndefined()
    expect(await journal.spent(TOTAL)).toBe(400_000n)
  })

  test('a transaction that throws writes nothing', async () => {
    const store = openStore()
    const fail = store.transact((table) => {
      table.put('a', '1')
      expect(table.get('a')).toBe('1')
      throw new RangeError('on the way')
    })
    await expect(fail).rejects.toThrow('on the way')
    expect(await store.transact((table) => table.get('a'))).toBeUndefined()
    await store.transact((table) => {
      table.put('a/1', 'x')
      table.put('b', 'y')
      table.remove('b')
    })
    expect(await store.transact((table) => [table.list('a/'), table.get('b')])).toEqual([
      [['a/1', 'x']],
      undefined,
    ])
    await store.close()
  })

  test('calls of one intent take turns, of two they do not', async () => {
    const journal = open()
    const order: string[] = []
    let free = () => {}
    const first = journal.inTurn('a', async () => {
      await new Promise<void>((resolve) => {
        free = resolve
      })
      order.push('first')
      throw new Error('first failed')
    })
    const second = journal.inTurn('a', async () => void order.push('second'))
    await journal.inTurn('b', async () => void order.push('other'))
    free()
    await expect(first).rejects.toThrow('first failed')
    await second
    expect(order).toEqual(['other', 'first', 'second'])
  })
})

test('a file keeps everything for the next process', async () => {
  const path = newPath()
  const first = fileJournal(path)
  const { id } = await recorded(first)
  await first.close()
  const second = fileJournal(path, { now: () => 1_000_000 })
  expect(await second.entries()).toMatchObject([{ id, state: 'open', header: ['PAYMENT-SIGNATURE', 'e30='] }])
  expect(await second.spent(TOTAL)).toBe(100_000n)
  expect(await second.payees(DEVNET, 'shop.example')).toEqual(['Seller'])
  expect(await second.adopt('intent', false, by)).toMatchObject({ id })
  await second.close()
})

test('a file that cannot be opened is invalid_option', async () => {
  const path = newPath()
  await fileJournal(path).close()
  const invalid = expect.objectContaining({ code: 'invalid_option' })
  expect(() => fileJournal(join(path, 'below a file'))).toThrow(invalid)
})

test('a purchase reads no entry that is over, however many there are', async () => {
  const store = memoryJournalStore()
  let read = 0
  const journal = createJournal({
    ...store,
    transact: (run) =>
      store.transact((table) =>
        run({
          ...table,
          get(key) {
            if (key.startsWith('entry/')) read++
            return table.get(key)
          },
        }),
      ),
  })
  const states = ['served', 'dead', 'failed'] as const
  for (let i = 0; i < 30; i++) {
    const { id } = await recorded(journal, { dollars: '1' })
    await journal.update(id, { state: states[i % 3] ?? 'served' })
    journal.leave(id)
  }
  await recorded(journal, { dollars: '1', state: 'refused', intent: 'another' })
  read = 0
  expect(await journal.adopt('intent', false, by)).toBeUndefined()
  expect(read).toBe(0)
  expect(await journal.inFlight({ ...by, asset: 'USDC' })).toBe(100_000n)
  expect(read).toBe(1)
  expect(await journal.entries()).toHaveLength(31)
})
