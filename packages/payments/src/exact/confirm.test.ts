/** What a node says of a transaction, by the level that was asked for (spec payments 8.5 step 4). */
import { expect, test } from 'vitest'
import type { Confirmation } from '../confirmation.js'
import type { Rpc } from '../rpc.js'
import { createConfirmer, statusesOf } from './confirm.js'

const node = (confirmationStatus: string, err: string | null = null): Rpc => ({
  url: 'http://127.0.0.1:1',
  call: async (_, [ids]) => ({
    value: (ids as readonly string[]).map(() => ({ slot: 1, err, confirmationStatus })),
  }),
})

test.each<[level: Confirmation | undefined, at: string, good: string, bad: string]>([
  ['processed', 'processed', 'confirmed', 'early'],
  ['processed', 'confirmed', 'confirmed', 'failed'],
  ['confirmed', 'processed', 'early', 'early'],
  ['confirmed', 'confirmed', 'confirmed', 'failed'],
  ['confirmed', 'finalized', 'confirmed', 'failed'],
  ['finalized', 'processed', 'early', 'early'],
  ['finalized', 'confirmed', 'early', 'early'],
  ['finalized', 'finalized', 'confirmed', 'failed'],
  [undefined, 'processed', 'early', 'early'],
  [undefined, 'confirmed', 'confirmed', 'failed'],
  ['processed', 'rooted', 'missing', 'missing'],
])('asked for %s, what is %s is %s, and with an error %s', async (confirmation, at, good, bad) => {
  const asked = [{ signature: 'id', confirmation }]
  expect(await statusesOf(node(at), asked, true)).toEqual([good])
  expect(await statusesOf(node(at, 'AccountInUse'), asked, true)).toEqual([bad])
})

test('those who wait for one transaction at different levels are answered each at his own', async () => {
  const confirmer = createConfirmer(node('confirmed'))
  const wait = (confirmation: Confirmation) => confirmer.wait({ signature: confirmation, confirmation }, 100)
  expect(await Promise.all([wait('confirmed'), wait('finalized')])).toEqual(['confirmed', 'early'])
})
