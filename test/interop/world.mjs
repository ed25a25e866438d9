/**
 * One local chain and every peer program once: facilitators, sellers with a route for each facilitator, buyers. A row is
 * one purchase, judged by the chain and by the seller's count of its handler.
 */
import { existsSync } from 'node:fs'
import { startDevnet } from '@aetherkit/devnet'
import { encodeBase58 } from './differential/message.mjs'
import { startPeer } from './peer.mjs'

/** One cent of USDC, and what the sponsor pays: two signatures, and less than a lamport of priority rounded up. */
export const PRICE = { text: '$0.01', atomic: 10_000n, fee: 10_001n }

/** Which facilitators each seller is given. A seller of today cannot ask one of the first generation: it needs v2. */
const SELLERS = {
  ours: ['ours', 'current', 'legacy'],
  current: ['ours', 'current'],
  legacy: ['ours', 'current', 'legacy'],
  seed: ['ours'],
}

/** The sets of published packages that are not installed; node test/interop/install.mjs gets them. */
export function missingPackages() {
  return ['current', 'legacy'].filter((set) => !existsSync(new URL(`${set}/node_modules`, import.meta.url)))
}

export async function startWorld() {
  const devnet = await startDevnet({ slotMs: 50 })
  const started = []
  const start = async (program, settings) => {
    const peer = await startPeer(program, { rpcUrl: devnet.rpcUrl, network: devnet.network, ...settings })
    started.push(peer)
    return peer
  }
  const close = async () => {
    await Promise.all(started.map((peer) => peer.close()))
    await devnet.close()
  }
  try {
    const { facilitator, buyer, merchant } = devnet.wallets
    const sponsorKey = encodeBase58(facilitator.secretKey)
    const facilitators = await named(['ours', 'current', 'legacy'], (name) =>
      start(`${name}/facilitator.mjs`, { secretKey: sponsorKey }),
    )
    const shop = (names) => ({
      payTo: merchant.publicKey,
      mint: devnet.mint,
      price: PRICE.text,
      facilitators: Object.fromEntries(names.map((name) => [name, facilitators[name].url])),
    })
    const sellers = await named(Object.keys(SELLERS), (name) =>
      name === 'seed'
        ? start('ours/seed-server.mjs', { ...shop(SELLERS.seed), secretKey: sponsorKey })
        : start(`${name}/server.mjs`, { ...shop(SELLERS[name]), secretKey: sponsorKey }),
    )
    const buyers = await named(['ours', 'current', 'legacy'], (name) =>
      start(`${name}/client.mjs`, { secretKey: encodeBase58(buyer.secretKey) }),
    )
    return { devnet, close, buy: (row) => buy({ devnet, sellers, buyers }, row) }
  } catch (error) {
    await close()
    throw error
  }
}

/**
 * One purchase. `answer` is what the buyer got; `moved` what the chain says of payer, payee and sponsor, and of the
 * receipt's transaction; `runs` how often the handler ran for it.
 */
async function buy({ devnet, sellers, buyers }, { client, wire, server, facilitator, memo = true }) {
  const seller = sellers[server]
  const url = `${seller.url}/via/${facilitator}`
  // Memo-less payments under one blockhash are the same bytes: each row gets a blockhash of its own.
  devnet.advanceSlots(1)
  const before = await holdings(devnet)
  const runsBefore = (await seller.ask()).runs[facilitator] ?? 0
  const answer = await buyers[client].ask({ mode: wire, url, memo })
  const after = await holdings(devnet)
  const transaction = answer.receipt?.transaction ?? answer.body?.receipt?.txHash
  return {
    answer,
    moved: {
      payer: after.payer - before.payer,
      payee: after.payee - before.payee,
      sponsorLamports: after.sponsorLamports - before.sponsorLamports,
      payerLamports: after.payerLamports - before.payerLamports,
      transaction: transaction ? await statusOf(devnet, transaction) : 'none',
    },
    runs: ((await seller.ask()).runs[facilitator] ?? 0) - runsBefore,
  }
}

async function holdings(devnet) {
  const { buyer, merchant, facilitator } = devnet.wallets
  return {
    payer: await devnet.tokensOf(buyer.publicKey),
    payee: await devnet.tokensOf(merchant.publicKey),
    sponsorLamports: devnet.lamportsOf(facilitator.publicKey),
    payerLamports: devnet.lamportsOf(buyer.publicKey),
  }
}

/** What became of a transaction: `landed`, `failed` or `unknown`. */
async function statusOf({ rpcUrl }, signature) {
  const body = { jsonrpc: '2.0', id: 1, method: 'getSignatureStatuses', params: [[signature]] }
  const headers = { 'Content-Type': 'application/json' }
  const response = await fetch(rpcUrl, { method: 'POST', headers, body: JSON.stringify(body) })
  const [status] = (await response.json()).result.value
  return status === null ? 'unknown' : status.err === null ? 'landed' : 'failed'
}

async function named(names, start) {
  const settled = await Promise.allSettled(names.map(start))
  const failed = settled.find(({ status }) => status === 'rejected')
  if (failed !== undefined) throw failed.reason
  return Object.fromEntries(names.map((name, i) => [name, settled[i].value]))
}
