import { describe, expect, test } from 'vitest'
import { relaysOf } from './connection.js'
import { CommandError, type ExitName } from './exit.js'
import { filtersOf, publicKeyOf } from './filter-flags.js'
import { integer, readDuration, readInstant } from './flags.js'
import { visible, visibleLines } from './visible.js'

function codeOf(action: () => unknown): ExitName | string | undefined {
  try {
    action()
  } catch (error) {
    if (CommandError.is(error)) return error.code
    return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  }
  return undefined
}

test('durations have units, seconds by default', () => {
  expect(['250ms', '1.5s', '10', '2m', '1h', '7d'].map(readDuration)).toEqual([
    250, 1500, 10_000, 120_000, 3_600_000, 604_800_000,
  ])
  for (const text of ['', '0', '-1s', '1w', 's', '1e3'])
    expect(codeOf(() => readDuration(text))).toBe('commander.invalidArgument')
})

test('instants are nanoseconds, dates or a time ago; seconds and milliseconds are refused', () => {
  expect(readInstant('0')).toBe(0n)
  expect(readInstant('1700000000000000001')).toBe(1_700_000_000_000_000_001n)
  expect(readInstant('2026-01-31')).toBe(1_769_817_600_000_000_000n)
  expect(readInstant('2026-01-31T10:00:00.5Z')).toBe(1_769_853_600_500_000_000n)
  expect(readInstant('1h')).toBeLessThan(BigInt(Date.now()) * 1_000_000n)
  for (const text of ['1700000000', '1700000000000', 'yesterday', '1960-01-01', '2026-13-01'])
    expect(codeOf(() => readInstant(text))).toBe('commander.invalidArgument')
})

test('integers have bounds', () => {
  expect(integer(1, 5)('5')).toBe(5)
  for (const text of ['0', '6', '1.5', 'x', ''])
    expect(codeOf(() => integer(1, 5)(text))).toBe('commander.invalidArgument')
})

describe('filters', () => {
  test('join values of one key by OR and several keys by AND', () => {
    expect(filtersOf({ tag: ['t=a', 't=b=c', 'p=x'], kind: ['1,2', '7'], id: ['AB'], limit: 3 })).toEqual([
      {
        ids: ['ab'],
        kinds: [1, 2, 7],
        tags: [
          { key: 't', any: ['a', 'b=c'] },
          { key: 'p', any: ['x'] },
        ],
        limit: 3,
      },
    ])
    expect(filtersOf({})).toEqual([{}])
    expect(filtersOf({ filter: ['{"kinds":[1]}', '{}'] })).toEqual([{ kinds: [1] }, {}])
  })

  test('that are none are wrong use', () => {
    for (const flags of [
      { kind: ['x'] },
      { author: ['npub'] },
      { tag: ['=x'] },
      { filter: ['[]'] },
      { filter: ['{}'], limit: 0 },
    ])
      expect(codeOf(() => filtersOf(flags))).toBe('usage')
    expect(codeOf(() => publicKeyOf('00'))).toBe('usage')
  })
})

test('relays come from flags, then the environment, then the default', () => {
  const env = { AETHER_RELAY: 'ws://a:1, wss://b' }
  expect(relaysOf({ relay: ['ws://c:1', 'ws://c:1'] }, env)).toEqual(['ws://c:1'])
  expect(relaysOf({}, env)).toEqual(['ws://a:1', 'wss://b'])
  expect(relaysOf({}, {})).toEqual(['ws://127.0.0.1:9000'])
  for (const relay of ['localhost:9000', 'http://a', 'ws://u:p@a', 'ws://a#x', ''])
    expect(codeOf(() => relaysOf({ relay: [relay] }, {}))).toBe('usage')
})

test('what drives a terminal is spelled out', () => {
  expect(visible('a\u0000\u001b[31m\u0007\u007f\u0085\u2028\u2066\ufeff\nü😀')).toBe(
    'a\\x00\\x1b[31m\\x07\\x7f\\x85\\u2028\\u2066\\ufeff\\nü😀',
  )
  expect(visibleLines('a\n\tb\r\u001b')).toBe('a\n\tb\\r\\x1b')
})
