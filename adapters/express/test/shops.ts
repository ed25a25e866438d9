/** A local chain for the tests of a file, and shops on it that end with the test that opened them. */
import { type Devnet, startDevnet } from '@aetherkit/devnet'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { openShop, type Shop, type ShopOptions, type VERSIONS } from './shop.js'

interface Shops {
  readonly devnet: Devnet
  /** Opens shops on this Express. */
  on(express: (typeof VERSIONS)[number][1]): (options?: ShopOptions) => Promise<Shop>
}

export function useShops(): Shops {
  let devnet: Devnet | undefined
  const opened: Shop[] = []
  beforeAll(async () => {
    devnet = await startDevnet({ slotMs: 20 })
  })
  afterAll(() => devnet?.close())
  afterEach(async () => {
    for (const shop of opened.splice(0)) await shop.close()
  })
  return {
    get devnet() {
      if (devnet === undefined) throw new Error('the chain is not started yet')
      return devnet
    },
    on(express) {
      return async (options) => {
        const shop = await openShop(this.devnet, express, options)
        opened.push(shop)
        return shop
      }
    },
  }
}
