/** Actors, mints and accounts of the differential test on one local chain whose clock stands still. */
import { ATA_PROGRAM, nobody, TOKEN, TOKEN_2022 } from './instructions.mjs'
import { decodeBase58, encodeBase58, keyPair } from './message.mjs'

const LOOKUP_PROGRAM = 'AddressLookupTab1e1111111111111111111111111'
const RENT = 10_000_000

/** Token-2022 mints by name; `listed` is the one that our verifier is told to serve. */
const MINTS = {
  listed: { program: TOKEN_2022, decimals: 6, extension: Buffer.alloc(0) },
  unlisted: { program: TOKEN_2022, decimals: 6, extension: Buffer.alloc(0) },
  fee: { program: TOKEN_2022, decimals: 6, extension: transferFee(500) },
  other: { program: TOKEN, decimals: 9, extension: Buffer.alloc(0) },
}

/**
 * @param devnet of `@aetherkit/devnet`
 * @param {(accounts: object[]) => Promise<string[]>} derive associated accounts, by the published library
 */
export async function createWorld(devnet, derive) {
  devnet.pauseClock()
  const { wallets } = devnet
  const sponsor = keyPair(wallets.facilitator.secretKey)
  const buyer = keyPair(wallets.buyer.secretKey)
  const attacker = keyPair(nobody('attacker'))
  const actors = {
    sponsor,
    buyer,
    attacker,
    merchant: { address: wallets.merchant.publicKey },
    stranger: { address: encodeBase58(nobody('stranger')) },
  }
  const mints = { usdc: { address: devnet.mint, decimals: devnet.decimals } }
  for (const [name, { program, decimals, extension }] of Object.entries(MINTS)) {
    const address = encodeBase58(nobody(`mint ${name}`))
    mints[name] = { address, decimals }
    await setAccount(devnet, address, program, mintData(decimals, extension))
  }
  for (const { address } of Object.values(mints)) {
    for (const { address: owner } of [buyer, attacker, actors.merchant, sponsor])
      if (address !== devnet.mint || (await devnet.tokensOf(owner)) === undefined)
        await devnet.setTokens(owner, 1_000_000_000n, address)
  }
  const wanted = Object.values(actors).flatMap(({ address: owner }) =>
    Object.values(mints).flatMap(({ address: mint }) =>
      [TOKEN, TOKEN_2022].map((tokenProgram) => ({ owner, mint, tokenProgram })),
    ),
  )
  const derived = await derive(wanted)
  const key = (...parts) => parts.join(' ')
  const accounts = new Map(
    wanted.map(({ owner, mint, tokenProgram }, i) => [key(owner, mint, tokenProgram), derived[i]]),
  )
  const associated = (owner, mint, tokenProgram) => {
    const account = accounts.get(key(owner, mint, tokenProgram))
    if (account === undefined) throw new TypeError(`${owner} has no account here for ${mint}`)
    return account
  }
  const lookupTable = encodeBase58(nobody('lookup table'))
  const destination = associated(actors.merchant.address, mints.usdc.address, TOKEN)
  await setAccount(devnet, lookupTable, LOOKUP_PROGRAM, lookupData([destination, ATA_PROGRAM]))
  const { blockhash } = (await rpc(devnet, 'getLatestBlockhash', [])).value
  return {
    ...actors,
    actors,
    mints,
    associated,
    lookupTable,
    blockhash,
    network: devnet.network,
    someAccount: (random) => random.pick(derived),
    /** Whoever has a key here signs wherever a signature is required; the stranger never does. */
    signers: new Map([buyer, attacker].map((pair) => [pair.address, pair])),
  }
}

async function setAccount(devnet, address, owner, data) {
  const update = { owner, lamports: RENT, data: data.toString('hex') }
  await rpc(devnet, 'surfnet_setAccount', [address, update])
}

async function rpc({ rpcUrl }, method, params) {
  const response = await fetch(rpcUrl, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  })
  const { result, error } = await response.json()
  if (error !== undefined) throw new Error(`${method}: ${error.message}`)
  return result
}

/** Supply at 36, decimals at 44, initialized at 45; extensions from 166, behind the account type at 165. */
function mintData(decimals, extension) {
  const data = Buffer.alloc(82)
  data.writeBigUInt64LE(10n ** 15n, 36)
  data[44] = decimals
  data[45] = 1
  if (extension.length === 0) return data
  return Buffer.concat([data, Buffer.alloc(83), Buffer.from([1]), extension])
}

/** Extension 1: two keys, withheld u64, then twice epoch u64, maximum u64, basis points u16. */
function transferFee(basisPoints) {
  const value = Buffer.alloc(108)
  for (const at of [72, 90]) {
    value.writeBigUInt64LE(10n ** 9n, at + 8)
    value.writeUInt16LE(basisPoints, at + 16)
  }
  const header = Buffer.alloc(4)
  header.writeUInt16LE(1, 0)
  header.writeUInt16LE(value.length, 2)
  return Buffer.concat([header, value])
}

/** Type u32 1, deactivation slot u64, last extended slot u64, start u8, authority option and key, to 56; then keys. */
function lookupData(addresses) {
  const header = Buffer.alloc(56)
  header.writeUInt32LE(1, 0)
  header.writeBigUInt64LE(2n ** 64n - 1n, 4)
  return Buffer.concat([header, ...addresses.map(decodeBase58)])
}
