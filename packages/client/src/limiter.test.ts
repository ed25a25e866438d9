import { expect, test } from 'vitest'
import { deferred } from './deadline.js'
import { Limiter } from './limiter.js'

test('what does not fit waits for its turn, and a failure makes room too', async () => {
  const limiter = new Limiter(10)
  const order: string[] = []
  const start = (name: string, weight: number) => {
    const end = deferred<void>()
    const run = limiter.run(weight, async () => {
      order.push(name)
      await end.promise
    })
    return { end, run }
  }
  const [a, b, c, d] = [start('a', 6), start('b', 6), start('c', 1), start('heavy', 99)]
  expect(order).toEqual(['a'])
  a.end.reject(new Error('broken'))
  await expect(a.run).rejects.toThrow('broken')
  await Promise.resolve()
  expect(order).toEqual(['a', 'b', 'c'])
  b.end.resolve()
  await b.run
  expect(order).toEqual(['a', 'b', 'c'])
  c.end.resolve()
  d.end.resolve()
  await d.run
  expect(order).toEqual(['a', 'b', 'c', 'heavy'])
})
