/** A wallet for demos on a local chain: the public demo key, announced as an extension would announce a real one. */
import type { PageData } from '../page-data.js'
import { encodeAddress } from './address.js'
import { announce } from './wallet.js'

/** A PKCS #8 wrapper of an Ed25519 seed. */
const PKCS8_HEAD = '302e020100300506032b657004220420'

const { testWallet, chain } = JSON.parse(document.getElementById('data')?.textContent ?? '') as PageData
if (testWallet !== undefined) void start(testWallet)

async function start(seed: string): Promise<void> {
  const secret = Uint8Array.from(atob(seed), (character) => character.charCodeAt(0))
  const wrapped = Uint8Array.from([
    ...Uint8Array.from(PKCS8_HEAD.match(/../g) ?? [], (hex) => Number.parseInt(hex, 16)),
    ...secret,
  ])
  const key = await crypto.subtle.importKey('pkcs8', wrapped, 'Ed25519', true, ['sign'])
  const { x = '' } = await crypto.subtle.exportKey('jwk', key)
  const bytes = Uint8Array.from(atob(x.replaceAll('-', '+').replaceAll('_', '/')), (character) =>
    character.charCodeAt(0),
  )
  const account = { address: encodeAddress(bytes) }
  announce({
    name: 'local test wallet',
    icon: 'data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCAyNCAyNCI+PHJlY3Qgd2lkdGg9IjI0IiBoZWlnaHQ9IjI0IiByeD0iNiIgZmlsbD0iI2Q5N2EyYiIvPjxwYXRoIGQ9Ik05IDV2NmwtNCA3aDE0bC00LTdWNXoiIGZpbGw9IiNmZmYiLz48L3N2Zz4=',
    chains: [chain],
    accounts: [account],
    features: {
      'standard:connect': { version: '1.0.0', connect: async () => ({ accounts: [account] }) },
      'solana:signTransaction': {
        version: '1.0.0',
        supportedTransactionVersions: [0],
        async signTransaction({ transaction }: { transaction: Uint8Array }) {
          const wire = Uint8Array.from(transaction)
          wire.set(new Uint8Array(await crypto.subtle.sign('Ed25519', key, wire.slice(129))), 65)
          return [{ signedTransaction: wire }]
        },
      },
    },
  })
}
