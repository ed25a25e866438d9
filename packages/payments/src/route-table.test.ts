import { expect, test } from 'vitest'
import { createRouteTable } from './route-table.js'

const table = createRouteTable({
  'GET /paid': 'paid',
  '/any/:id': 'any',
  'POST /files/*': 'files',
  'GET /u/[id]/x': 'user',
})

test.each([
  'GET /paid',
  'GET /PAID',
  'GET /paid/',
  'GET //paid',
  'GET /%70aid',
  'GET /paid%2f',
  'GET /%2570aid',
  'GET /./paid',
  'GET /free/../paid',
  'GET /%2e%2e/paid',
  'GET /paid?x=1',
  'GET /paid#x',
  'GET /paid%0a',
  'GET /paid%20',
  'HEAD /paid',
  'get /paid',
  'GET \\paid',
])('%s is the priced route', (asked) => {
  const [method = '', path = ''] = asked.split(' ')
  expect(table.find(method, path)?.entry).toBe('paid')
})

test.each([
  'POST /paid',
  'GET /paid/more',
  'GET /',
  'GET /unpaid',
  'GET /files/a',
  'GET /any',
  'GET /any/1/2',
])('%s is no priced route', (asked) => {
  const [method = '', path = ''] = asked.split(' ')
  expect(table.find(method, path)).toBeUndefined()
})

test('parameters stand for one segment, a star for the rest, no method for all', () => {
  expect(table.find('DELETE', '/any/7')).toEqual({ pattern: '/any/:id', entry: 'any' })
  expect(table.find('POST', '/files/a/b/c')?.entry).toBe('files')
  expect(table.find('GET', '/u/7/x')?.entry).toBe('user')
})

test.each(['paid', 'GET', 'GET paid', ''])('%j is refused as a route', (key) => {
  expect(() => createRouteTable({ [key]: 1 })).toThrow(expect.objectContaining({ code: 'invalid_option' }))
})
