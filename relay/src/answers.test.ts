/** One connection's answers: their order, and when its peer is not read from (spec 7.3, 7.4). */
import { expect, test } from 'vitest'
import { Answers } from './answers.js'

function start(window: { answers: number; bytes: number }) {
  const seen: string[] = []
  const reader = { pause: () => void seen.push('pause'), resume: () => void seen.push('resume') }
  return { answers: new Answers(window, reader), seen }
}

const accepted = { ok: true, status: 'stored', seq: 1n } as const

test('what came first is answered first, whatever is known first', () => {
  const { answers, seen } = start({ answers: 10, bytes: 1000 })
  answers.inOrder(() => seen.push('a'))
  const [b, c] = ['b', 'c'].map((name) => answers.reserve(() => seen.push(name)))
  answers.inOrder(() => seen.push('d'))
  c?.settle(accepted)
  c?.done()
  expect(seen).toEqual(['a'])
  b?.settle(accepted)
  b?.done()
  expect(seen).toEqual(['a', 'b', 'c', 'd'])
})

test('a peer with too many messages without an answer is not read from until half of them have one', () => {
  const { answers, seen } = start({ answers: 4, bytes: 1000 })
  const places = Array.from({ length: 6 }, () => answers.reserve(() => {}))
  expect(seen).toEqual(['pause'])
  for (const place of places.slice(0, 3)) place.settle(accepted)
  expect(seen).toEqual(['pause'])
  places[3]?.settle(accepted)
  expect(seen).toEqual(['pause', 'resume'])
})

test('the same holds for their bytes, those of messages that wait behind them too', () => {
  const { answers, seen } = start({ answers: 100, bytes: 1000 })
  answers.handling(600)
  const place = answers.reserve(() => {})
  answers.handling(300)
  answers.inOrder(() => {})
  expect(seen).toEqual([])
  answers.handling(200)
  const last = answers.reserve(() => {})
  expect(seen).toEqual(['pause'])
  place.settle(accepted)
  place.done()
  expect(seen).toEqual(['pause', 'resume'])
  answers.handling(900)
  answers.reserve(() => {})
  expect(seen).toEqual(['pause', 'resume', 'pause'])
  last.settle(accepted)
  last.done()
  answers.clear()
})

test('one message larger than the window is answered, and the next is read then', () => {
  const { answers, seen } = start({ answers: 100, bytes: 1000 })
  answers.handling(5000)
  const place = answers.reserve(() => seen.push('answer'))
  place.settle(accepted)
  place.done()
  expect(seen).toEqual(['pause', 'answer', 'resume'])
})
