import { demoWallets } from '@aetherkit/devnet'
import { expect, test } from 'vitest'
import { DEMO_ADDRESSES } from './demo-address.js'

test('the demo keys that are refused are those that the local chain hands out', () => {
  const addresses = Object.values(demoWallets()).map(({ publicKey }) => publicKey)
  expect([...DEMO_ADDRESSES].sort()).toEqual(addresses.sort())
})
