/** Every row of the interop matrix over real sockets (spec payments 17); the peers are the published packages. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { faultsOf, missingPackages, PIECES, ROWS, startWorld, type World } from './interop/suite.mjs'

const missing = missingPackages()
const skipped = missing.length > 0 ? ' - SKIPPED: not installed, node test/interop/install.mjs gets them' : ''

describe.skipIf(missing.length > 0)(`interop with the published x402 packages${skipped}`, () => {
  let world: World
  beforeAll(async () => {
    world = await startWorld()
  }, 120_000)
  afterAll(() => world?.close())

  for (const row of ROWS) {
    const { id, client, wire, server, facilitator, proves } = row
    const name = `row ${id}: ${PIECES[client]} buys by ${wire} from ${PIECES[server]} settled by ${PIECES[facilitator]}`
    test(`${name} (${proves})`, async () => {
      expect(faultsOf(row, await world.buy(row))).toEqual([])
    }, 60_000)
  }
})
