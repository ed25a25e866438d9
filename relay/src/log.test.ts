import { pino } from 'pino'
import { expect, test } from 'vitest'
import { logObserver } from './log.js'

function logged(): { observe: ReturnType<typeof logObserver>; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = []
  const logger = pino(
    { base: null, level: 'trace' },
    { write: (line: string) => void lines.push(JSON.parse(line)) },
  )
  return { observe: logObserver(logger), lines }
}

const peer = {
  id: 7,
  address: '10.0.0.1',
  authenticated: ['a'.repeat(64)],
  grants: [{ capability: 'publish', holder: 'b'.repeat(64), notBefore: 0n, notAfter: 1n, counted: [] }],
}

test('a line says who and why, and nothing of what a peer has proven or shown', () => {
  const { observe, lines } = logged()
  observe({ type: 'rejected', peer, code: 'blocked', kind: 1 })
  observe({ type: 'fault', error: new Error('broken') })
  expect(lines).toMatchObject([
    { level: 30, msg: 'rejected', peer: { id: 7, address: '10.0.0.1' }, code: 'blocked', kind: 1 },
    { level: 50, msg: 'fault', error: 'Error: broken' },
  ])
  expect(Object.keys(lines[0]?.peer ?? {})).toEqual(['id', 'address'])
})

test('what happens all the time is not logged, and lines of each kind are bounded and counted', () => {
  const { observe, lines } = logged()
  observe({ type: 'accepted', peer, status: 'stored', kind: 1 })
  observe({ type: 'committed', events: 1, ms: 1 })
  expect(lines).toEqual([])
  for (let i = 0; i < 10_000; i++) observe({ type: 'rejected', peer, code: 'blocked' })
  expect(lines.length).toBeLessThan(500)
  observe({ type: 'connected', peer, surface: 'native' })
  expect(lines.at(-1)?.lines_left_out).toBeGreaterThan(9000)
})
