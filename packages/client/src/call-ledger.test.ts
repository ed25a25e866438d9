import { expect, test } from 'vitest'
import { CallLedger } from './call-ledger.js'
import { errorReply } from './call-message.js'

const alice = 'a'.repeat(64)
const bob = 'b'.repeat(64)

test('a call is known by caller and id', () => {
  const ledger = new CallLedger()
  const call = ledger.take(alice, '1', 'digest', 0, 100)
  expect(ledger.find(alice, '1')).toBe(call)
  expect([ledger.find(alice, '2'), ledger.find(bob, '1')]).toEqual([undefined, undefined])
})

test('a full ledger takes no new call and forgets none before its time', () => {
  const ledger = new CallLedger()
  for (let i = 0; i < 1000; i++) {
    const call = ledger.take(alice, `${i}`, '', 0, 100)
    if (call !== undefined && i > 0) ledger.answer(call, { type: 'response', payload: i })
  }
  expect(ledger.take(alice, 'more', '', 99, 200)).toBeUndefined()
  expect(ledger.take(bob, 'more', '', 99, 200)).toBeDefined()
  expect(ledger.find(alice, '999')).toBeDefined()
  expect(ledger.take(alice, 'more', '', 100, 200)).toBeDefined()
  expect(ledger.find(alice, '999')).toBeUndefined()
  // Still running: never forgotten.
  expect(ledger.find(alice, '0')?.state).toBe('running')
})

test('of too many bytes of answers the oldest are let go, the calls stay', () => {
  const ledger = new CallLedger()
  const payload = 'x'.repeat(500_000)
  for (let i = 0; i < 100; i++) {
    const call = ledger.take(alice, `${i}`, '', 0, 100)
    if (call !== undefined) ledger.answer(call, { type: 'response', payload })
  }
  expect(ledger.find(alice, '0')?.state).toBe('gone')
  expect(ledger.find(alice, '99')?.state).toMatchObject({ type: 'response' })
})

test('an error reply is bounded', () => {
  expect(errorReply('', 'm')).toEqual({ type: 'error', code: 'PEER_ERROR', message: 'm' })
  expect(errorReply('c'.repeat(99), 'm'.repeat(9999))).toMatchObject({
    code: 'c'.repeat(64),
    message: 'm'.repeat(2000),
  })
})
