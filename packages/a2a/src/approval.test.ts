import { expect, test } from 'vitest'
import { askApproval, readApproval } from './approval.js'

const one = [{ id: 'a', tool: 'pay', input: { amount: '5' } }]
const two = [...one, { id: 'b', tool: 'book', reason: 'Book a table?' }]
const text = (words: string) => ({ text: words, data: undefined })

test('8.2: a question has its words and its data', () => {
  expect(askApproval(two)).toEqual({
    state: 'input-required',
    message: [
      { text: 'Allow pay with {"amount":"5"}?\nBook a table?\nAnswer "approve" or "deny".' },
      {
        data: {
          approvals: [
            { id: 'a', tool: 'pay', input: { amount: '5' } },
            { id: 'b', tool: 'book', reason: 'Book a table?' },
          ],
        },
      },
    ],
  })
})

test.each(['approve', 'Approved.', 'yes', 'OK', ' y '])('8.2: %j approves all', (words) => {
  expect(readApproval(text(words), two)).toEqual([
    { id: 'a', approved: true },
    { id: 'b', approved: true },
  ])
})

test('8.2: a denial has the words behind it as its reason', () => {
  expect(readApproval(text('No, too dear'), one)).toEqual([{ id: 'a', approved: false, reason: 'too dear' }])
  expect(readApproval(text('deny'), one)).toEqual([{ id: 'a', approved: false }])
})

test.each(['', 'yes, but only 3', 'approve b', 'nothing', 'not sure', 'yesterday'])(
  '8.2: %j decides nothing',
  (words) => {
    expect(readApproval(text(words), one)).toBeUndefined()
  },
)

test('8.2: data decides each that was asked, and nothing else', () => {
  const answer = (...approvals: object[]) => ({ text: '', data: JSON.parse(JSON.stringify({ approvals })) })
  const [yes, no] = [
    { id: 'a', approved: true },
    { id: 'b', approved: false, reason: 'late' },
  ]
  expect(readApproval(answer(no, yes), two)).toEqual([yes, no])
  expect(readApproval(answer(yes), two)).toBeUndefined()
  expect(readApproval(answer(yes, yes), one)).toBeUndefined()
  expect(readApproval(answer({ id: 'c', approved: true }), one)).toBeUndefined()
  expect(readApproval(answer({ id: 'a', approved: 'yes' }), one)).toBeUndefined()
  expect(readApproval({ text: 'no', data: { approved: true } }, one)).toEqual([yes])
})
