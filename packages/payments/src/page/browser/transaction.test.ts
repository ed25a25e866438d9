import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { buyer, merchant, sponsor, USDC } from '../../../test/shop.js'
import { buildPayment } from '../../exact/build.js'
import { DEVNET } from '../../network.js'
import { createRpc } from '../../rpc.js'
import { encodeBase58, signerAddress } from '../../solana.js'
import { TOKEN_PROGRAM } from '../../token.js'
import { decodeAddress, encodeAddress } from './address.js'
import { isSigned, paymentTransaction } from './transaction.js'

test('the page makes the very bytes that the paying fetch makes', async () => {
  const rpc = createRpc('http://127.0.0.1:1', { fetch: () => Promise.reject(new Error('not asked')) })
  for (const amount of [1n, 100_000n, 18_446_744_073_709_551_615n]) {
    const blockhash = encodeBase58(crypto.getRandomValues(new Uint8Array(32)))
    const terms = {
      feePayer: signerAddress(sponsor),
      payTo: merchant,
      asset: USDC,
      amount,
      memo: `x1.abc.${'n'.repeat(11)}.${'m'.repeat(22)}`,
    }
    const built = await buildPayment(
      {
        ...terms,
        scheme: 'exact',
        network: DEVNET,
        maxTimeoutSeconds: 60,
        flow: 'upfront',
        recentBlockhash: blockhash,
      },
      { signer: buyer, rpc, mints: new Map(), allowedMints: {} },
    )
    const wire = await paymentTransaction({
      ...terms,
      payer: signerAddress(buyer),
      tokenProgram: TOKEN_PROGRAM,
      decimals: 6,
      blockhash,
    })
    expect(isSigned(wire)).toBe(false)
    wire.set(built.signature, 65)
    expect(isSigned(wire)).toBe(true)
    expect(Buffer.from(wire).toString('hex')).toBe(Buffer.from(built.wire).toString('hex'))
  }
})

test('addresses survive the way there and back, and nothing else is one', () => {
  for (const bytes of [
    new Uint8Array(32),
    new Uint8Array(32).fill(255),
    crypto.getRandomValues(new Uint8Array(32)),
  ])
    expect(decodeAddress(encodeAddress(bytes))).toEqual(bytes)
  for (const text of ['', '0', 'l', '1'.repeat(31), '1'.repeat(33), 'z'.repeat(45)])
    expect(() => decodeAddress(text)).toThrow(RangeError)
})

test('the scripts in the package are those of the sources', { timeout: 30_000 }, async () => {
  const bundle = fileURLToPath(new URL('../bundle.mjs', import.meta.url))
  const { stdout } = await promisify(execFile)(process.execPath, [bundle, '--check'])
  expect(stdout).toContain('matches')
})
